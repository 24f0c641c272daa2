import { compileCall, compileNumber, type Scope } from './evaluate.ts';
import { dynamicPlace, fieldNumber } from './fields.ts';
import { printBitmask, printCpumask } from './masks.ts';
import { printText, type Spec } from './printf.ts';
import type { NumberOf, PrintRecord } from './record.ts';
import type { Arg, NamedValue, Operation } from './syntax.ts';
import { latin1Bytes, type TextSink } from './text-sink.ts';

/** Prints a `%s` argument; `spec` may differ from record to record where a star sets its width. */
export type StringPrinter = (record: PrintRecord, out: TextSink, spec: Spec) => void;

const nothing: StringPrinter = () => {};

/**
 * Compiles what `%s` makes of an argument (libtraceevent: print_str_arg). Arguments that are no strings, casts among
 * them, print nothing.
 */
export function compileString(arg: Arg, scope: Scope): StringPrinter {
  switch (arg.kind) {
    case 'atom': {
      const text = latin1Bytes(arg.text);
      return (_record, out, spec) => printText(out, spec, text, 0, text.length);
    }
    case 'field':
      return fieldText(arg, scope);
    case 'flags':
      return flags(arg, scope);
    case 'symbolic':
      return symbolic(arg, scope);
    case 'hex':
      return hex(arg, scope);
    case 'int-array':
      return intArray(arg, scope);
    case 'string': {
      const field = namedField(arg.name, scope);
      if (field === null) return nothing;
      const place = dynamicPlace(field, scope.abi);
      return (record, out, spec) => {
        place(record);
        if (record.high > 0) printText(out, spec, record.bytes, record.at + record.low, record.reach);
      };
    }
    case 'bitmask':
    case 'cpumask': {
      const field = namedField(arg.name, scope);
      if (field === null) return nothing;
      const place = dynamicPlace(field, scope.abi);
      const print = arg.kind === 'bitmask' ? printBitmask : printCpumask;
      const { littleEndian } = scope.abi;
      return (record, out, spec) => {
        place(record);
        const from = record.at + record.low;
        print(out, spec, record.bytes.subarray(from, Math.min(record.end, from + record.high)), littleEndian);
      };
    }
    case 'operation':
      return arg.operator === '?' ? conditional(arg, scope) : nothing;
    case 'call': {
      const call = compileCall(arg, scope);
      return (record, out) => {
        const from = out.length;
        call(record, out);
        // What a function prints behind a NUL is lost.
        const nul = out.bytes.subarray(from, out.length).indexOf(0);
        if (nul >= 0) out.length = from + nul;
      };
    }
    default:
      return nothing;
  }
}

export function namedField(name: string, scope: Scope): Scope['event']['fields'][number] | null {
  const { fields } = scope.event;
  return (
    fields.find((field) => field.common && field.name === name) ?? fields.find((field) => field.name === name) ?? null
  );
}

/** An array in the record; or, for a scalar of pointer width, the constant string at that address. */
function fieldText(arg: Extract<Arg, { kind: 'field' }>, scope: Scope): StringPrinter {
  const { field } = arg;
  if (field === null) return nothing;
  const { symbols, abi } = scope;
  if (!field.isArray && field.size === abi.longBytes) {
    // Read in the machine's own byte order even where the recording has the other one, as libtraceevent does.
    const value = fieldNumber(field, { ...abi, littleEndian: true });
    return (record, out) => {
      value(record);
      const text = symbols.stringAt(record.high, record.low);
      if (text === undefined) out.hex64(record.high, record.low);
      else out.literal(text);
    };
  }
  const { offset, size } = field;
  return (record, out, spec) => {
    const from = record.at + offset;
    printText(out, spec, record.bytes, from, size === 0 ? record.end : Math.min(record.reach, from + size));
  };
}

function conditional(arg: Operation, scope: Scope): StringPrinter {
  const condition = compileNumber(arg.left, scope);
  const branches = arg.right as Operation;
  const yes = compileString(branches.left, scope);
  const no = compileString(branches.right, scope);
  return (record, out, spec) => {
    condition(record);
    if ((record.high | record.low) !== 0) yes(record, out, spec);
    else no(record, out, spec);
  };
}

interface Name {
  high: number;
  low: number;
  negative: boolean;
  zero: boolean;
  text: Uint8Array;
}

const halves = (named: NamedValue): Name => ({
  high: Number(BigInt.asIntN(32, named.value >> 32n)),
  low: Number(BigInt.asIntN(32, named.value)),
  negative: named.value < 0n,
  zero: named.value === 0n,
  text: latin1Bytes(named.name),
});

/**
 * Keeps the text of values met before: flags and symbols take few values, and looking them up is a loop. Only for
 * conversions that print the same value the same each time, of values below 2^32.
 */
