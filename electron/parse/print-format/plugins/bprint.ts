import type { EventFormat } from '../../event-format.ts';
import { compilePiece } from '../compile.ts';
import type { Scope } from '../evaluate.ts';
import { fieldNumber, readUnsigned } from '../fields.ts';
import { cutFormat, type Piece } from '../pieces.ts';
import { printFunctionName } from '../pointers.ts';
import { printText, withStar } from '../printf.ts';
import type { NumberOf, PrintRecord } from '../record.ts';
import type { Arg } from '../syntax.ts';
import { latin1Bytes, type TextSink } from '../text-sink.ts';
import { ownField } from './handler.ts';

/**
 * trace_printk (ftrace:bprint): the record holds the address of a format string, which the recording has in
 * printk_formats, and its arguments, packed as the kernel's vbin_printf packs them: numbers on 4-byte boundaries,
 * strings in place.
 */
export class BinaryPrintk {
  readonly #scope: Scope;
  readonly #fmt: NumberOf;
  readonly #ip: NumberOf;
  readonly #bufOffset: number;
  /** Format strings cut into pieces, by address. */
  readonly #formats = new Map<bigint, PrintkFormat>();

  private constructor(scope: Scope, fields: { fmt: NumberOf; ip: NumberOf; bufOffset: number }) {
    this.#scope = scope;
    this.#fmt = fields.fmt;
    this.#ip = fields.ip;
    this.#bufOffset = fields.bufOffset;
  }

  /** Null where the event lacks the fields it needs. */
  static of(scope: Scope): BinaryPrintk | null {
    const [fmt, ip, buf] = ['fmt', 'ip', 'buf'].map((name) => ownField(scope, name));
    if (!fmt || !ip || !buf) return null;
    const numbers = { fmt: fieldNumber(fmt, scope.abi), ip: fieldNumber(ip, scope.abi) };
    return new BinaryPrintk(scope, { ...numbers, bufOffset: buf.offset });
  }

