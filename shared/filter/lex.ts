import { TextMistake, type TextSpan } from '../typed-text.ts';

export interface Token extends TextSpan {
  /** `word` is anything without quotes, white space and operators: a field, a number, `8:0`, `kworker/0:1`. */
  kind: 'word' | 'text' | 'op' | 'end';
  /** The word, the operator, or the string without its quotes. */
  text: string;
}

const word = /[^\s()&|!<>=~"';,]+/y;
const operator = /\|\||&&|==|!=|<=|>=|=~|!~|[=<>&~!();,]/y;

/** The token at or after `from`. A `|` alone, or the end of the text, is `end`. */
export function lex(text: string, from: number): Token {
  let start = from;
  while (start < text.length && /\s/.test(text[start])) start++;
  const match = (pattern: RegExp): string | null => {
    pattern.lastIndex = start;
    return pattern.exec(text)?.[0] ?? null;
  };
  if (start >= text.length) return { kind: 'end', text: '', start, end: start };
  if (text[start] === '"' || text[start] === "'") return lexString(text, start);
  const op = match(operator);
  if (op !== null) return { kind: 'op', text: op, start, end: start + op.length };
  const found = match(word);
  if (found !== null) return { kind: 'word', text: found, start, end: start + found.length };
  return { kind: 'end', text: text[start], start, end: start + 1 };
}

/** Backslash before the closing quote's character or a backslash takes its meaning; elsewhere it stays (`"\d+"`). */
function lexString(text: string, start: number): Token {
  const quote = text[start];
  let content = '';
  for (let i = start + 1; i < text.length; i++) {
    if (text[i] === quote) return { kind: 'text', text: content, start, end: i + 1 };
    if (text[i] === '\\' && (text[i + 1] === quote || text[i + 1] === '\\')) i++;
    content += text[i];
  }
  throw new TextMistake(`this string has no closing ${quote}`, start, text.length - start);
}

/** A string in double quotes that lexes to `content`. */
export const quoteString = (content: string): string => `"${content.replace(/\\(?=[\\"]|$)|"/g, '\\$&')}"`;