function remembered(value: NumberOf, print: ValueText): StringPrinter {
  const texts = new Map<number, Uint8Array>();
  let lastSpec: Spec | null = null;
  return (record, out, spec) => {
    value(record);
    const { high, low } = record;
    if (high !== 0 || spec !== lastSpec) {
      if (high === 0) {
        texts.clear();
        lastSpec = spec;
      }
      print(out, spec, high, low);
      return;
    }
    const text = texts.get(low);
    if (text !== undefined) {
      out.literal(text);
      return;
    }
    const from = out.length;
    print(out, spec, high, low);
    if (texts.size < MOST_REMEMBERED) texts.set(low, out.bytes.slice(from, out.length));
  };
}

const MOST_REMEMBERED = 1000;

function flags(arg: Extract<Arg, { kind: 'flags' }>, scope: Scope): StringPrinter {
  return remembered(compileNumber(arg.value, scope), flagsText(arg));
}

/** Prints a value, given as its halves. */
type ValueText = (out: TextSink, spec: Spec, high: number, low: number) => void;

export function flagsText(arg: Extract<Arg, { kind: 'flags' }>): ValueText {
  const names = arg.names.map(halves);
  const delimiter = latin1Bytes(arg.delimiter ?? '');
  return (out, spec, allHigh, allLow) => {
    let high = allHigh;
    let low = allLow;
    let printed = false;
    for (const name of names) {
      if (name.negative) {
        // A value that is no number stands for "none".
        if ((high | low) === 0) {
          printText(out, spec, name.text, 0, name.text.length);
          break;
        }
      } else if (!name.zero && (high & name.high) === name.high && (low & name.low) === name.low) {
        if (printed) out.literal(delimiter);
        printText(out, spec, name.text, 0, name.text.length);
        printed = true;
        high &= ~name.high;
        low &= ~name.low;
      }
    }
    if ((high | low) !== 0) {
      if (printed) out.literal(delimiter);
      out.text('0x');
      out.hex64(high, low);
    }
  };
}

function symbolic(arg: Extract<Arg, { kind: 'symbolic' }>, scope: Scope): StringPrinter {
  return remembered(compileNumber(arg.value, scope), symbolText(arg));
}

export function symbolText(arg: Extract<Arg, { kind: 'symbolic' }>): ValueText {
  const names = arg.names.map(halves);
  return (out, spec, allHigh, allLow) => {
    const high = allHigh | 0;
    const low = allLow | 0;
    for (const name of names) {
      if (name.low === low && name.high === high) {
        printText(out, spec, name.text, 0, name.text.length);
        return;
      }
    }
    out.text('0x');
    out.hex64(high, low);
  };
}

/** Where the data of __print_hex and __print_array begins: offset from the record's start in `low`; null: nowhere. */
function dataOffset(arg: Arg, scope: Scope): ((record: PrintRecord) => void) | null {
  if (arg.kind === 'dynamic-array') return dynamicPlace(arg.field, scope.abi);
  if (arg.kind !== 'field' || arg.field === null) return null;
  const { offset } = arg.field;
  return (record) => {
    record.low = offset;
  };
}

function hex(arg: Extract<Arg, { kind: 'hex' }>, scope: Scope): StringPrinter {
  const place = dataOffset(arg.data, scope);
  if (place === null) return nothing;
  const size = compileNumber(arg.size, scope);
  return (record, out) => {
    place(record);
    const from = record.at + record.low;
    size(record);
    const to = Math.min(record.reach, from + (record.low >>> 0));
    for (let i = from; i < to; i++) {
      if (i > from && arg.spaced) out.byte(32);
      out.hexByte(record.bytes[i]);
    }
  };
}

/** `{0x1,0xff}`; an element size that is none is printed as a complaint. Elements in the machine's own byte order. */
function intArray(arg: Extract<Arg, { kind: 'int-array' }>, scope: Scope): StringPrinter {
  const place = dataOffset(arg.data, scope);
  if (place === null) return nothing;
  const count = compileNumber(arg.count, scope);
  const elementSize = compileNumber(arg.elementSize, scope);
  return (record, out) => {
    place(record);
    let at = record.at + record.low;
    count(record);
    const length = record.low >>> 0;
    elementSize(record);
    const size = record.low | 0;
    const valid = size === 1 || size === 2 || size === 4 || size === 8;
    const step = valid ? size : 1;
    const { view } = record;
    out.byte(123);
    for (let i = 0; i < length && at + step <= record.reach; i++, at += step) {
      if (i > 0) out.byte(44);
      if (!valid && i === 0) out.text(`BAD SIZE:${size} `);
      out.text('0x');
      if (step === 1) out.hex64(0, view.getUint8(at));
      else if (step === 2) out.hex64(0, view.getUint16(at, true));
      else out.hex64(step === 8 ? view.getInt32(at + 4, true) : 0, view.getInt32(at, true));
    }
    out.byte(125);
  };
}
