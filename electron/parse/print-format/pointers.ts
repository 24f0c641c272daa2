import type { FieldFormat } from '../event-format.ts';
import { printIp4, printIp6, printIp6Compressed } from './addresses.ts';
import { compileCall, compileNumber, type Scope } from './evaluate.ts';
import { dynamicPlace } from './fields.ts';
import type { NumberOf, Print, PrintRecord } from './record.ts';
import { type Arg, argNumber } from './syntax.ts';
import { latin1Bytes, type TextSink } from './text-sink.ts';

/**
 * The kernel's pointer conversions (Documentation/core-api/printk-formats.rst) as far as libtraceevent 1.8 knows them:
 * %pS %ps %pF %pf, %pM %pm %pMR %pMF, %pI4 %pi4 %pI6 %pi6 %pI6c %pIS, %pU, %ph. Everything else is an address.
 */

/** How many characters behind `%p` belong to the conversion. */
export function pointerSuffixLength(text: string): number {
  switch (text[0]) {
    case 'F':
    case 'S':
    case 'f':
    case 's':
      return 1;
    case 'M':
    case 'm':
      return text[1] === 'R' || text[1] === 'F' ? 2 : 1;
    case 'U':
      return /[LlBb]/.test(text[1] ?? '') ? 2 : 1;
    case 'h':
      return /[CDN]/.test(text[1] ?? '') ? 2 : 1;
    case 'I':
    case 'i': {
      const sockaddr = /^.S([pfs]*)/.exec(text);
      if (sockaddr !== null) {
        const rest = text.slice(sockaddr[0].length);
        const order = /^[hnlb]/.test(rest) ? 1 : 0;
        return sockaddr[0].length + order + (rest[order] === 'c' ? 1 : 0);
      }
      if (text[1] === '4') return /[hnlb]/.test(text[2] ?? '') ? 3 : 2;
      if (text[1] === '6') return text[2] === 'c' ? 3 : 2;
      return 1;
    }
    default:
      return 0;
  }
}

/**
 * Compiles `%p` with `suffix`. `raw`: printing field by field, where a function's address follows its name.
 * `length`: what a star gave, for `%*ph`; without one a single byte is printed.
 */
export function compilePointer(suffix: string, arg: Arg, scope: Scope, raw: boolean, length: NumberOf | null): Print {
  switch (suffix[0]) {
    case 'F':
    case 'S':
      return kernelFunction(arg, scope, raw, true);
    case 'f':
    case 's':
      return kernelFunction(arg, scope, raw, false);
    case 'M':
    case 'm':
      return mac(suffix, arg, scope);
    case 'I':
    case 'i':
      return internetAddress(suffix, arg, scope);
    case 'U':
      return uuid(suffix, arg, scope);
    case 'h':
      return buffer(suffix, arg, scope, length);
    default: {
      const value = compileNumber(arg, scope);
      return (record, out) => {
        value(record);
        if ((record.high | record.low) === 0) out.text('(nil)');
        else {
          out.text('0x');
          out.hex64(record.high, record.low);
        }
      };
    }
  }
}

function kernelFunction(arg: Arg, scope: Scope, raw: boolean, withOffset: boolean): Print {
  const value = compileNumber(arg, scope);
  return (record, out) => {
    value(record);
    const { high, low } = record;
    printFunctionName(out, scope, high, low, withOffset, raw);
  };
}

/** `name+0x1c`, or the address where no function is known; raw adds the address in parentheses. */
export function printFunctionName(
  out: TextSink,
  scope: Pick<Scope, 'symbols'>,
  high: number,
  low: number,
  withOffset: boolean,
  raw: boolean,
): void {
  const found = scope.symbols.functionAt(high, low);
  if (found !== null) {
    out.literal(found.name);
    if (withOffset) {
      out.text('+0x');
      const borrow = low >>> 0 < found.low ? 1 : 0;
      out.hex64((high - found.high - borrow) | 0, (low - found.low) | 0);
    }
    if (!raw) return;
  }
  out.text(raw ? ' (0x' : '0x');
  out.hex64(high, low);
  if (raw) out.byte(41);
}

const withoutCasts = (arg: Arg): Arg => (arg.kind === 'cast' ? withoutCasts(arg.value) : arg);

/** The complaint that libtraceevent prints in place of an argument it cannot use. */
function complaint(text: string): Print {
  const bytes = latin1Bytes(text);
  return (_record, out) => out.literal(bytes);
}

/**
 * What conversions of a field's bytes have in common: functions print themselves, other arguments are complained
 * about, and so is a field of the wrong size.
 */
function ofFieldBytes(
  arg: Arg,
  scope: Scope,
  size: number,
  invalid: string,
  print: (out: TextSink, bytes: Uint8Array, at: number) => void,
): Print {
  if (arg.kind === 'call') return compileCall(arg, scope);
  const plain = withoutCasts(arg);
  if (plain.kind !== 'field') return complaint(`ARG TYPE NOT FIELD BUT ${argNumber(plain)}`);
  const { field } = plain;
  if (field === null) return () => {};
  if (field.size !== size) return complaint(invalid);
  return fieldBytes(field, print);
}

function fieldBytes(field: FieldFormat, print: (out: TextSink, bytes: Uint8Array, at: number) => void): Print {
  const { offset, size } = field;
  return (record, out) => {
    if (record.at + offset + size <= record.bytes.length) print(out, record.bytes, record.at + offset);
  };
}

