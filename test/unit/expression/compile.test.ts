import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { BinaryOp, Expression } from '../../../shared/expression/ast.ts';
import { compile } from '../../../shared/expression/compile.ts';
import { parseExpression } from '../../../shared/expression/parse.ts';
import { unitOfExpression } from '../../../shared/expression/unit.ts';
import { fieldUnit } from '../../../shared/units.ts';
import { plainExpression } from './generate.ts';

const names = ['dirty', 'limit', 'wb_dirty', 'x'];
const resolve = (field: string) => names.indexOf(field);
const event = { system: 'writeback', event: 'balance_dirty_pages' };

function parse(text: string) {
  const result = parseExpression(text, event);
  if (!result.ok) throw new Error(result.error.message);
  return result.ast;
}

/** Values of `text` for columns given by name; a chunk at a time, `chunk` samples each; `anew`: each by an evaluator of its own. */
function run(
  text: string,
  columns: Record<string, number[]>,
  context: { group?: number[]; timeNs?: number[]; chunk?: number; anew?: boolean } = {},
): number[] {
  const arrays = names.map((name) => Float64Array.from(columns[name] ?? []));
  const n = Math.max(...arrays.map((array) => array.length));
  const compiled = compile(parse(text), resolve);
  let evaluate = compiled.evaluator();
  const result: number[] = [];
  for (let from = 0; from < n; from += context.chunk ?? n) {
    const to = Math.min(from + (context.chunk ?? n), n);
    const out = new Float64Array(to - from);
    const samples = {
      group: context.group?.slice(from, to),
      timeNs: context.timeNs && Float64Array.from(context.timeNs.slice(from, to)),
    };
    const part = arrays.map((array) => array.subarray(from, to));
    if (context.anew) evaluate = compiled.evaluator(evaluate.state());
    evaluate(part, to - from, out, samples);
    result.push(...out);
  }
  return result;
}

describe('arithmetic', () => {
  it('works on columns', () => {
    expect(run('dirty / limit', { dirty: [1, 2, 3], limit: [2, 4, 12] })).toEqual([0.5, 0.5, 0.25]);
    expect(run('limit - dirty * 2 + 1', { dirty: [1, 2], limit: [10, 20] })).toEqual([9, 17]);
    expect(run('x % 4', { x: [5, -5] })).toEqual([1, -1]);
    expect(run('x', { x: [7, 8] })).toEqual([7, 8]);
    expect(run('x * 0 + 3', { x: [7, 8] })).toEqual([3, 3]);
    expect(run('-x', { x: [7, -8] })).toEqual([-7, 8]);
  });
  it('compares and combines', () => {
    expect(run('x > 1 && x < 3', { x: [1, 2, 3] })).toEqual([0, 1, 0]);
    expect(run('x <= 1 || x >= 3', { x: [1, 2, 3] })).toEqual([1, 0, 1]);
    expect(run('!(x == 2)', { x: [1, 2] })).toEqual([1, 0]);
    expect(run('x != 2', { x: [1, 2] })).toEqual([1, 0]);
  });
  it('has min, max and abs', () => {
    expect(run('min(x, dirty, 5)', { x: [9, 3, 9], dirty: [8, 4, 2] })).toEqual([5, 3, 2]);
    expect(run('max(x, 5)', { x: [9, 3, 9] })).toEqual([9, 5, 9]);
    expect(run('abs(x)', { x: [-9, 3] })).toEqual([9, 3]);
  });
  it('has no value where there is none', () => {
    expect(run('dirty / limit', { dirty: [1, 0], limit: [0, 0] })).toEqual([Number.NaN, Number.NaN]);
    expect(run('(x / 0) > 1', { x: [1] })).toEqual([Number.NaN]);
    expect(run('!(x / 0) || 1', { x: [1] })).toEqual([Number.NaN]);
    expect(run('max(x, 1 / 0)', { x: [1] })).toEqual([Number.NaN]);
  });
  it('does not write to the columns it reads', () => {
    const x = Float64Array.of(1, 2, 3);
    const out = new Float64Array(3);
    compile(parse('-x + abs(x) * 2'), () => 0).evaluator()([x], 3, out);
    expect([...x]).toEqual([1, 2, 3]);
    expect([...out]).toEqual([1, 2, 3]);
  });
  it('leaves the rest of a longer output alone', () => {
    const out = new Float64Array(4).fill(9);
    compile(parse('x'), () => 0).evaluator()([Float64Array.of(1, 2, 3, 4)], 2, out);
    expect([...out]).toEqual([1, 2, 9, 9]);
  });
  it('names the field that the event does not have, and where it stands', () => {
    expect(() => compile(parse('dirty + nothing'), resolve)).toThrow(/no numeric field “nothing”/);
    try {
      compile(parse('dirty + nothing'), resolve);
    } catch (error) {
      expect(error).toMatchObject({ detail: { code: 'bad-expression', position: 8 } });
    }
  });
});

