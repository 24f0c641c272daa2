import type { TextSpan } from '../typed-text.ts';

/** Syntax tree of a series expression; the grammar is in parse.ts. Immutable; positions refer to the text that was parsed. */
export type Expression = NumberNode | FieldNode | UnaryNode | BinaryNode | CallNode;

export interface NumberNode extends TextSpan {
  kind: 'number';
  /** Finite and not negative: a sign is a UnaryNode. */
  value: number;
}

/** A field of the expression's event. Which event it is stands once, in SeriesExpression. */
export interface FieldNode extends TextSpan {
  kind: 'field';
  field: string;
}

export interface UnaryNode extends TextSpan {
  kind: 'unary';
  op: '-' | '!';
  operand: Expression;
}

export const binaryOps = ['||', '&&', '==', '!=', '<', '<=', '>', '>=', '+', '-', '*', '/', '%'] as const;
export type BinaryOp = (typeof binaryOps)[number];

export interface BinaryNode extends TextSpan {
  kind: 'binary';
  op: BinaryOp;
  left: Expression;
  right: Expression;
}

export const functionNames = ['min', 'max', 'abs', 'delta', 'rate'] as const;
export type FunctionName = (typeof functionNames)[number];

export interface CallNode extends TextSpan {
  kind: 'call';
  name: FunctionName;
  /** Two or more for `min` and `max`, one for the others. */
  args: Expression[];
}

/** The one event type whose fields an expression reads. */
export interface EventName {
  /** Null where only the event was named: the reader of the recording decides, if just one system has it. */
  system: string | null;
  event: string;
}

export interface SeriesExpression {
  event: EventName;
  root: Expression;
}

/** C's precedence, lowest first. */
export const precedence: Record<BinaryOp, number> = {
  '||': 1,
  '&&': 2,
  '==': 3,
  '!=': 3,
  '<': 4,
  '<=': 4,
  '>': 4,
  '>=': 4,
  '+': 5,
  '-': 5,
  '*': 6,
  '/': 6,
  '%': 6,
};
export const UNARY_PRECEDENCE = 7;

/** Fields of the event that the expression reads, each once, in order of first appearance. */
export function fieldsOf(expression: SeriesExpression): string[] {
  const found = new Set<string>();
  const visit = (node: Expression): void => {
    if (node.kind === 'field') found.add(node.field);
    else if (node.kind === 'unary') visit(node.operand);
    else if (node.kind === 'call') node.args.forEach(visit);
    else if (node.kind === 'binary') {
      visit(node.left);
      visit(node.right);
    }
  };
  visit(expression.root);
  return [...found];
}

/** A name that needs no quotes: fields, events, systems. Some start with a digit (`9p:9p_client_req`). */
export const plainName = /^\w+$/;
