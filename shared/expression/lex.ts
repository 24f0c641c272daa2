import { TextMistake, type TextSpan } from '../typed-text.ts';

export interface Token extends TextSpan {
  /** `op` includes punctuation; `end` also stands for a character that no expression holds, so that a prefix can be parsed. */
  kind: 'number' | 'name' | 'op' | 'end';
  /** The operator, or the name without its quotes. */
  text: string;
  /** Value of a number. */
  value: number;
  quoted: boolean;
}

// Decimal, hexadecimal or scientific; k M G T are powers of 1000, Ki Mi Gi Ti of 1024.
const number = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?(?:[kKMGT]i?)?)(?!\w)/y;
const name = /\w+/y;
const operator = /\|\||&&|[=!<>]=|[-+*/%<>!(),.:]/y;
const scale: Record<string, number> = { k: 1, K: 1, M: 2, G: 3, T: 4 };

/** The token at or after `from`; white space is skipped. */
export function lex(text: string, from: number): Token {
  let start = from;
  while (start < text.length && /\s/.test(text[start])) start++;
  const token = (kind: Token['kind'], end: number, content = text.slice(start, end)): Token => ({
    kind,
    text: content,
    value: 0,
    quoted: false,
    start,
    end,
  });
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = start;
    return pattern.exec(text)?.[0] ?? null;
  };
  if (start >= text.length) return token('end', start);
  const digits = match(number);
  if (digits !== null) return { ...token('number', start + digits.length), value: numberValue(digits) };
  const word = match(name);
  if (word !== null) return token('name', start + word.length);
  if (text[start] === '`') {
    const close = text.indexOf('`', start + 1);
    if (close < 0) throw new TextMistake('this name has no closing `', start, text.length - start);
    if (close === start + 1) throw new TextMistake('this name is empty', start, 2);
    return { ...token('name', close + 1, text.slice(start + 1, close)), quoted: true };
  }
  const op = match(operator);
  return op === null ? token('end', start) : token('op', start + op.length);
}

function numberValue(text: string): number {
  if (/^0[xX]/.test(text)) return Number(text);
  const [, digits, suffix] = /^(.*?)([kKMGT]i?)?$/.exec(text) as RegExpExecArray;
  if (suffix === undefined) return Number(digits);
  return Number(digits) * (suffix.endsWith('i') ? 1024 : 1000) ** scale[suffix[0]];
}
