import type { ByteSink } from './convert-output.ts';

const PIECE_CHARS = 1 << 18;

/** Collects text into large pieces of UTF-8. */
export class TextWriter {
  readonly #sink: ByteSink;
  #piece = '';

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  add(text: string): void {
    this.#piece += text;
    if (this.#piece.length >= PIECE_CHARS) this.flush();
  }

  flush(): void {
    if (this.#piece === '') return;
    this.#sink.write(Buffer.from(this.#piece, 'utf8'));
    this.#piece = '';
  }
}
