import { RemoraError } from '../../shared/errors.ts';
import type { Clause, Condition, Filter } from '../../shared/filter/ast.ts';
import { parseFilter } from '../../shared/filter/parse.ts';
import { printFilter } from '../../shared/filter/print.ts';

/** Filter text that passes what all of `texts` pass. Empty ones pass everything. Throws `bad-expression`. */
export function allOf(...texts: string[]): string {
  const filters = texts.filter((text) => text.trim() !== '').map(parseOrThrow);
  if (filters.length < 2) return texts.find((text) => text.trim() !== '') ?? '';
  return printFilter(filters.reduce(both));
}

/** Every clause of one with every clause of the other: a filter passes what any of its clauses passes. */
function both(a: Filter, b: Filter): Filter {
  return { clauses: a.clauses.flatMap((left) => b.clauses.map((right) => bothClauses(left, right))) };
}

function bothClauses(a: Clause, b: Clause): Clause {
  if (a.events.length > 0 && b.events.length > 0) {
    throw new RemoraError({
      code: 'bad-expression',
      message: 'Two filters that both name events cannot be joined: write one.',
    });
  }
  return { ...a, events: [...a.events, ...b.events], condition: bothConditions(a.condition, b.condition) };
}

function bothConditions(left: Condition | null, right: Condition | null): Condition | null {
  if (left === null || right === null) return left ?? right;
  return { kind: 'and', left, right, start: left.start, end: right.end };
}

function parseOrThrow(text: string): Filter {
  const parsed = parseFilter(text);
  if (parsed.ok) return parsed.ast;
  const { message, position } = parsed.error;
  throw new RemoraError({ code: 'bad-expression', message: `filter “${text}”: ${message}`, position });
}
