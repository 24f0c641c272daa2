import { type Condition, type Filter, resolveField } from '../../shared/filter/ast.ts';
import { eventTest } from '../../shared/filter/patterns.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import type { TextError } from '../../shared/typed-text.ts';

/**
 * The first name in a filter that the recording does not have: an event, or a field of the events that a clause is
 * about. Such a filter is right but passes nothing, which looks as if there were no such events.
 */
export function unknownName(filter: Filter, types: readonly EventTypeInfo[]): TextError | null {
  for (const clause of filter.clauses) {
    for (const pattern of clause.events) {
      const test = eventTest(pattern);
      if (!types.some((type) => test(type.system, type.name))) {
        return problem(`the recording has no event “${pattern.event}”`, pattern);
      }
    }
    if (clause.condition === null) continue;
    const tests = clause.events.map(eventTest);
    const about =
      tests.length === 0 ? types : types.filter((type) => tests.some((test) => test(type.system, type.name)));
    const fields = new Set(about.flatMap((type) => type.fields.map((field) => field.name)));
    const unknown = unknownField(clause.condition, (name) => fields.has(name), tests.length > 0);
    if (unknown) return problem(`none of these events has a field “${unknown.field}”`, unknown);
  }
  return null;
}

type Compare = Extract<Condition, { kind: 'compare' }>;

function unknownField(condition: Condition, has: (name: string) => boolean, namedEvents: boolean): Compare | null {
  switch (condition.kind) {
    case 'compare':
      return resolveField(condition.field, namedEvents, has) === null ? condition : null;
    case 'not':
      return unknownField(condition.operand, has, namedEvents);
    default:
      return unknownField(condition.left, has, namedEvents) ?? unknownField(condition.right, has, namedEvents);
  }
}

const problem = (message: string, { start, end }: { start: number; end: number }): TextError => ({
  message,
  position: start,
  length: end - start,
});
