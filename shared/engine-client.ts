import type { CallOptions, Engine, FromEngine, Method, Notice, Params, Result, ToEngine } from './api.ts';
import { RemoraError } from './errors.ts';

type ResultMessage = Extract<FromEngine, { kind: 'result' | 'error' }>;

/** An engine that says nothing for this long after it was told to cancel is taken for hung. */
export const SILENCE_AFTER_CANCEL_MS = 20_000;

interface PendingCall {
  settle(message: ResultMessage): void;
  progress(message: Extract<FromEngine, { kind: 'progress' }>): void;
}

/**
 * The caller's end of a connection to an engine, over any channel: what the window, the browser tab and the command
 * line call. Numbers the requests, reports progress, turns an AbortSignal into a cancel and error messages into
 * RemoraErrors. The channel's owner passes on what arrives (`receive`) and says when it has ended (`disconnect`); the
 * client may then be given another channel (`reconnect`).
 */
export class EngineClient implements Engine {
  readonly #pending = new Map<number, PendingCall>();
  readonly #noticeListeners = new Set<(notice: Notice) => void>();
  readonly #onSilence: (() => void) | null;
  #silence: ReturnType<typeof setTimeout> | undefined;
  #nextId = 1;
  #send: ((message: ToEngine) => void) | null;

  /**
   * Without `send`, calls fail with `engine-gone` until `reconnect`. `onSilence` is called when the engine seems to
   * hang; by whoever can end it.
   */
  constructor(send: ((message: ToEngine) => void) | null = null, onSilence: (() => void) | null = null) {
    this.#send = send;
    this.#onSilence = onSilence;
  }

  /**
   * Rejects with a RemoraError. An aborted call rejects with `cancelled` at once; the engine ends its work when it next
   * looks, and what it still sends for that call is dropped.
   */
  call<M extends Method>(method: M, params: Params<M>, options: CallOptions = {}): Promise<Result<M>> {
    const { signal, onProgress } = options;
    return new Promise((resolve, reject) => {
      const send = this.#send;
      if (signal?.aborted) return reject(cancelled());
      if (send === null) return reject(gone('The connection to the engine is closed.'));
      const id = this.#nextId++;
      const abort = (): void => {
        this.#pending.delete(id);
        reject(cancelled());
        // The channel may have ended, or been replaced, since the request was sent.
        if (this.#send !== send) return;
        send({ kind: 'cancel', id });
        if (this.#onSilence !== null) this.#silence ??= setTimeout(this.#onSilence, SILENCE_AFTER_CANCEL_MS);
      };
      this.#pending.set(id, {
        settle: (message) => {
          this.#pending.delete(id);
          signal?.removeEventListener('abort', abort);
          if (message.kind === 'result') resolve(message.result as Result<M>);
          else reject(new RemoraError(message.error));
        },
        progress: (message) => onProgress?.(message.progress),
      });
      signal?.addEventListener('abort', abort, { once: true });
      send({ kind: 'request', id, method, params });
    });
  }

  /** Takes one message from the channel. */
  receive(message: FromEngine): void {
    this.#hear();
    if (message.kind === 'notice') this.notify(message.notice);
    else if (message.kind === 'progress') this.#pending.get(message.id)?.progress(message);
    else this.#pending.get(message.id)?.settle(message);
  }

  /** Tells every listener; also for hosts that have something to say for themselves. */
  notify(notice: Notice): void {
    for (const listener of [...this.#noticeListeners]) listener(notice);
  }

  /** Returns a function that ends the subscription. */
  onNotice(listener: (notice: Notice) => void): () => void {
    this.#noticeListeners.add(listener);
    return () => this.#noticeListeners.delete(listener);
  }

  /** The channel has ended: everything that waits for an answer is rejected with `engine-gone`. */
  disconnect(reason: string): void {
    this.#hear();
    this.#send = null;
    for (const id of [...this.#pending.keys()]) {
      this.#pending.get(id)?.settle({ kind: 'error', id, error: gone(reason).detail });
    }
  }

  /** Uses another channel from now on. Calls made over the last one are rejected first. */
  reconnect(send: (message: ToEngine) => void, reason = 'The connection to the engine was replaced.'): void {
    this.disconnect(reason);
    this.#send = send;
  }

  /** Something was heard, or nothing can be expected any more. */
  #hear(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }
}

const cancelled = (): RemoraError => new RemoraError({ code: 'cancelled', message: 'Cancelled.' });
const gone = (message: string): RemoraError => new RemoraError({ code: 'engine-gone', message });
