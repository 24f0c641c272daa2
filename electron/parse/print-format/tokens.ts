/**
 * Tokens of the expression language behind `print fmt:`, cut as libtraceevent cuts them (its event-parse.c is the
 * reference for what recordings print; the language has no other definition). Characters are bytes: everything outside
 * printable ASCII ends the text.
 */
export type TokenKind = 'item' | 'string' | 'character' | 'operator' | 'delimiter' | 'newline' | 'end';

export interface Token {
  kind: TokenKind;
  text: string;
}

export const is = (token: Token, kind: Token['kind'], text: string): boolean =>
  token.kind === kind && token.text === text;

const END: Token = { kind: 'end', text: '' };

/** Macros that kernels before 2.6.36 left unexpanded in mac80211's formats. */
const UNEXPANDED: Record<string, string> = {
  LOCAL_PR_FMT: '%s',
  STA_PR_FMT: ' sta:%pM',
  VIF_PR_FMT: ' vif:%p(%d)',
};

export class Tokens {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  /** The next token, spaces skipped; a line end is a token. */
  next(): Token {
    for (;;) {
      const token = this.#read();
      if (token !== null) return token;
    }
  }

  /** The next token, spaces and line ends skipped. */
  nextItem(): Token {
    for (;;) {
      const token = this.next();
      if (token.kind !== 'newline') return token;
    }
  }

  /** One token; null for a run of spaces. */
  #read(): Token | null {
    const text = this.#text;
    const start = this.#at;
    if (start >= text.length) return END;
    const first = text[start];
    const kind = kindOf(first);
    if (kind === 'none') return END;
    this.#at++;
    switch (kind) {
      case 'newline':
      case 'delimiter':
        return { kind, text: first };
      case 'operator':
        return { kind, text: this.#operator(first) };
      case 'string':
      case 'character':
        return this.#quoted(kind, first);
      default: {
        while (this.#at < text.length && kindOf(text[this.#at]) === kind) this.#at++;
        if (kind === 'space') return null;
        const item = text.slice(start, this.#at);
        const expanded = UNEXPANDED[item];
        return expanded === undefined ? { kind: 'item', text: item } : { kind: 'string', text: expanded };
      }
    }
  }

  #operator(first: string): string {
    const second = this.#text[this.#at];
    if (first === '-' && second === '>') {
      this.#at++;
      return '->';
    }
    if ('-+|&><'.includes(first)) {
      if (second === first) {
        this.#at++;
        return first === '>' || first === '<' ? this.#withEquals(first + first) : first + first;
      }
      return this.#withEquals(first);
    }
    return first === '!' || first === '=' ? this.#withEquals(first) : first;
  }

  #withEquals(operator: string): string {
    if (this.#text[this.#at] !== '=') return operator;
    this.#at++;
    return `${operator}=`;
  }

  /** Text in quotes, backslashes kept; strings that follow each other are one. A character that cannot be ends it too. */
  #quoted(kind: 'string' | 'character', quote: string): Token {
    const text = this.#text;
    let content = '';
    let current = quote;
    for (;;) {
      for (;;) {
        const last = current;
        if (this.#at >= text.length || text.charCodeAt(this.#at) > 127 || text[this.#at] === '\0') return END;
        current = text[this.#at++];
        const escaped = last === '\\' && current !== '\\';
        if (!((current !== quote && isPrint(current)) || escaped || current === '\n')) break;
        content += current;
      }
      if (kind === 'character') return { kind, text: content };
      let ahead = this.#at;
      while (ahead < text.length && isSpace(text[ahead])) ahead++;
      if (text[ahead] !== '"') return { kind, text: content };
      this.#at = ahead + 1;
      current = '"';
    }
  }
}

function kindOf(char: string): TokenKind | 'space' | 'none' {
  if (char === '\n') return 'newline';
  if (isSpace(char)) return 'space';
  if (/[A-Za-z0-9_]/.test(char)) return 'item';
  if (char === "'") return 'character';
  if (char === '"') return 'string';
  if (!isPrint(char)) return 'none';
  return char === '(' || char === ')' || char === ',' ? 'delimiter' : 'operator';
}

/** C's isspace and isprint in the C locale. */
export const isSpace = (char: string): boolean => char === ' ' || (char >= '\t' && char <= '\r');
export const isPrint = (char: string): boolean => char >= ' ' && char <= '~';
