import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';

/** Waiting for what a window needs. */
export interface PrepareOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

const cancelled = (): RemoraError => new RemoraError({ code: 'cancelled', message: 'the request was cancelled' });

/** Makes something: awaits `nextTurn` now and then, which gives others their turn, and throws where nobody waits any more. */
export type MakeInTurns<T> = (nextTurn: () => Promise<void>, onProgress: (progress: Progress) => void) => Promise<T>;

/** Turns of work that one caller alone waits for: throws `cancelled` by its signal. */
export const ownTurns = ({ signal }: PrepareOptions): Turns =>
  new Turns(async () => {
    await new Promise(setImmediate);
    if (signal?.aborted) throw cancelled();
  });

/** Nobody waited for it any more. */
class GivenUp extends Error {}

/** Work that nobody waits for any more goes on for this long: who looks around asks again and again. */
const ALONE_MS = 2000;

/**
 * Something that takes seconds, is made once, and may be wanted by several at a time: they wait for the same, each may stop waiting, and
 * when nobody waits it is given up, and begun anew when it is wanted again.
 */
export class SharedWork<T> {
  readonly #make: MakeInTurns<T>;
  readonly #listeners = new Set<(progress: Progress) => void>();
  #running: Promise<T> | null = null;
  #waiting = 0;
  #aloneSinceMs = 0;

  constructor(make: MakeInTurns<T>) {
    this.#make = make;
  }

  /** Nobody waits, and nothing goes on. */
  get isIdle(): boolean {
    return this.#waiting === 0 && this.#running === null;
  }

  /** Throws `cancelled` by the caller's signal, and what making it throws. */
  async wait({ signal, onProgress }: PrepareOptions): Promise<T> {
    let abort = (): void => {};
    const aborted = new Promise<never>((_, reject) => {
      abort = () => reject(cancelled());
      signal?.addEventListener('abort', abort);
      if (signal?.aborted) abort();
    });
    if (onProgress !== undefined) this.#listeners.add(onProgress);
    this.#waiting++;
    try {
      // Of one that was given up just now, another is begun.
      for (;;) {
        try {
          return await Promise.race([this.#start(), aborted]);
        } catch (error) {
          if (!(error instanceof GivenUp)) throw error;
        }
      }
    } finally {
      signal?.removeEventListener('abort', abort);
      if (onProgress !== undefined) this.#listeners.delete(onProgress);
      this.#waiting--;
      this.#aloneSinceMs = performance.now();
    }
  }

  #start(): Promise<T> {
    this.#running ??= this.#make(
      () => this.#turn(),
      (progress) => {
        for (const listener of this.#listeners) listener(progress);
      },
    ).finally(() => {
      this.#running = null;
    });
    // Who began it may have stopped waiting when it fails.
    this.#running.catch(() => {});
    return this.#running;
  }

  async #turn(): Promise<void> {
    await new Promise(setImmediate);
    if (this.#waiting === 0 && performance.now() - this.#aloneSinceMs > ALONE_MS) throw new GivenUp();
  }
}

/** Large work goes on for about this long between two turns of the event loop. */
const TURN_MS = 25;

/** Says when others should have their turn, and gives it to them. */
export class Turns {
  readonly #next: () => Promise<void>;
  #since = performance.now();

  /** `next`: as SharedWork gives it. */
  constructor(next: () => Promise<void>) {
    this.#next = next;
  }

  get isDue(): boolean {
    return performance.now() - this.#since >= TURN_MS;
  }

  async take(): Promise<void> {
    await this.#next();
    this.#since = performance.now();
  }
}
