import { call, reportError } from './connection.ts';

/** `overdue`: the engine has been asked for what is there, and has not answered for a while. */
export type Stopping = 'no' | 'asked' | 'overdue';

/** An engine stops between two pieces of its work, which takes some tenths of a second. */
const OVERDUE_MS = 1500;

/**
 * Indexing that goes on in the engine for this window. Whoever stops it gets what is indexed by then; whoever asks again
 * when the engine does not answer gives that up.
 */
export class StoppableIndexing {
  /** What the engine knows it by. */
  readonly name = crypto.getRandomValues(new Uint32Array(4)).join('-');
  readonly #tell: (stopping: Stopping) => void;
  readonly #controller = new AbortController();
  #stopping: Stopping = 'no';
  #asked = false;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** `tell` is called with every change of its state. */
  constructor(tell: (stopping: Stopping) => void) {
    this.#tell = tell;
  }

  /** Aborted when nobody waits for an answer any more. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The engine has been asked for it. */
  begin(): void {
    this.#asked = true;
  }

  stop(): void {
    if (this.#stopping === 'asked') return;
    if (this.#stopping === 'overdue' || !this.#asked) {
      this.giveUp();
      return;
    }
    this.#become('asked');
    this.#timer = setTimeout(() => this.#become('overdue'), OVERDUE_MS);
    call('stopIndexing', { opening: this.name }).catch(reportError);
  }

  giveUp(): void {
    this.#controller.abort();
  }

  /** To be called when it has ended, however. */
  end(): void {
    clearTimeout(this.#timer);
  }

  #become(stopping: Stopping): void {
    this.#stopping = stopping;
    this.#tell(stopping);
  }
}
