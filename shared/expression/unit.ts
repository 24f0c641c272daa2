import { dimensionOf, ratePerSecond } from '../units.ts';
import type { Expression, SeriesExpression } from './ast.ts';

/**
 * Unit of an expression's values, given the units of its fields; empty for a bare number, also where the parts do not fit
 * together (pages + ms) or a unit is multiplied: `dirty * 4` may be KiB, but nothing says so.
 */
export function unitOfExpression(expression: SeriesExpression, unitOfField: (field: string) => string): string {
  const unitOf = (node: Expression): string => {
    switch (node.kind) {
      case 'number':
        return '';
      case 'field':
        return unitOfField(node.field);
      case 'unary':
        return node.op === '-' ? unitOf(node.operand) : '';
      case 'call': {
        if (node.name === 'rate') return ratePerSecond(unitOf(node.args[0]));
        return common(node.args);
      }
      case 'binary':
        switch (node.op) {
          case '+':
          case '-':
          case '%':
            return common([node.left, node.right]);
          case '/': {
            const [above, below] = [unitOf(node.left), unitOf(node.right)];
            return above !== '' && above === below ? 'ratio' : '';
          }
          default:
            return '';
        }
    }
  };
  /** The unit that all parts have; a literal number takes that of the others. */
  const common = (parts: Expression[]): string => {
    const units = new Set(parts.filter((part) => part.kind !== 'number').map(unitOf));
    return units.size === 1 ? [...units][0] : '';
  };
  const unit = unitOf(expression.root);
  return dimensionOf(unit) === null ? '' : unit;
}
