import { RemoraError } from '../errors.ts';
import type { BinaryOp, CallNode, Expression, SeriesExpression } from './ast.ts';
import { fieldsOf } from './ast.ts';
import { applyBinary, applyUnary, foldConstants, type UnaryOp } from './operators.ts';

/**
 * Expressions over columns: a tree of loops, one per operator, each over a whole chunk of samples. Chunks of some 65,536
 * samples keep the intermediate columns in the processor's cache.
 *
 * NaN is "no value": what has no value (0/0, the first delta, a field that could not be decoded) gives no value, whatever
 * is done with it. Comparisons and logic give 1 and 0. A division by zero has no value.
 *
 * `delta(x)` is the difference to the previous sample of the same group, `rate(x)` that difference per second of trace time;
 * the first sample of a group has none, and a sample without a value is passed over. Two samples at the same time have no
 * rate. This state lives in an Evaluator, so chunks must be given in time order, and a window must start where its series
 * starts or with one sample of each group before it.
 */
export interface CompiledExpression {
  /** Fields that it reads; `columns` of the evaluator are indexed by what `resolve` gave for them. */
  fields: string[];
  /** True where delta or rate is in it: group index and, for rate, time are needed. */
  stateful: boolean;
  /** A new evaluation, from the first sample on; or from where another one was when it gave `state`. */
  evaluator(state?: EvaluatorState): Evaluator;
}

/**
 * Evaluates the first `n` samples of `columns` into `out`, which the caller owns and which no column may be. `samples` is
 * needed for stateful expressions only: without `group` all samples are one group.
 */
export interface Evaluator {
  (columns: readonly Float64Array[], n: number, out: Float64Array, samples?: SampleContext): void;
  /** What delta and rate remember by now. The caller's own. */
  state(): EvaluatorState;
}

/** The last value and time of each group, of every delta and rate in an expression. */
export type EvaluatorState = readonly { values: Float64Array; times: Float64Array }[];

export interface SampleContext {
  /** Index of each sample's group; small integers from 0 on, the same group the same index in every chunk. */
  group?: ArrayLike<number>;
  /** Time of each sample in ns, ascending within a group. */
  timeNs?: Float64Array;
}

/**
 * `resolve` gives the index of a field's column, or -1 where the event has no such number: then `bad-expression` is thrown
 * with the field's position.
 */
export function compile(expression: SeriesExpression, resolve: (field: string) => number): CompiledExpression {
  const root = foldConstants(expression.root);
  checkFields(expression.root, resolve);
  return {
    fields: fieldsOf(expression),
    stateful: isStateful(root),
    evaluator(state) {
      const remembered: LastByGroup[] = [];
      const remember = (): LastByGroup => {
        const last = new LastByGroup(state?.[remembered.length]);
        remembered.push(last);
        return last;
      };
      const step = build(root, { resolve, remember });
      const evaluate = (
        columns: readonly Float64Array[],
        n: number,
        out: Float64Array,
        samples: SampleContext = {},
      ) => {
        const result = step({ columns, n, samples }, out);
        if (result !== out) out.set(result.length === n ? result : result.subarray(0, n));
      };
      return Object.assign(evaluate, { state: () => remembered.map((last) => last.copy()) });
    },
  };
}

/** One chunk on its way through the tree. */
interface Chunk {
  columns: readonly Float64Array[];
  n: number;
  samples: SampleContext;
}

/** Gives the node's values for a chunk, in `target` or in a column that must not be written to. */
type Step = (chunk: Chunk, target: Float64Array) => Float64Array;

/** What the steps of one evaluation are made with: where fields are, and memory for each that has a state. */
interface Making {
  resolve(field: string): number;
  remember(): LastByGroup;
}

function build(node: Expression, making: Making): Step {
  switch (node.kind) {
    case 'number':
      return ({ n }, target) => target.fill(node.value, 0, n);
    case 'field': {
      const index = making.resolve(node.field);
      return ({ columns }) => columns[index];
    }
    case 'unary':
      return unary(node.op, build(node.operand, making));
    case 'binary':
      return binary(node.op, build(node.left, making), build(node.right, making));
    case 'call':
      return call(node, making);
  }
}

const unary =
  (op: UnaryOp, operand: Step): Step =>
  (chunk, target) => {
    applyUnary(op, operand(chunk, target), chunk.n, target);
    return target;
  };

