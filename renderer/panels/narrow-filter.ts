import { parseFilter } from '../../shared/filter/parse.ts';
import { printCondition, printFilter } from '../../shared/filter/print.ts';

/**
 * A filter that passes what `text` passes and `test` too; `test` alone where `text` is empty or does not parse. A
 * clause that names events keeps them, so the result reads as the user wrote it.
 */
export function narrowFilter(text: string, test: string): string {
  const known = parseFilter(text);
  if (!known.ok || known.ast.clauses.length === 0) return test;
  return known.ast.clauses
    .map((clause) => {
      const events = printFilter({ clauses: [{ ...clause, condition: null }] });
      const condition = clause.condition === null ? test : `${printCondition(clause.condition, 1)} && ${test}`;
      return events === '' ? condition : `${events}: ${condition}`;
    })
    .join('; ');
}
