import type { Clause, Condition, EventPattern, Filter, Value } from './ast.ts';
import { quoteString } from './lex.ts';

/** The text of a filter: parsing it gives the same tree. Parentheses stand only where they are needed. */
export const printFilter = (filter: Filter): string => filter.clauses.map(printClause).join('; ');

function printClause(clause: Clause): string {
  const events = clause.events.map(printPattern).join(', ');
  if (clause.condition === null) return events;
  const condition = printCondition(clause.condition, 0);
  return events === '' ? condition : `${events}: ${condition}`;
}

const printPattern = ({ system, event }: EventPattern): string => (system === null ? event : `${system}/${event}`);

/** `above`: how tightly the surroundings bind; 1 or, 2 and, 3 not. */
export function printCondition(condition: Condition, above: number): string {
  switch (condition.kind) {
    case 'compare':
      // `!` before a test needs no parentheses to parse, but `!a == 1` reads as something else.
      return inParentheses(`${condition.field} ${condition.op} ${printValue(condition.value)}`, above >= 3);
    case 'not':
      return `!${printCondition(condition.operand, 3)}`;
    case 'and':
      return binary(condition, '&&', 2, above);
    case 'or':
      return binary(condition, '||', 1, above);
  }
}

function binary(node: { left: Condition; right: Condition }, op: string, own: number, above: number): string {
  return inParentheses(`${printCondition(node.left, own - 1)} ${op} ${printCondition(node.right, own)}`, own <= above);
}

const inParentheses = (text: string, wanted: boolean): string => (wanted ? `(${text})` : text);

export function printValue(value: Value): string {
  if (value.kind === 'text') return quoteString(value.text);
  return value.kind === 'word' ? value.name : value.text;
}
