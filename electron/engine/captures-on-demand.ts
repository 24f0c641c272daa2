import type { Captures } from './captures.ts';
import type { Sessions } from './sessions.ts';

/** Captures, loaded with the first request for them: most engines never run one, and every start would wait for what it takes. */
export class CapturesOnDemand {
  readonly #sessions: Sessions;
  readonly #version: string;
  readonly #unwatchedMs: number | undefined;
  #loaded: Promise<Captures> | null = null;

  constructor(sessions: Sessions, version: string, unwatchedMs?: number) {
    this.#sessions = sessions;
    this.#version = version;
    this.#unwatchedMs = unwatchedMs;
  }

  get(): Promise<Captures> {
    this.#loaded ??= this.#load();
    return this.#loaded;
  }

  /** See Captures. */
  async untilComplete(path: string): Promise<void> {
    await (await this.#loaded)?.untilComplete(path);
  }
  async close(): Promise<void> {
    await (await this.#loaded)?.close();
  }

  async #load(): Promise<Captures> {
    const { Captures } = await import('./captures.ts');
    return new Captures(this.#sessions, this.#version, this.#unwatchedMs);
  }
}
