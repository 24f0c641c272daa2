import {
  type Clause,
  type CompareNode,
  type CompareOp,
  type Condition,
  type FieldSource,
  type Filter,
  resolveField,
  type VirtualField,
} from './ast.ts';
import { exactInteger, parseNumber } from './literals.ts';
import { eventTest, globTest, searchRegex } from './patterns.ts';

/** Reads one event; fields by name, virtual ones as `$cpu`, `$pid`, `$task`, `$cgroup`, `$event`, `$system`, `$info`, `$time`. */
export interface FieldReader {
  /**
   * Value of a numeric field; NaN for one that is text. `$time` is in ns relative to the workspace origin, `$cgroup` the inode
   * number or NaN.
   */
  number(field: string): number;
  /** A string, or the exact decimal value of a number. `$task` is the comm, `$cgroup` the path, `$info` the event's printed text. */
  text(field: string): string;
}

/** An event whose type is not known beforehand. */
export interface FilterEvent extends FieldReader {
  /** True for a field of the event itself, common ones included; virtual ones are never asked for. */
  has(field: string): boolean;
}

export interface FilterContext {
  /** Absolute time of the workspace origin, for `time > 56.41`. */
  originNs: bigint;
}

/** One test bound to fields that exist. */
export interface Test {
  /** Names it reads, virtual ones with `$`. */
  reads: string[];
  /** What reading them costs, roughly: the cheaper of two tests is made first. */
  cost: number;
  run(event: FieldReader): boolean;
}

/** True where the filter lets the event pass. Straight from the syntax tree: for single events; compile.ts is for many. */
export function evaluateFilter(filter: Filter, event: FilterEvent, context: FilterContext): boolean {
  const has = (field: string): boolean => event.has(field);
  const holds = (condition: Condition, named: boolean): boolean => {
    switch (condition.kind) {
      case 'and':
        return holds(condition.left, named) && holds(condition.right, named);
      case 'or':
        return holds(condition.left, named) || holds(condition.right, named);
      case 'not':
        return !holds(condition.operand, named);
      case 'compare':
        return bindTest(condition, named, has, context)?.run(event) ?? false;
    }
  };
  const passes = ({ events, condition }: Clause): boolean => {
    const named = events.length > 0;
    if (named && !events.some((pattern) => eventTest(pattern)(event.text('$system'), event.text('$event'))))
      return false;
    return condition === null || holds(condition, named);
  };
  return filter.clauses.length === 0 || filter.clauses.some(passes);
}

const costs: Record<VirtualField, number> = {
  event: 0,
  system: 0,
  cpu: 1,
  pid: 1,
  time: 1,
  task: 2,
  cgroup: 6,
  info: 50,
};
const OWN_NUMBER = 4;
const OWN_TEXT = 8;

/** The name to ask a FieldReader for. */
export const readName = (source: FieldSource): string => ('own' in source ? source.own : `$${source.virtual}`);

/** A test ready to run; null where the event has no such field: the test is false. `named`: its clause names events. */
export function bindTest(
  node: CompareNode,
  named: boolean,
  has: (field: string) => boolean,
  context: FilterContext,
): Test | null {
  const source = resolveField(node.field, named, has);
  if (source === null) return null;
  const name = readName(source);
  const make = (run: Test['run'], isText: boolean, other: FieldSource | null = null): Test => ({
    reads: other === null ? [name] : [name, readName(other)],
    cost: cost(source, isText) + (other === null ? 0 : cost(other, isText)),
    run,
  });
  const { op, value } = node;
  if (op === '~' || op === '=~' || op === '!~') {
    const matches = patternTest(op, value.kind === 'word' ? value.name : value.text);
    return make((event) => matches(event.text(name)), true);
  }
  if (value.kind === 'text') return make(textTest(name, op, value.text), true);
  if (value.kind === 'word') {
    const other = resolveField(value.name, named, has);
    if (other === null) return make(textTest(name, op, value.name), true);
    return make(fieldTest(name, op, readName(other)), false, other);
  }
  if (value.kind === 'time') {
    const isTime = 'virtual' in source && source.virtual === 'time';
    const number = isTime
      ? Number(value.relative ? value.ns : value.ns - context.originNs)
      : plainNumber(value.text, value.ns);
    return make(numberTest(name, op, number, value.text), false);
  }
  // A bare number against `time` is one that no time looks like (0x10): seconds nevertheless.
  const isTime = 'virtual' in source && source.virtual === 'time';
  const number = isTime ? value.value * 1e9 - Number(context.originNs) : value.value;
  return make(numberTest(name, op, number, value.text), false);
}

