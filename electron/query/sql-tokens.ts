/**
 * SQL text cut into tokens as SQLite's tokenizer does it (https://www.sqlite.org/lang_keywords.html, src/tokenize.c), for
 * looking at a query before SQLite gets it. Never fails: what is no token is an operator of one character, and SQLite will
 * say what is wrong with it.
 */
export interface SqlToken {
  kind: 'name' | 'text' | 'number' | 'parameter' | 'operator';
  /**
   * Of a bare name or an operator: as written, in lower case; of a quoted name and of text: without its quotes; else as
   * written.
   */
  value: string;
  /** A name in quotes is never a keyword. */
  quoted: boolean;
  /** `[at, end)` in the text, in UTF-16 units. */
  at: number;
  end: number;
}

const SPACE_OR_COMMENT = /(?:[ \t\n\f\r]+|--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))+/y;
/** Order matters: a blob literal begins like a name, a number like an operator. */
const TOKENS: [kind: SqlToken['kind'], pattern: RegExp][] = [
  ['number', /0[xX][0-9a-fA-F_]+|(?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d[\d_]*)?/y],
  ['parameter', /\?\d*|[@:$#][A-Za-z_$\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['text', /[xX]?'(?:[^']|'')*'/y],
  ['name', /"(?:[^"]|"")*"|`(?:[^`]|``)*`|\[[^\]]*\]|[A-Za-z_\u0080-\uffff][\w$\u0080-\uffff]*/y],
  ['operator', /->>|->|\|\||<<|>>|<=|>=|<>|!=|==|[\s\S]/y],
];

export function sqlTokens(text: string): SqlToken[] {
  const tokens: SqlToken[] = [];
  let at = 0;
  while (at < text.length) {
    SPACE_OR_COMMENT.lastIndex = at;
    at += SPACE_OR_COMMENT.exec(text)?.[0].length ?? 0;
    for (const [kind, pattern] of TOKENS) {
      pattern.lastIndex = at;
      const found = pattern.exec(text)?.[0];
      if (found === undefined) continue;
      tokens.push({ kind, ...tokenValue(kind, found), at, end: at + found.length });
      at += found.length;
      break;
    }
  }
  return tokens;
}

function tokenValue(kind: SqlToken['kind'], found: string): Pick<SqlToken, 'value' | 'quoted'> {
  const first = found[0] as string;
  if (kind === 'name' && '"`['.includes(first)) {
    const inner = found.slice(1, -1);
    return { value: first === '[' ? inner : inner.replaceAll(first + first, first), quoted: true };
  }
  if (kind === 'text' && first === "'") return { value: found.slice(1, -1).replaceAll("''", "'"), quoted: true };
  return { value: kind === 'name' || kind === 'operator' ? found.toLowerCase() : found, quoted: false };
}

/** True for a bare name that is this keyword; keywords in lower case. */
export function isWord(token: SqlToken | undefined, ...keywords: string[]): boolean {
  return token !== undefined && token.kind === 'name' && !token.quoted && keywords.includes(token.value);
}

export const isOperator = (token: SqlToken | undefined, ...operators: string[]): boolean =>
  token !== undefined && token.kind === 'operator' && operators.includes(token.value);

/** An identifier for SQLite. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