  /** False where the arguments do not suffice: libtraceevent then prints this event field by field, from then on. */
  print(record: PrintRecord, out: TextSink): boolean {
    this.#fmt(record);
    const format = this.#formatAt(record.high, record.low);
    this.#ip(record);
    const args: Value[] = [{ high: record.high, low: record.low, text: null }];
    unpack(format.text, record, record.at + this.#bufOffset, this.#scope, args);
    const { pieces, failed } = args.length >= format.args ? format.whole : cutFormat(format.text, args.length);
    for (const piece of pieces) printPiece(piece, args, this.#scope, record, out);
    return !failed;
  }

  #formatAt(high: number, low: number): PrintkFormat {
    const address = (BigInt(high >>> 0) << 32n) | BigInt(low >>> 0);
    let format = this.#formats.get(address);
    if (format === undefined) {
      const known = this.#scope.symbols.stringAt(high, low);
      const body =
        known === undefined ? `(NO FORMAT FOUND at ${address.toString(16)})\n` : Buffer.from(known).toString('latin1');
      const text = `%ps: ${body}`;
      const whole = cutFormat(text, Number.MAX_SAFE_INTEGER);
      const used = whole.pieces.map((piece) => (piece.kind === 'text' ? 0 : piece.arg + 1));
      format = { text, whole, args: Math.max(0, ...used) };
      this.#formats.set(address, format);
    }
    return format;
  }
}

interface PrintkFormat {
  text: string;
  whole: ReturnType<typeof cutFormat>;
  /** Arguments that the format takes. */
  args: number;
}

/** An unpacked argument: a number, or text. */
interface Value {
  high: number;
  low: number;
  text: Uint8Array | null;
}

/** Reads the arguments that `format` calls for, behind the first `%ps: `. */
function unpack(format: string, record: PrintRecord, from: number, scope: Scope, args: Value[]): void {
  let at = from;
  const { longBytes, littleEndian } = scope.abi;
  const number = (bytes: number): void => {
    at = record.at + ((at - record.at + 3) & ~3);
    if (at + bytes <= record.reach) readUnsigned(record, at, bytes, littleEndian);
    else {
      record.high = 0;
      record.low = 0;
    }
    at += bytes;
    args.push({ high: record.high, low: record.low, text: null });
  };
  const string = (): void => {
    let end = at;
    while (end < record.reach && record.bytes[end] !== 0) end++;
    args.push({ high: 0, low: 0, text: record.bytes.slice(at, end) });
    at = end + 1;
  };
  for (let i = '%ps: '.length; i < format.length && at < record.end; i++) {
    if (format[i] !== '%') continue;
    let longs = 0;
    for (i++; i < format.length; i++) {
      const char = format[i];
      if (char === 'l') longs++;
      else if (char === 'L') longs = 2;
      else if (char === 'z' || char === 'Z') longs = 1;
      else if (char === '*') number(4);
      else if (!/[0-9.#+]/.test(char)) break;
    }
    switch (format[i]) {
      case 'p': {
        const suffix = format[i + 1] ?? '';
        if (/[A-Za-z0-9]/.test(suffix)) {
          i++;
          const asNumber = /[sSx]/.test(suffix) || (/[fF]/.test(suffix) && format[i + 1] !== 'w');
          // Newer kernels store what such a pointer points at, as text.
          const first = record.bytes[at];
          if (!asNumber && first >= 32 && first <= 126) {
            string();
            break;
          }
        }
        number(longBytes);
        break;
      }
      case 'd':
      case 'u':
      case 'i':
      case 'x':
      case 'X':
      case 'o':
        number(longs === 0 ? 4 : longs === 1 ? longBytes : longs === 2 ? 8 : longs);
        break;
      case 's':
        string();
        break;
    }
  }
}

function printPiece(piece: Piece, args: Value[], scope: Scope, record: PrintRecord, out: TextSink): void {
  if (piece.kind === 'text') {
    out.literal(piece.text);
    return;
  }
  const value = args[piece.arg];
  const star = piece.star === null ? null : args[piece.star].low | 0;
  if (piece.kind === 'string') {
    const spec = star === null ? piece.spec : withStar(piece.spec, star);
    const text = value.text ?? latin1Bytes(BigInt.asIntN(64, wide(value)).toString());
    printText(out, spec, text, 0, text.length);
  } else if (piece.kind === 'pointer' && value.text !== null) {
    out.literal(value.text);
  } else if (piece.kind === 'pointer' && /^[FSfs]/.test(piece.suffix)) {
    const withOffset = piece.suffix === 'F' || piece.suffix === 'S';
    printFunctionName(out, scope, value.high, value.low, withOffset, false);
  } else {
    // Constants in place of the arguments: the pieces print as they do everywhere else.
    const constants = args.map(
      (each): Arg => ({ kind: 'atom', text: each.text === null ? wide(each).toString() : '0' }),
    );
    compilePiece(piece, constants, scope, false)(record, out);
  }
}

const wide = (value: Value): bigint => (BigInt(value.high >>> 0) << 32n) | BigInt(value.low >>> 0);

/** trace-cmd makes this event up, as the kernel exports no format for the block tracer's records. */
export function blockTracerFormat(userStack: EventFormat): string {
  const lockDepth = userStack.fields.some((field) => field.name === 'common_lock_depth');
  const fields: [type: string, name: string, offset: number, size: number][] = [
    ['unsigned short', 'common_type', 0, 2],
    ['unsigned char', 'common_flags', 2, 1],
    ['unsigned char', 'common_preempt_count', 3, 1],
    ['int', 'common_pid', 4, 4],
    ...(lockDepth ? ([['int', 'common_lock_depth', 8, 4]] as [string, string, number, number][]) : []),
    ['u64', 'sector', 16, 8],
    ['int', 'bytes', 24, 4],
    ['int', 'action', 28, 4],
    ['int', 'pid', 32, 4],
    ['int', 'device', 36, 4],
    ['int', 'cpu', 40, 4],
    ['short', 'error', 44, 2],
    ['short', 'pdu_len', 46, 2],
    ['void', 'data', 48, 0],
  ];
  const lines = fields.map(
    ([type, name, offset, size]) => `\tfield:${type} ${name};\toffset:${offset};\tsize:${size};`,
  );
  const commons = lockDepth ? 5 : 4;
  const text = [...lines.slice(0, commons), '', ...lines.slice(commons)].join('\n');
  return `name: blktrace\nID: ${userStack.id + 1}\nformat:\n${text}\n\nprint fmt: "%d", REC->pid\n`;
}
