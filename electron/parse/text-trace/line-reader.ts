import { type Annotation, endsAnyText, readAnnotation } from './annotation.ts';
import { readBody, type TextBody } from './body.ts';
import { Continuation } from './continuation.ts';
import type { TextDialect } from './dialect.ts';
import { readLine } from './forms.ts';
import type { TraceLine } from './line.ts';

/** `more`: belongs to the event above; `damaged`: none of the others. */
type LineKind = 'event' | 'annotation' | 'more' | 'blank' | 'damaged';

const HASH = 0x23;

/** Tells what each line of a text is, given the lines above. The one place that decides: scan and payload agree by it. */
export class LineReader {
  readonly #dialect: TextDialect;
  readonly #continuation = new Continuation();
  /** What the last annotation said. */
  annotation: Annotation = { kind: 'other' };

  constructor(dialect: TextDialect) {
    this.#dialect = dialect;
  }

  /** What follows belongs to no event above. */
  reset(): void {
    this.#continuation.end();
  }

  /** The kind of the line `bytes[from, to)`, which is without its end; an event's is read into `line`. */
  read(bytes: Uint8Array, from: number, to: number, line: TraceLine): LineKind {
    const header = from < to && bytes[from] === HASH;
    if (!header && readLine(bytes, from, to, this.#dialect.forms, line)) return 'event';
    if (header && endsAnyText(bytes, from, to)) this.#continuation.end();
    // A marker's text may have lines that begin with #; what trace-cmd says about lost events it has not.
    const said = header ? null : readAnnotation(bytes, from, to);
    if (said === null && this.#continuation.takes(bytes, from, to)) return 'more';
    const annotation = header ? readAnnotation(bytes, from, to) : said;
    this.#continuation.end();
    if (annotation === null) return from < to ? 'damaged' : 'blank';
    this.annotation = annotation;
    return 'annotation';
  }

  /** Reads an event's own text. */
  body(bytes: Uint8Array, line: TraceLine, body: TextBody): void {
    readBody(bytes, line, this.#dialect.infoColumn, body);
  }

  /** Tells which event the lines that follow may belong to. */
  begin(id: number, name: string, bytes: Uint8Array, body: TextBody): void {
    this.#continuation.begin(id, name, bytes, body);
  }
}
