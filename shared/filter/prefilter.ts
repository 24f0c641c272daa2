import type { Clause, CompareNode, Condition, Filter } from './ast.ts';
import { resolveField } from './ast.ts';
import type { EventShape } from './compile.ts';
import { bindTest, type FilterContext } from './evaluate.ts';
import { complement, EVERYTHING, type IntervalSet, intersection, interval, NOTHING, union } from './intervals.ts';
import { eventTest } from './patterns.ts';

/**
 * What a filter implies about an event without reading its payload, for leaving out whole chunks: an event can pass only if
 * all three sets hold it. All are empty where nothing can pass.
 */
export interface Prefilter {
  cpus: IntervalSet;
  pids: IntervalSet;
  /** ns relative to the workspace origin. */
  times: IntervalSet;
}

const ALL: Prefilter = { cpus: EVERYTHING, pids: EVERYTHING, times: EVERYTHING };
const NEVER: Prefilter = { cpus: NOTHING, pids: NOTHING, times: NOTHING };

/**
 * For events of one type, or with `shape` null for events of any type. Implied, not equivalent: the sets may be larger than
 * need be, never smaller.
 */
export function prefilter(filter: Filter, shape: EventShape | null, context: FilterContext): Prefilter {
  if (filter.clauses.length === 0) return ALL;
  return filter.clauses.map((clause) => clauseBounds(clause, shape, context)).reduce(either, NEVER);
}

function clauseBounds({ events, condition }: Clause, shape: EventShape | null, context: FilterContext): Prefilter {
  const named = events.length > 0;
  if (shape !== null && named && !events.some((pattern) => eventTest(pattern)(shape.system, shape.event))) return NEVER;
  return condition === null ? ALL : bounds(condition, false, named, shape, context);
}

function bounds(
  condition: Condition,
  negated: boolean,
  named: boolean,
  shape: EventShape | null,
  context: FilterContext,
): Prefilter {
  const inner = (node: Condition, not = negated): Prefilter => bounds(node, not, named, shape, context);
  switch (condition.kind) {
    case 'not':
      return inner(condition.operand, !negated);
    case 'compare':
      return compareBounds(condition, negated, named, shape, context);
    default: {
      const combine = (condition.kind === 'and') === negated ? either : both;
      return combine(inner(condition.left), inner(condition.right));
    }
  }
}

function compareBounds(
  node: CompareNode,
  negated: boolean,
  named: boolean,
  shape: EventShape | null,
  context: FilterContext,
): Prefilter {
  // With no type known, a clause that names events may mean a field of theirs by any name but these.
  const has = (field: string): boolean => (shape === null ? named || !alwaysVirtual.has(field) : shape.has(field));
  const source = resolveField(node.field, named, has);
  if (source === null) return negated ? ALL : NEVER;
  if (!('virtual' in source)) return ALL;
  if (shape !== null && (source.virtual === 'event' || source.virtual === 'system')) {
    const test = bindTest(node, named, has, context);
    const names = {
      number: () => Number.NaN,
      text: (field: string) => (field === '$event' ? shape.event : shape.system),
    };
    if (test === null || test.reads.length > 1) return ALL;
    return test.run(names) === negated ? NEVER : ALL;
  }
  const value = numberOf(node, source.virtual === 'time', context);
  const values = value === null ? null : valuesOf(node, value);
  if (values === null) return ALL;
  const set = negated ? complement(values) : values;
  if (set.length === 0) return NEVER;
  if (source.virtual === 'cpu') return { ...ALL, cpus: set };
  if (source.virtual === 'pid') return { ...ALL, pids: set };
  return source.virtual === 'time' ? { ...ALL, times: set } : ALL;
}

const alwaysVirtual = new Set(['cpu', 'pid', 'task', 'cgroup', 'event', 'system', 'info', 'time']);

function numberOf({ value }: CompareNode, isTime: boolean, context: FilterContext): number | null {
  if (value.kind === 'time') return isTime ? Number(value.relative ? value.ns : value.ns - context.originNs) : null;
  return value.kind === 'number' && !isTime && Number.isFinite(value.value) ? value.value : null;
}

/** The whole numbers for which the comparison holds; null where it is not about numbers' order. */
function valuesOf({ op }: CompareNode, value: number): IntervalSet | null {
  const [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  switch (op) {
    case '==':
      return interval(value, value);
    case '!=':
      return complement(interval(value, value));
    case '<':
      return interval(low, Math.ceil(value) - 1);
    case '<=':
      return interval(low, value);
    case '>':
      return interval(Math.floor(value) + 1, high);
    case '>=':
      return interval(value, high);
    default:
      return null;
  }
}

const isNever = (bounds: Prefilter): boolean =>
  bounds.cpus.length === 0 || bounds.pids.length === 0 || bounds.times.length === 0;

function both(a: Prefilter, b: Prefilter): Prefilter {
  const result = {
    cpus: intersection(a.cpus, b.cpus),
    pids: intersection(a.pids, b.pids),
    times: intersection(a.times, b.times),
  };
  return isNever(result) ? NEVER : result;
}

function either(a: Prefilter, b: Prefilter): Prefilter {
  if (isNever(a)) return b;
  if (isNever(b)) return a;
  return { cpus: union(a.cpus, b.cpus), pids: union(a.pids, b.pids), times: union(a.times, b.times) };
}
