import type { BinaryOp, Expression } from './ast.ts';

/** The operators of series expressions as loops over columns. What they mean: see compile.ts. */
export type UnaryOp = '-' | '!' | 'abs';

/** `out[i] = op a[i]` for the first `n`; `out` may be `a`. */
export function applyUnary(op: UnaryOp, a: Float64Array, n: number, out: Float64Array): void {
  switch (op) {
    case '-':
      for (let i = 0; i < n; i++) out[i] = -a[i];
      return;
    case 'abs':
      for (let i = 0; i < n; i++) out[i] = Math.abs(a[i]);
      return;
    case '!':
      for (let i = 0; i < n; i++) out[i] = Number.isNaN(a[i]) ? a[i] : +(a[i] === 0);
  }
}

/** `out[i] = a[i] op b[i]` for the first `n`; `out` may be `a` or `b`. */
export function applyBinary(
  op: BinaryOp | 'min' | 'max',
  a: Float64Array,
  b: Float64Array,
  n: number,
  out: Float64Array,
): void {
  switch (op) {
    case '+':
      for (let i = 0; i < n; i++) out[i] = a[i] + b[i];
      return;
    case '-':
      for (let i = 0; i < n; i++) out[i] = a[i] - b[i];
      return;
    case '*':
      for (let i = 0; i < n; i++) out[i] = a[i] * b[i];
      return;
    case '/':
      for (let i = 0; i < n; i++) out[i] = b[i] === 0 ? Number.NaN : a[i] / b[i];
      return;
    case '%':
      for (let i = 0; i < n; i++) out[i] = a[i] % b[i];
      return;
    case 'min':
      for (let i = 0; i < n; i++) out[i] = Math.min(a[i], b[i]);
      return;
    case 'max':
      for (let i = 0; i < n; i++) out[i] = Math.max(a[i], b[i]);
      return;
    default:
      applyTest(op, a, b, n, out);
  }
}

type Test = Exclude<BinaryOp, '+' | '-' | '*' | '/' | '%'>;

function applyTest(op: Test, a: Float64Array, b: Float64Array, n: number, out: Float64Array): void {
  const none = Number.NaN;
  switch (op) {
    case '==':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] === b[i]) : none;
      return;
    case '!=':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] !== b[i]) : none;
      return;
    case '<':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] < b[i]) : none;
      return;
    case '<=':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] <= b[i]) : none;
      return;
    case '>':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] > b[i]) : none;
      return;
    case '>=':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] >= b[i]) : none;
      return;
    case '&&':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] !== 0 && b[i] !== 0) : none;
      return;
    case '||':
      for (let i = 0; i < n; i++) out[i] = known(a[i], b[i]) ? +(a[i] !== 0 || b[i] !== 0) : none;
  }
}

/** Neither is NaN. */
const known = (a: number, b: number): boolean => !(Number.isNaN(a) || Number.isNaN(b));

/** The same expression with every part that reads no field computed. A part without a value (`1 / 0`) stays as it is. */
export function foldConstants(node: Expression): Expression {
  const { start, end } = node;
  const folded = (compute: (out: Float64Array) => void, otherwise: Expression): Expression => {
    const out = new Float64Array(1);
    compute(out);
    const value = out[0];
    return Number.isFinite(value) ? { kind: 'number', value, start, end } : otherwise;
  };
  switch (node.kind) {
    case 'number':
    case 'field':
      return node;
    case 'unary': {
      const operand = foldConstants(node.operand);
      const same: Expression = { ...node, operand };
      if (operand.kind !== 'number') return same;
      return folded((out) => applyUnary(node.op, Float64Array.of(operand.value), 1, out), same);
    }
    case 'binary': {
      const left = foldConstants(node.left);
      const right = foldConstants(node.right);
      const same: Expression = { ...node, left, right };
      if (left.kind !== 'number' || right.kind !== 'number') return same;
      return folded(
        (out) => applyBinary(node.op, Float64Array.of(left.value), Float64Array.of(right.value), 1, out),
        same,
      );
    }
    case 'call':
      return { ...node, args: node.args.map(foldConstants) };
  }
}
