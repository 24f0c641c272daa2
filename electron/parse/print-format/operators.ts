import type { Arg, Operation } from './syntax.ts';

/**
 * Binding strength as libtraceevent has it: a higher number binds looser. −1: no operator that it knows, which fails
 * the print format.
 */
export function priorityOf(operator: string): number {
  return PRIORITIES.get(operator) ?? -1;
}

const PRIORITIES = new Map<string, number>([
  ['++', 3],
  ['--', 3],
  ['~', 4],
  ['!', 4],
  ['*', 6],
  ['/', 6],
  ['%', 6],
  ['+', 7],
  ['-', 7],
  ['>>', 8],
  ['<<', 8],
  ['<', 9],
  ['>', 9],
  ['<=', 9],
  ['>=', 9],
  ['==', 10],
  ['!=', 10],
  ['&', 11],
  ['^', 12],
  ['|', 13],
  ['&&', 14],
  ['||', 15],
  ['?', 16],
]);

export const BINARY = new Set([
  ...['>>', '<<', '&', '|', '&&', '||', '-', '+', '*', '^', '/', '%', '<', '>', '<=', '>=', '==', '!='],
]);

const U64 = (1n << 64n) - 1n;

/** A C number as strtoull reads it with base 0: the longest prefix that is one, 0 where there is none. */
export function strtoull(text: string): bigint {
  const parts = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(text);
  if (parts === null) return 0n;
  const digits = parts[2];
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  if (value > U64) return U64;
  return parts[1] === '-' ? -value & U64 : value;
}

/** Replaces an operation on two constants by its value, inside first, as it is done once a print format is read. */
export function fold(arg: Arg): void {
  if (arg.kind !== 'operation') return;
  fold(arg.left);
  fold(arg.right);
  if (arg.left.kind !== 'atom' || arg.right.kind !== 'atom') return;
  const value = constant(arg, strtoull(arg.left.text), strtoull(arg.right.text));
  if (value !== null) become(arg, { kind: 'atom', text: BigInt.asIntN(64, value).toString() });
}

function constant(operation: Operation, left: bigint, right: bigint): bigint | null {
  const truth = (value: boolean): bigint => (value ? 1n : 0n);
  switch (operation.operator) {
    case '>>':
      return left >> (right & 63n);
    case '>=':
      return truth(left >= right);
    case '>':
      return truth(left > right);
    case '<<':
      return (left << (right & 63n)) & U64;
    case '<=':
      return truth(left <= right);
    case '<':
      return truth(left < right);
    case '&&':
      return truth(left !== 0n && right !== 0n);
    case '&':
      return left & right;
    case '||':
      return truth(left !== 0n || right !== 0n);
    case '|':
      return left | right;
    case '-':
      return (left - right) & U64;
    case '+':
      return (left + right) & U64;
    case '*':
      return (left * right) & U64;
    case '^':
      return left ^ right;
    case '/':
      return right === 0n ? null : left / right;
    case '%':
      return right === 0n ? null : left % right;
    case '==':
      return truth(left === right);
    case '!=':
      return truth(left !== right);
    default:
      return null;
  }
}

/** Turns an argument into another in place: what refers to it sees the new one. */
export function become(arg: Arg, other: Arg): void {
  for (const key of Object.keys(arg)) delete (arg as Record<string, unknown>)[key];
  Object.assign(arg, other);
}

const NAMED_FLAGS = new Map<string, bigint>([
  ...['HI', 'TIMER', 'NET_TX', 'NET_RX', 'BLOCK', 'IRQ_POLL', 'TASKLET', 'SCHED', 'HRTIMER', 'RCU'].map(
    (name, index): [string, bigint] => [`${name}_SOFTIRQ`, BigInt(index)],
  ),
  ['HRTIMER_NORESTART', 0n],
  ['HRTIMER_RESTART', 1n],
]);

/** The value of a `{ value, "name" }` pair, signed: only digits make a number, a few enum names are known, all else is −1. */
export function flagValue(text: string): bigint {
  return /^\d/.test(text) ? BigInt.asIntN(64, strtoull(text)) : (NAMED_FLAGS.get(text) ?? -1n);
}

/** The text of a constant expression, as `{ 1 << 2, … }` needs it; null where it is none. */
export function constantText(arg: Arg): string | null {
  if (arg.kind === 'atom') return arg.text;
  if (arg.kind === 'cast') return constantText(arg.value);
  if (arg.kind !== 'operation') return null;
  return signedConstant(arg)?.toString() ?? null;
}

function signedConstant(arg: Arg): bigint | null {
  if (arg.kind === 'atom') return BigInt.asIntN(64, strtoull(arg.text));
  if (arg.kind === 'cast') {
    const value = signedConstant(arg.value);
    return value === null ? null : BigInt.asIntN(64, castTo(arg.type, value & U64));
  }
  if (arg.kind !== 'operation' || !CONSTANT_OPERATORS.has(arg.operator)) return null;
  const right = signedConstant(arg.right);
  if (right === null) return null;
  if (arg.operator === '~') return ~right;
  const unary = arg.left.kind === 'none' && (arg.operator === '-' || arg.operator === '+');
  const left = unary ? 0n : signedConstant(arg.left);
  if (left === null) return null;
  const truth = (value: boolean): bigint => (value ? 1n : 0n);
  switch (arg.operator) {
    case '<':
      return truth(left < right);
    case '<=':
      return truth(left <= right);
    case '>':
      return truth(left > right);
    case '>=':
      return truth(left >= right);
    case '>>':
      return left >> (right & 63n);
    default: {
      const value = constant(arg, left & U64, right & U64);
      return value === null ? null : BigInt.asIntN(64, value);
    }
  }
}

/** Operators that a named value may use: fewer than elsewhere. */
const CONSTANT_OPERATORS = new Set([
  ...['|', '||', '&', '&&', '<', '<<', '<=', '>', '>>', '>=', '==', '!=', '-', '+', '~'],
]);

/** Bits that a cast keeps; signedness is lost, as in libtraceevent. */
export function castBits(type: string): number {
  switch (type.replace(/^unsigned /, '')) {
    case 'char':
      return 8;
    case 'short':
      return 16;
    case 'int':
      return 32;
  }
  const sized = /^[us](8|16|32)$/.exec(type);
  return sized === null || type.length < 2 ? 64 : Number(sized[1]);
}

const castTo = (type: string, value: bigint): bigint => BigInt.asUintN(castBits(type), value);
