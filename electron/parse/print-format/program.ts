import type { FieldFormat } from '../event-format.ts';
import { printPieces } from './compile.ts';
import type { Scope } from './evaluate.ts';
import { stepBytes } from './fields.ts';
import { castBits, strtoull } from './operators.ts';
import type { Piece } from './pieces.ts';
import { printFunctionName } from './pointers.ts';
import { parseSpec, printText, type Spec } from './printf.ts';
import { PrintRecord } from './record.ts';
import { flagsText, namedField, symbolText } from './strings.ts';
import type { Arg, Operation } from './syntax.ts';
import { TextSink } from './text-sink.ts';

/**
 * Compiles print formats to programs that kernel/report-kernel.ts runs, from the same reading of them that compile.ts makes
 * closures of. What is not expressed here has no program, and its records are printed by those closures.
 *
 * A program is words, each step's number and its operands, and behind them the literals' bytes. Literals are found
 * relative to its beginning: it may lie anywhere.
 */

/** Steps, as the kernel numbers them. */
const OP = {
  end: 0,
  literal: 1,
  unsignedField: 2,
  signedField: 3,
  hexField: 4,
  number: 5,
  character: 6,
  pointer: 7,
  array: 8,
  dynamic: 9,
  text: 10,
  name: 11,
  named: 12,
  jump: 13,
  jumpIfZero: 14,
  constant: 15,
  field: 16,
  length: 17,
  mask: 18,
} as const;

/** Operators of two sides, but for the first two, which have a right one. */
const OPERATORS = new Map<string, number>(
  ['!', '~', '!=', '==', '||', '&&', '|', '&', '<', '<=', '>', '>=', '<<', '>>', '+', '-', '*', '/', '%'].map(
    (operator, i) => [operator, OP.mask + 1 + i],
  ),
);

/** How numbers print. */
const HOW = { signed: 128, hex: 256, upper: 512, octal: 1024, left: 2048, zero: 4096, plus: 8192, alternate: 16_384 };

// What the kernel has room for.
const MOST_LITERAL = 2048;
const MOST_WIDTH = 512;
const MOST_VALUES = 60;
const MOST_OFFSET = 0xffff;
const MOST_STEPS = 1000;

/** The text of a value, where that depends on nothing else. */
export type TextOf = (out: TextSink, high: number, low: number) => void;

/** Keeps the texts of values for the kernel; returns the number of a new table. */
export type AddTable = (text: TextOf) => number;

/** The format is beyond what programs express. */
export class Unfit extends Error {}

/** A program in the making. Steps with a value take it from the top of the stack. */
export class ProgramWriter {
  readonly #words: number[] = [];
  /** Indexes of words that count from the literals' beginning. */
  readonly #literals: number[] = [];
  readonly #bytes: number[] = [];
  /** Bytes of #bytes that no step prints yet: literals that follow each other are one. */
  #pending = 0;
  #values = 0;
  readonly #addTable: AddTable;

  constructor(addTable: AddTable) {
    this.#addTable = addTable;
  }

  #step(...words: number[]): void {
    this.#literal();
    this.#words.push(...words);
    if (this.#words.length > MOST_STEPS) throw new Unfit();
  }

  #literal(): void {
    if (this.#pending === 0) return;
    this.#literals.push(this.#words.length + 1);
    this.#words.push(OP.literal, this.#bytes.length - this.#pending, this.#pending);
    this.#pending = 0;
  }

  #push(values: number): void {
    this.#values += values;
    if (this.#values > MOST_VALUES) throw new Unfit();
  }

  literal(text: Uint8Array): void {
    if (this.#pending + text.length > MOST_LITERAL) this.#literal();
    if (text.length > MOST_LITERAL) throw new Unfit();
    for (const byte of text) this.#bytes.push(byte);
    this.#pending += text.length;
  }

  latin1(text: string): void {
    this.literal(Buffer.from(text, 'latin1'));
  }

  constant(value: bigint): void {
    this.#push(1);
    this.#step(OP.constant, Number(value & 0xffff_ffffn), Number((value >> 32n) & 0xffff_ffffn));
  }

  field({ offset, size }: Pick<FieldFormat, 'offset' | 'size'>): void {
    this.#push(1);
    this.#step(OP.field, place(offset), place(size));
  }

  lengthOf(field: FieldFormat): void {
    this.#push(1);
    this.#step(OP.length, dynamic(field));
  }

  /** Keeps the lowest bits; 64 changes nothing. */
  mask(bits: number): void {
    if (bits < 64) this.#step(OP.mask, bits === 32 ? 0xffff_ffff : (1 << bits) - 1);
  }

  operator(operator: string): void {
    const step = OPERATORS.get(operator);
    if (step === undefined) throw new Unfit();
    if (operator !== '!' && operator !== '~') this.#push(-1);
    this.#step(step);
  }

  /** One of two, by whether the value is zero. Both leave as much on the stack. */
  either(yes: () => void, no: () => void): void {
    this.#push(-1);
    const values = this.#values;
    const toNo = this.#jump(OP.jumpIfZero);
    yes();
    const toEnd = this.#jump(OP.jump);
    this.#land(toNo);
    this.#values = values;
    no();
    this.#literal();
    this.#land(toEnd);
  }

  /** Returns the word that says how far. */
  #jump(op: number): number {
    this.#step(op, 0);
    return this.#words.length - 1;
  }