function mac(suffix: string, arg: Arg, scope: Scope): Print {
  const separator = suffix[0] === 'm' ? -1 : suffix[1] === 'F' ? 45 : 58;
  const reverse = suffix[1] === 'R';
  return ofFieldBytes(arg, scope, 6, 'INVALIDMAC', (out, bytes, at) => {
    for (let i = 0; i < 6; i++) {
      if (i > 0 && separator >= 0) out.byte(separator);
      out.hexByte(bytes[at + (reverse ? 5 - i : i)]);
    }
  });
}

const UUID_ORDER = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const GUID_ORDER = [3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15];

function uuid(suffix: string, arg: Arg, scope: Scope): Print {
  const order = suffix[1] === 'L' || suffix[1] === 'l' ? GUID_ORDER : UUID_ORDER;
  const upper = suffix[1] === 'L' || suffix[1] === 'B';
  return ofFieldBytes(arg, scope, 16, 'INVALIDUUID', (out, bytes, at) => {
    for (let i = 0; i < 16; i++) {
      out.hexByte(bytes[at + order[i]], upper);
      if (i === 3 || i === 5 || i === 7 || i === 9) out.byte(45);
    }
  });
}

/** Byte order of an IPv4 address: `h` the machine's, `l` little-endian, otherwise the network's. */
const reversed = (order: string, scope: Scope): boolean => order === 'l' || (order === 'h' && scope.abi.littleEndian);

function internetAddress(suffix: string, arg: Arg, scope: Scope): Print {
  const leadingZeros = suffix[0] === 'i';
  if (suffix[1] === '4') {
    const reverse = reversed(suffix[2] ?? '', scope);
    return ofFieldBytes(arg, scope, 4, 'INVALIDIPv4', (out, bytes, at) => {
      printIp4(out, bytes, at, leadingZeros, reverse);
    });
  }
  if (suffix[1] === '6') {
    const compressed = suffix[0] === 'I' && suffix[2] === 'c';
    return ofFieldBytes(arg, scope, 16, 'INVALIDIPv6', (out, bytes, at) => {
      if (compressed) printIp6Compressed(out, bytes, at);
      else printIp6(out, bytes, at, suffix[0] === 'I');
    });
  }
  return suffix[1] === 'S' ? socketAddress(suffix, arg, scope) : () => {};
}

const AF_INET = 2;
const AF_INET6 = 10;

/** %pIS: the address family decides. */
function socketAddress(suffix: string, arg: Arg, scope: Scope): Print {
  if (arg.kind === 'call') return compileCall(arg, scope);
  const options = suffix.slice(2);
  const port = suffix[0] === 'I' && options.startsWith('p');
  const compressed = suffix[0] === 'I' && options.slice(port ? 1 : 0).startsWith('c');
  const order = options.slice((port ? 1 : 0) + (compressed ? 1 : 0));
  const reverse = reversed(order[0] ?? '', scope);
  const plain = withoutCasts(arg);
  let place: NumberOf;
  if (plain.kind === 'dynamic-array') place = dynamicPlace(plain.field, scope.abi);
  else if (plain.kind === 'field') {
    const { field } = plain;
    if (field === null) return () => {};
    place = (record) => {
      record.low = field.offset;
      record.high = field.size;
    };
  } else return complaint(`ARG NOT FIELD NOR DYNAMIC ARRAY BUT TYPE ${argNumber(plain)}`);

  return (record: PrintRecord, out: TextSink) => {
    place(record);
    const { bytes } = record;
    const at = record.at + record.low;
    const size = Math.min(record.high, record.end - at);
    if (size < 2) return;
    const family = record.view.getUint16(at, true);
    const printPort = (): void => {
      out.byte(58);
      out.decimal((bytes[at + 2] << 8) | bytes[at + 3]);
    };
    if (family === AF_INET) {
      if (size < 16) {
        out.text('INVALIDIPv4');
        return;
      }
      printIp4(out, bytes, at + 4, suffix[0] === 'i', reverse);
      if (port) printPort();
    } else if (family === AF_INET6) {
      if (size < 28) {
        out.text('INVALIDIPv6');
        return;
      }
      if (port) out.byte(91);
      if (compressed) printIp6Compressed(out, bytes, at + 8);
      else printIp6(out, bytes, at + 8, suffix[0] === 'I');
      if (port) {
        out.byte(93);
        printPort();
      }
    }
  };
}

/** %*ph: bytes of a dynamic array, as many as the star says. */
function buffer(suffix: string, arg: Arg, scope: Scope, length: NumberOf | null): Print {
  if (arg.kind === 'call') return compileCall(arg, scope);
  if (arg.kind !== 'dynamic-array') return complaint(`ARG TYPE NOT FIELD BUT ${argNumber(arg)}`);
  const delimiter = suffix[1] === 'C' ? 58 : suffix[1] === 'D' ? 45 : suffix[1] === 'N' ? -1 : 32;
  const place = dynamicPlace(arg.field, scope.abi);
  return (record, out) => {
    let most = 1;
    if (length !== null) {
      length(record);
      most = record.low | 0;
    }
    place(record);
    const from = record.at + record.low;
    const to = Math.min(record.end, from + (record.high < most >>> 0 ? record.high : most));
    for (let i = from; i < to; i++) {
      if (i > from && delimiter >= 0) out.byte(delimiter);
      out.hexByte(record.bytes[i]);
    }
  };
}
