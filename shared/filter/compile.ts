import type { Clause, Condition, Filter } from './ast.ts';
import { bindTest, type FieldReader, type FilterContext } from './evaluate.ts';
import { eventTest } from './patterns.ts';

/** What is known of an event before one is read: its type. */
export interface EventShape {
  system: string;
  event: string;
  /** True for a field of this type, common ones included. */
  has(field: string): boolean;
}

/** A filter made for one event type: names are resolved, and what the type decides is decided. */
export interface CompiledFilter {
  /** Fields that `test` may read, virtual ones as `$cpu`; each once. What is missing here need not be decoded. */
  reads: string[];
  /** Reads cheap fields before dear ones, and none that are not needed. */
  test(event: FieldReader): boolean;
}

/**
 * The filter for events of one type: `true` or `false` where it lets all or none of them pass, so that they need not be read.
 * Gives what evaluateFilter() gives for every event of the type.
 */
export function compileFilter(filter: Filter, shape: EventShape, context: FilterContext): boolean | CompiledFilter {
  if (filter.clauses.length === 0) return true;
  const plan = filter.clauses.map((clause) => clausePlan(clause, shape, context)).reduce(anyOf, false);
  return typeof plan === 'boolean' ? plan : { reads: [...new Set(plan.reads)], test: plan.run };
}

/** A test of any size; a boolean where it is decided. */
type Plan = boolean | { reads: string[]; cost: number; run(event: FieldReader): boolean };

function clausePlan({ events, condition }: Clause, shape: EventShape, context: FilterContext): Plan {
  const named = events.length > 0;
  if (named && !events.some((pattern) => eventTest(pattern)(shape.system, shape.event))) return false;
  return condition === null ? true : conditionPlan(condition, named, shape, context);
}

function conditionPlan(condition: Condition, named: boolean, shape: EventShape, context: FilterContext): Plan {
  const plan = (inner: Condition): Plan => conditionPlan(inner, named, shape, context);
  switch (condition.kind) {
    case 'and':
      return allOf(plan(condition.left), plan(condition.right));
    case 'or':
      return anyOf(plan(condition.left), plan(condition.right));
    case 'not': {
      const operand = plan(condition.operand);
      if (typeof operand === 'boolean') return !operand;
      return { ...operand, run: (event) => !operand.run(event) };
    }
    case 'compare': {
      const test = bindTest(condition, named, (field) => shape.has(field), context);
      if (test === null) return false;
      const decided = test.reads.every((name) => name === '$event' || name === '$system');
      return decided ? test.run(nameReader(shape)) : test;
    }
  }
}

function allOf(a: Plan, b: Plan): Plan {
  if (typeof a === 'boolean') return a && b;
  if (typeof b === 'boolean') return b && a;
  const [first, second] = a.cost <= b.cost ? [a, b] : [b, a];
  return {
    reads: [...a.reads, ...b.reads],
    cost: a.cost + b.cost,
    run: (event) => first.run(event) && second.run(event),
  };
}

function anyOf(a: Plan, b: Plan): Plan {
  if (typeof a === 'boolean') return a || b;
  if (typeof b === 'boolean') return b || a;
  const [first, second] = a.cost <= b.cost ? [a, b] : [b, a];
  return {
    reads: [...a.reads, ...b.reads],
    cost: a.cost + b.cost,
    run: (event) => first.run(event) || second.run(event),
  };
}

const nameReader = (shape: EventShape): FieldReader => ({
  number: () => Number.NaN,
  text: (field) => (field === '$event' ? shape.event : shape.system),
});