const cost = (source: FieldSource, isText: boolean): number =>
  'virtual' in source ? costs[source.virtual] : isText ? OWN_TEXT : OWN_NUMBER;

/** `time == 5` of an event that has a field `time` of its own is no time: the number as typed. */
const plainNumber = (text: string, ns: bigint): number => parseNumber(text)?.value ?? Number(ns);

function patternTest(op: '~' | '=~' | '!~', pattern: string): (text: string) => boolean {
  if (op === '~') return globTest(pattern);
  const regex = searchRegex(pattern);
  return op === '=~' ? (text) => regex.test(text) : (text) => !regex.test(text);
}

function textTest(name: string, op: CompareOp, text: string): Test['run'] {
  if (op === '==') return (event) => event.text(name) === text;
  if (op === '!=') return (event) => event.text(name) !== text;
  // Smaller and larger are for numbers; a word that is no field is none.
  return () => false;
}

function fieldTest(name: string, op: CompareOp, other: string): Test['run'] {
  const compare = numberCompare(op);
  return (event) => {
    const a = event.number(name);
    const b = event.number(other);
    if (!Number.isNaN(a) && !Number.isNaN(b)) return compare(a, b);
    if (op === '==') return event.text(name) === event.text(other);
    return op === '!=' && event.text(name) !== event.text(other);
  };
}

/** Against a number; exact beyond 2^53. A field that is text is compared as text, and is neither smaller nor larger. */
function numberTest(name: string, op: CompareOp, number: number, text: string): Test['run'] {
  const exact = exactInteger(text);
  if (exact !== null && !Number.isSafeInteger(number)) {
    const compare = bigCompare(op, exact);
    return (event) => {
      const found = exactInteger(event.text(name));
      return found === null ? op === '!=' : compare(found);
    };
  }
  if (op === '&') return bitTest(name, number);
  const compare = numberCompare(op);
  return (event) => {
    const value = event.number(name);
    if (!Number.isNaN(value)) return compare(value, number);
    if (op === '==') return event.text(name) === text;
    return op === '!=' && event.text(name) !== text;
  };
}

function bitTest(name: string, mask: number): Test['run'] {
  // Number's & keeps the low 32 bits, which is all there is to test here.
  if (mask >= 0 && mask <= 0xffffffff) {
    return (event) => {
      const value = event.number(name);
      if (Number.isSafeInteger(value)) return (value & mask) !== 0;
      return ((exactInteger(event.text(name)) ?? 0n) & BigInt(mask)) !== 0n;
    };
  }
  const wide = BigInt(mask);
  return (event) => ((exactInteger(event.text(name)) ?? 0n) & wide) !== 0n;
}

function numberCompare(op: CompareOp): (a: number, b: number) => boolean {
  switch (op) {
    case '==':
      return (a, b) => a === b;
    case '!=':
      return (a, b) => a !== b;
    case '<':
      return (a, b) => a < b;
    case '<=':
      return (a, b) => a <= b;
    case '>':
      return (a, b) => a > b;
    case '>=':
      return (a, b) => a >= b;
    case '&':
      return (a, b) => (BigInt(Math.trunc(a)) & BigInt(Math.trunc(b))) !== 0n;
    default:
      return () => false;
  }
}

function bigCompare(op: CompareOp, value: bigint): (found: bigint) => boolean {
  switch (op) {
    case '==':
      return (found) => found === value;
    case '!=':
      return (found) => found !== value;
    case '<':
      return (found) => found < value;
    case '<=':
      return (found) => found <= value;
    case '>':
      return (found) => found > value;
    case '>=':
      return (found) => found >= value;
    case '&':
      return (found) => (found & value) !== 0n;
    default:
      return () => false;
  }
}