function binary(op: BinaryOp | 'min' | 'max', left: Step, right: Step): Step {
  const scratch = new Scratch();
  return (chunk, target) => {
    const a = left(chunk, target);
    applyBinary(op, a, right(chunk, scratch.of(chunk.n)), chunk.n, target);
    return target;
  };
}

function call(node: CallNode, making: Making): Step {
  const [first, ...others] = node.args.map((arg) => build(arg, making));
  switch (node.name) {
    case 'min':
    case 'max':
      return others.reduce((left, right) => binary(node.name as 'min' | 'max', left, right), first);
    case 'abs':
      return unary('abs', first);
    case 'delta':
      return delta(first, making.remember());
    case 'rate':
      return rate(first, making.remember());
  }
}

function delta(operand: Step, last: LastByGroup): Step {
  return (chunk, target) => {
    const values = operand(chunk, target);
    const group = chunk.samples.group;
    for (let i = 0; i < chunk.n; i++) {
      const value = values[i];
      const g = group === undefined ? 0 : group[i];
      const previous = last.value(g);
      target[i] = value - previous;
      if (!Number.isNaN(value)) last.keep(g, value, 0);
    }
    return target;
  };
}

function rate(operand: Step, last: LastByGroup): Step {
  return (chunk, target) => {
    const values = operand(chunk, target);
    const { group, timeNs } = chunk.samples;
    if (timeNs === undefined) throw new Error('rate() needs the time of the samples');
    for (let i = 0; i < chunk.n; i++) {
      const value = values[i];
      const g = group === undefined ? 0 : group[i];
      const seconds = (timeNs[i] - last.time(g)) / 1e9;
      if (seconds === 0) {
        target[i] = Number.NaN;
        continue;
      }
      target[i] = (value - last.value(g)) / seconds;
      if (!Number.isNaN(value)) last.keep(g, value, timeNs[i]);
    }
    return target;
  };
}

/** The last value and time of every group; NaN before the first. */
class LastByGroup {
  private values: Float64Array<ArrayBuffer>;
  private times: Float64Array<ArrayBuffer>;
  /** Behind the last group that has any. */
  private end = 0;

  /** `from`: what another one's `copy` gave; copied. */
  constructor(from?: EvaluatorState[number]) {
    this.end = from?.values.length ?? 0;
    this.values = grown(from?.values ?? new Float64Array(0), 16);
    this.times = grown(from?.times ?? new Float64Array(0), 16);
  }

  copy(): EvaluatorState[number] {
    return { values: this.values.slice(0, this.end), times: this.times.slice(0, this.end) };
  }

  value(group: number): number {
    return group < this.values.length ? this.values[group] : Number.NaN;
  }
  time(group: number): number {
    return group < this.times.length ? this.times[group] : Number.NaN;
  }
  keep(group: number, value: number, time: number): void {
    if (group >= this.values.length) {
      this.values = grown(this.values, group + 1);
      this.times = grown(this.times, group + 1);
    }
    if (group >= this.end) this.end = group + 1;
    this.values[group] = value;
    this.times[group] = time;
  }
}

function grown(old: Float64Array, length: number): Float64Array<ArrayBuffer> {
  const array = new Float64Array(Math.max(length, old.length * 2)).fill(Number.NaN);
  array.set(old);
  return array;
}

/** A column that one node owns, as long as the largest chunk seen. */
class Scratch {
  private column = new Float64Array(0);
  of(n: number): Float64Array {
    if (this.column.length < n) this.column = new Float64Array(n);
    return this.column;
  }
}

function isStateful(node: Expression): boolean {
  switch (node.kind) {
    case 'call':
      return node.name === 'delta' || node.name === 'rate' || node.args.some(isStateful);
    case 'unary':
      return isStateful(node.operand);
    case 'binary':
      return isStateful(node.left) || isStateful(node.right);
    default:
      return false;
  }
}

function checkFields(node: Expression, resolve: (field: string) => number): void {
  if (node.kind === 'unary') checkFields(node.operand, resolve);
  else if (node.kind === 'call') for (const arg of node.args) checkFields(arg, resolve);
  else if (node.kind === 'binary') {
    checkFields(node.left, resolve);
    checkFields(node.right, resolve);
  } else if (node.kind === 'field' && resolve(node.field) < 0) {
    const message = `the event has no numeric field “${node.field}”`;
    throw new RemoraError({ code: 'bad-expression', message, position: node.start });
  }
}
