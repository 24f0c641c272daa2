import fc from 'fast-check';
import { binaryOps, type Expression, type SeriesExpression } from '../../../shared/expression/ast.ts';

/** Random syntax trees; positions are all 0, as printing does not look at them. */
const at = { start: 0, end: 0 };
const name = fc.oneof(
  fc.constantFrom('dirty', 'limit', 'wb_dirty', 'min', 'rate', 'x', '9p_tag', '_'),
  fc.constantFrom('by', 'where', '4k', '12', '0x1f', 'odd-name', 'with space', 'é', '1e3'),
);
const plain = fc.constantFrom('dirty', 'limit', 'wb_dirty', 'x');
const number = fc.oneof(fc.nat(), fc.double({ min: 0, noNaN: true, noDefaultInfinity: true }).map(Math.abs));

const trees = (field: fc.Arbitrary<string>) =>
  fc.letrec<{ node: Expression }>((tie) => ({
    node: fc.oneof(
      { depthSize: 'small', withCrossShrink: true },
      number.map((value): Expression => ({ kind: 'number', value, ...at })),
      field.map((field): Expression => ({ kind: 'field', field, ...at })),
      fc
        .tuple(fc.constantFrom('-' as const, '!' as const), tie('node'))
        .map(([op, operand]): Expression => ({ kind: 'unary', op, operand, ...at })),
      fc
        .tuple(fc.constantFrom(...binaryOps), tie('node'), tie('node'))
        .map(([op, left, right]): Expression => ({ kind: 'binary', op, left, right, ...at })),
      fc
        .tuple(fc.constantFrom('min' as const, 'max' as const), fc.array(tie('node'), { minLength: 2, maxLength: 4 }))
        .map(([name, args]): Expression => ({ kind: 'call', name, args, ...at })),
      fc
        .tuple(fc.constantFrom('abs' as const, 'delta' as const, 'rate' as const), tie('node'))
        .map(([name, arg]): Expression => ({ kind: 'call', name, args: [arg], ...at })),
    ),
  })).node;

const hasField = (node: Expression): boolean =>
  node.kind === 'field' ||
  (node.kind === 'unary' && hasField(node.operand)) ||
  (node.kind === 'binary' && (hasField(node.left) || hasField(node.right))) ||
  (node.kind === 'call' && node.args.some(hasField));

/** Any expression that reads a field, with odd names. */
export const anyExpression: fc.Arbitrary<SeriesExpression> = fc.record({
  event: fc.record({ system: fc.option(name), event: name }),
  root: trees(name).filter(hasField),
});

/** Expressions over the fields dirty, limit, wb_dirty and x. */
export const plainExpression: fc.Arbitrary<SeriesExpression> = fc.record({
  event: fc.constant({ system: 'writeback', event: 'balance_dirty_pages' }),
  root: trees(plain).filter(hasField),
});

/** The tree without positions. */
export function bare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(bare);
  if (value === null || typeof value !== 'object') return value;
  return Object.fromEntries(
    Object.entries(value)
      .filter(([key]) => key !== 'start' && key !== 'end')
      .map(([key, inner]) => [key, bare(inner)]),
  );
}
