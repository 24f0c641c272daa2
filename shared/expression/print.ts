import { type Expression, plainName, precedence, type SeriesExpression, UNARY_PRECEDENCE } from './ast.ts';

/**
 * The text of an expression: parsing it gives the same tree. The first field carries the event, parentheses stand only
 * where the tree needs them.
 */
export function printExpression({ event, root }: SeriesExpression): string {
  const system = event.system === null ? '' : `${quoteName(event.system)}:`;
  let prefix = `${system}${quoteName(event.event)}.`;

  const print = (node: Expression, above: number): string => {
    switch (node.kind) {
      case 'number':
        return printNumber(node.value);
      case 'field': {
        const text = prefix + quoteName(node.field);
        prefix = '';
        return text;
      }
      case 'call':
        return `${node.name}(${node.args.map((arg) => print(arg, 0)).join(', ')})`;
      case 'unary':
        return `${node.op}${print(node.operand, UNARY_PRECEDENCE)}`;
      case 'binary': {
        const own = precedence[node.op];
        // All operators bind to the left: an equal one on the right needs its parentheses.
        const text = `${print(node.left, own - 1)} ${node.op} ${print(node.right, own)}`;
        return own <= above ? `(${text})` : text;
      }
    }
  };
  return print(root, 0);
}

/** Digits without suffix; exact. */
const printNumber = (value: number): string => value.toString();

/** A name as the grammar wants it: in backticks unless it is plain and no number. */
export function quoteName(name: string): string {
  return plainName.test(name) && !looksNumeric(name) ? name : `\`${name}\``;
}

const looksNumeric = (name: string): boolean => /^(?:0[xX][0-9a-fA-F]+|\d+(?:[eE]\d+)?(?:[kKMGT]i?)?)$/.test(name);
