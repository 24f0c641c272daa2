/**
 * Text that a person typed: filters, series expressions, plots. Parsing gives a Result with the position of the mistake, so
 * that an editor can underline it; inside a parser the mistake is thrown as TextMistake.
 */

export interface TextError {
  /** What is wrong and what is expected there. */
  message: string;
  /** Where it is, in UTF-16 units from the start of the text. */
  position: number;
  /** How much of the text is wrong; 0 where something is missing. */
  length: number;
}

export type Parsed<T> = { ok: true; ast: T } | { ok: false; error: TextError };

/** Where in the text a syntax node comes from: closed-open, in UTF-16 units. */
export interface TextSpan {
  start: number;
  end: number;
}

export class TextMistake extends Error {
  readonly position: number;
  readonly length: number;
  constructor(message: string, position: number, length = 0) {
    super(message);
    this.name = 'TextMistake';
    this.position = position;
    this.length = length;
  }
}

/** Runs a parser that throws TextMistake; every other error passes through. */
export function parsed<T>(parse: () => T): Parsed<T> {
  try {
    return { ok: true, ast: parse() };
  } catch (error) {
    if (!(error instanceof TextMistake)) throw error;
    return { ok: false, error: { message: error.message, position: error.position, length: error.length } };
  }
}

/** The character or word at a position, quoted for a message; `the end` behind the last one. */
export function quoteAt(text: string, position: number): string {
  const found = /^(?:[\p{L}\p{N}_]+|\S)/u.exec(text.slice(position).trimStart());
  return found === null ? 'the end' : `“${found[0]}”`;
}