  #land(jump: number): void {
    this.#words[jump] = this.#words.length - 1 - jump;
  }

  number(spec: Spec): void {
    const { conversion, left, zero, plus, alternate, length, width, precision } = spec;
    checkSize(spec);
    this.#push(-1);
    if (conversion === 'c') {
      this.#step(OP.character, left ? 1 : 0, width);
      return;
    }
    let how = length > 0 ? 64 : length === 0 ? 32 : length === -1 ? 16 : 8;
    if (conversion === 'd' || conversion === 'i') how |= HOW.signed;
    else if (conversion === 'o') how |= HOW.octal;
    else if (conversion !== 'u') how |= HOW.hex | (conversion === 'X' ? HOW.upper : 0);
    how |= (left ? HOW.left : 0) | (zero ? HOW.zero : 0) | (plus ? HOW.plus : 0) | (alternate ? HOW.alternate : 0);
    this.#step(OP.number, how, width, precision);
  }

  /** A field in d, i, u or x without more, where the field is as wide as the conversion sees; else false, and nothing is written. */
  plainField({ offset, size }: FieldFormat, { conversion, length }: Spec): boolean {
    if (![1, 2, 4, 8].includes(size) || length < 0) return false;
    const signed = conversion === 'd' || conversion === 'i';
    if (size === 8 ? length === 0 : signed && length > 0) return false;
    const step = signed ? OP.signedField : conversion === 'u' ? OP.unsignedField : OP.hexField;
    this.#step(step, place(offset), size);
    return true;
  }

  pointer(): void {
    this.#push(-1);
    this.#step(OP.pointer);
  }

  /** A string in place; of size 0 up to the record's end. */
  array({ offset, size }: FieldFormat, spec: Spec): void {
    this.#step(OP.array, place(offset), place(size), ...sizes(spec));
  }

  /** The string that a dynamic field points at. */
  dynamicString(field: FieldFormat, spec: Spec): void {
    const base = field.location === 'rel-loc' ? field.offset + field.size : 0;
    this.#step(OP.dynamic, dynamic(field), place(base), ...sizes(spec));
  }

  /** The text of a value. */
  text(text: TextOf): void {
    this.#push(-1);
    this.#step(OP.text, this.#addTable(text));
  }

  /** A string in place that does not reach beyond the record. */
  name({ offset, size }: FieldFormat): void {
    this.#step(OP.name, place(offset), place(size));
  }

  /** The value, which stays, is a pid whose name is known for good; else the general code prints the record, and learns it. */
  named(): void {
    this.#step(OP.named);
  }

  done(): Uint8Array {
    this.#step(OP.end);
    const length = this.#words.length * 4;
    for (const index of this.#literals) this.#words[index] = (this.#words[index] as number) + length;
    const program = new Uint8Array(length + this.#bytes.length);
    program.set(new Uint8Array(Int32Array.from(this.#words).buffer));
    program.set(this.#bytes, length);
    return program;
  }
}

function place(offset: number): number {
  if (offset > MOST_OFFSET) throw new Unfit();
  return offset;
}

function dynamic({ offset, size }: FieldFormat): number {
  if (size !== 4) throw new Unfit();
  return place(offset);
}

function checkSize({ width, precision }: Spec): void {
  if (width > MOST_WIDTH || precision > MOST_WIDTH) throw new Unfit();
}

function sizes(spec: Spec): number[] {
  checkSize(spec);
  return [spec.left ? 1 : 0, spec.width, spec.precision];
}

/** Writes what the print format says. Throws Unfit. */
export function writePrintFmt(scope: Scope, writer: ProgramWriter): void {
  const found = printPieces(scope);
  if (found === null) throw new Unfit();
  for (const piece of found.pieces) writePiece(piece, found.args, scope, writer);
}

function writePiece(piece: Piece, args: Arg[], scope: Scope, writer: ProgramWriter): void {
  if (piece.kind === 'text') {
    writer.literal(piece.text);
    return;
  }
  if (piece.star !== null) throw new Unfit();
  const arg = args[piece.arg] as Arg;
  if (piece.kind === 'pointer') writePointer(arg, piece.suffix, scope, writer);
  else if (piece.kind === 'string') writeString(arg, piece.spec, scope, writer);
  else writeNumberPiece(arg, piece.spec, scope, writer);
}

function writeNumberPiece(arg: Arg, spec: Spec, scope: Scope, writer: ProgramWriter): void {
  const { width, precision, plus, alternate, conversion } = spec;
  const plain = width < 0 && precision < 0 && !plus && !alternate && /[diux]/.test(conversion);
  if (plain && arg.kind === 'field' && arg.field !== null && writer.plainField(arg.field, spec)) return;
  writeNumber(arg, scope, writer);
  writer.number(spec);
}

function writePointer(arg: Arg, suffix: string, scope: Scope, writer: ProgramWriter): void {
  switch (suffix[0]) {
    case undefined:
      writeNumber(arg, scope, writer);
      writer.pointer();
      return;
    case 'F':
    case 'S':
    case 'f':
    case 's': {
      const withOffset = suffix[0] === 'F' || suffix[0] === 'S';
      writeNumber(arg, scope, writer);
      writer.text((out, high, low) => printFunctionName(out, scope, high, low, withOffset, false));
      return;
    }
    default:
      throw new Unfit();
  }
}

function writeString(arg: Arg, spec: Spec, scope: Scope, writer: ProgramWriter): void {
  switch (arg.kind) {
    case 'atom': {
      const out = new TextSink(64);
      const text = Buffer.from(arg.text, 'latin1');
      printText(out, spec, text, 0, text.length);
      writer.literal(out.bytes.subarray(0, out.length));
      return;
    }
    case 'field':
      if (arg.field !== null) writeFieldText(arg.field, spec, scope, writer);
      return;
    case 'flags':
    case 'symbolic': {
      const text = arg.kind === 'flags' ? flagsText(arg) : symbolText(arg);
      writeNumber(arg.value, scope, writer);
      writer.text((out, high, low) => text(out, spec, high, low));
      return;
    }
    case 'string': {
      const field = namedField(arg.name, scope);
      if (field !== null) writer.dynamicString(field, spec);
      return;
    }
    case 'operation':
      if (arg.operator === '?') {
        const { left, right } = arg.right as Operation;
        writeNumber(arg.left, scope, writer);
        writer.either(
          () => writeString(left, spec, scope, writer),
          () => writeString(right, spec, scope, writer),
        );
      }
      return;
    case 'call':
      writeCall(arg, scope, writer);
      return;
    case 'hex':
    case 'int-array':
    case 'bitmask':
    case 'cpumask':
      throw new Unfit();
  }
}

function writeFieldText(field: FieldFormat, spec: Spec, scope: Scope, writer: ProgramWriter): void {
  if (field.isArray || field.size !== scope.abi.longBytes) {
    writer.array(field, spec);
    return;
  }
  writer.field(field);
  writer.text((out, high, low) => {
    const text = scope.symbols.stringAt(high, low);
    if (text === undefined) out.hex64(high, low);
    else out.literal(text);
  });
}

/** A function of one number prints it in the same way each time. */
function writeCall(arg: Extract<Arg, { kind: 'call' }>, scope: Scope, writer: ProgramWriter): void {
  const { parameters, run } = arg.function;
  if (parameters.length !== 1 || parameters[0] !== 'number') throw new Unfit();
  const record = new PrintRecord();
  writeNumber(arg.args[0] as Arg, scope, writer);
  writer.text((out, high, low) => run(record, out, Int32Array.of(high, low)));
}

/** Puts a number on the stack, as evaluate.ts evaluates it. */
function writeNumber(arg: Arg, scope: Scope, writer: ProgramWriter): void {
  switch (arg.kind) {
    case 'atom': {
      const value = strtoull(arg.text);
      const isName = value === 0n && !/^\d/.test(arg.text);
      writer.constant(isName ? scope.symbols.addressOf(arg.text) : value);
      return;
    }
    case 'field':
      if (arg.field === null) writer.constant(0n);
      else writer.field(arg.field);
      return;
    case 'cast':
      writeNumber(arg.value, scope, writer);
      writer.mask(castBits(arg.type));
      return;
    case 'dynamic-array-length':
      writer.lengthOf(arg.field);
      return;
    case 'operation':
      writeOperation(arg, scope, writer);
      return;
    case 'call':
    case 'dynamic-array':
      throw new Unfit();
    default:
      writer.constant(0n);
  }
}

function writeOperation(arg: Operation, scope: Scope, writer: ProgramWriter): void {
  const { operator, left, right } = arg;
  if (operator === '[') {
    writeElement(arg, scope, writer);
    return;
  }
  if (operator === '?') {
    const branches = right as Operation;
    writeNumber(left, scope, writer);
    writer.either(
      () => writeNumber(branches.left, scope, writer),
      () => writeNumber(branches.right, scope, writer),
    );
    return;
  }
  if (operator !== '!' && operator !== '~') writeNumber(left, scope, writer);
  writeNumber(right, scope, writer);
  writer.operator(operator);
}

/** `REC->array[2]` */
function writeElement({ left, right }: Operation, scope: Scope, writer: ProgramWriter): void {
  if (left.kind !== 'field' || right.kind !== 'atom' || !/^\d{1,4}$/.test(right.text)) throw new Unfit();
  const { field } = left;
  if (field === null) throw new Unfit();
  const size = stepBytes(field, scope.abi);
  writer.field({ offset: field.offset + Number(strtoull(right.text)) * size, size });
}

/** A conversion such as `%llx`, as handlers name them. */
export function specOf(conversion: string): Spec {
  const length = /^%[^a-zA-Z]*(ll|l)/.exec(conversion) ? 2 : 0;
  return { ...parseSpec(conversion), length };
}