describe('delta and rate', () => {
  const second = 1e9;
  it('differ from the previous sample of the same group', () => {
    const columns = { x: [10, 100, 13, 90, 13] };
    expect(run('delta(x)', columns, { group: [0, 40, 0, 40, 0] })).toEqual([Number.NaN, Number.NaN, 3, -10, 0]);
    expect(run('delta(x)', columns)).toEqual([Number.NaN, 90, -87, 77, -77]);
  });
  it('are per second', () => {
    const timeNs = [0, second / 2, second / 2, 2.5 * second];
    expect(run('rate(x)', { x: [0, 10, 12, 50] }, { timeNs })).toEqual([Number.NaN, 20, Number.NaN, 20]);
  });
  it('pass over samples without a value', () => {
    const columns = { x: [1, Number.NaN, 4] };
    expect(run('delta(x)', columns)).toEqual([Number.NaN, Number.NaN, 3]);
    expect(run('rate(x)', columns, { timeNs: [0, second, 2 * second] })).toEqual([Number.NaN, Number.NaN, 1.5]);
  });
  it('give the same however the samples are cut into chunks', () => {
    const sample = fc.tuple(fc.integer({ min: 0, max: 40 }), fc.integer({ min: -5, max: 5 }));
    fc.assert(
      fc.property(
        fc.array(sample, { minLength: 1, maxLength: 60 }),
        fc.integer({ min: 1, max: 7 }),
        fc.boolean(),
        (samples, chunk, anew) => {
          const columns = { x: samples.map(([, x]) => x) };
          const context = { group: samples.map(([group]) => group), timeNs: samples.map((_, i) => i * 1e6) };
          const text = 'rate(x) + max(delta(x * 2), 0)';
          expect(run(text, columns, { ...context, chunk, anew })).toEqual(run(text, columns, context));
        },
      ),
    );
  });
});

/** One sample at a time, straight from the meaning of the operators. */
function naive(node: Expression, at: (field: string) => number): number {
  switch (node.kind) {
    case 'number':
      return node.value;
    case 'field':
      return at(node.field);
    case 'unary': {
      const value = naive(node.operand, at);
      if (Number.isNaN(value)) return value;
      return node.op === '-' ? -value : Number(value === 0);
    }
    case 'binary':
      return naiveBinary(node.op, naive(node.left, at), naive(node.right, at));
    case 'call': {
      const args = node.args.map((arg) => naive(arg, at));
      if (node.name === 'min') return Math.min(...args);
      if (node.name === 'max') return Math.max(...args);
      return node.name === 'abs' ? Math.abs(args[0]) : Number.NaN;
    }
  }
}
function naiveBinary(op: BinaryOp, a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.NaN;
  const tests: Partial<Record<BinaryOp, boolean>> = {
    '==': a === b,
    '!=': a !== b,
    '<': a < b,
    '<=': a <= b,
    '>': a > b,
    '>=': a >= b,
    '&&': Boolean(a && b),
    '||': Boolean(a || b),
  };
  const test = tests[op];
  if (test !== undefined) return Number(test);
  if (op === '/') return b === 0 ? Number.NaN : a / b;
  return op === '+' ? a + b : op === '-' ? a - b : op === '*' ? a * b : a % b;
}

it('gives what a naive evaluation of one sample gives', () => {
  const column = fc.array(fc.oneof(fc.integer({ min: -3, max: 3 }), fc.double()), { minLength: 3, maxLength: 3 });
  fc.assert(
    fc.property(plainExpression, fc.tuple(column, column, column, column), (expression, columns) => {
      const out = new Float64Array(1);
      for (let i = 0; i < 3; i++) {
        // One sample per evaluation: the first delta of an evaluation never has a value, as in the naive one.
        const one = columns.map((values) => Float64Array.of(values[i]));
        compile(expression, resolve).evaluator()(one, 1, out, { timeNs: Float64Array.of(0) });
        expect(out[0] + 0).toBe(naive(expression.root, (field) => columns[resolve(field)][i]) + 0);
      }
    }),
    { numRuns: 1000 },
  );
});

describe('unit', () => {
  const unit = (text: string) =>
    unitOfExpression(parse(text), (field) => fieldUnit(event.system, event.event, field, 'unsigned long'));
  it.each([
    ['dirty', 'pages'],
    ['dirty + wb_dirty', 'pages'],
    ['limit - 100', 'pages'],
    ['-dirty', 'pages'],
    ['dirty / limit', 'ratio'],
    ['dirty + pause', ''],
    ['dirty * 4', ''],
    ['dirty > limit', ''],
    ['!dirty', ''],
    ['max(dirty, wb_dirty, 1)', 'pages'],
    ['delta(dirtied)', 'pages'],
    ['rate(dirtied)', 'pages/s'],
    ['abs(pause)', 'ms'],
    ['cgroup_ino', ''],
    ['cgroup_ino / cgroup_ino', ''],
  ])('of %s is %j', (text, expected) => expect(unit(text)).toBe(expected));
});
