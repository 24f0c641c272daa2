import { type ChildProcess, fork } from 'node:child_process';
import type { FromEngine, ToEngine } from '../../shared/api.ts';
import { SILENCE_AFTER_CANCEL_MS } from '../../shared/engine-client.ts';
import { type EngineSeat, SharedEngine } from './sharing.ts';

/** How long a closing engine may take to write what it has. */
const CLOSE_MS = 5_000;

export interface EngineHostOptions {
  /** The built engine: `dist/engine.js`. */
  entry: string;
  env?: NodeJS.ProcessEnv;
  /** An engine that is silent for this long after somebody cancelled is taken for hung, and ended. */
  silenceMs?: number;
}

/**
 * The engine in a child process, for hosts without Electron. Starts it with the first request, shares it between
 * clients, and after a crash fails what was running, says `engine-restarted` and starts another with the next request:
 * an engine that dies at once therefore costs one error per request, and never spins.
 */
export class EngineHost {
  readonly #options: EngineHostOptions;
  readonly #shared = new SharedEngine((message) => this.#sendToChild(message));
  #child: ChildProcess | null = null;
  #closing = false;
  #silence: NodeJS.Timeout | undefined;

  constructor(options: EngineHostOptions) {
    this.#options = options;
  }

  /** The engine's process id, or null while none runs. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }

  /** Adds a client; `reply` gets what the engine says to it. */
  join(reply: (message: FromEngine) => void): EngineSeat {
    return this.#shared.join(reply);
  }

  /** Lets the engine finish writing and end; ends it by force when it takes too long. */
  async close(): Promise<void> {
    this.#closing = true;
    this.#hear();
    const child = this.#child;
    if (child === null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    const force = setTimeout(() => child.kill('SIGKILL'), CLOSE_MS);
    if (child.connected) child.disconnect(); // the engine takes this as its order to close
    await ended;
    clearTimeout(force);
  }

  #sendToChild(message: ToEngine): void {
    if (message.kind === 'cancel') {
      if (this.#child !== null) this.#expectSignOfLife();
      else return;
    } else if (this.#closing) {
      this.#shared.receive({
        kind: 'error',
        id: message.id,
        error: { code: 'engine-gone', message: 'Remora is closing.' },
      });
      return;
    }
    this.#child ??= this.#start();
    // A failed send means that the child is ending: its exit fails the request.
    this.#child.send(message, () => {});
  }

  #start(): ChildProcess {
    const child = fork(this.#options.entry, [], {
      serialization: 'advanced',
      env: this.#options.env ?? process.env,
      execArgv: [],
      // Standard output belongs to the command line's own answer.
      stdio: ['ignore', 2, 2, 'ipc'],
    });
    let failure = '';
    child.on('error', (error) => {
      failure = error.message;
      // A process that could not be started has no exit.
      if (child.pid === undefined) this.#ended(failure);
    });
    child.on('message', (message) => {
      this.#hear();
      this.#shared.receive(message as FromEngine);
    });
    child.once('exit', (code, signal) => this.#ended(failure || (signal ? `signal ${signal}` : `exit code ${code}`)));
    return child;
  }

  #ended(why: string): void {
    this.#child = null;
    this.#hear();
    const reason = `The engine process ended (${why}) and is started again. Annotations are kept; repeat what you were doing.`;
    this.#shared.failAll(reason);
    if (!this.#closing) this.#shared.receive({ kind: 'notice', notice: { kind: 'engine-restarted', reason } });
  }

  #expectSignOfLife(): void {
    this.#silence ??= setTimeout(
      () => this.#child?.kill('SIGKILL'),
      this.#options.silenceMs ?? SILENCE_AFTER_CANCEL_MS,
    );
  }

  #hear(): void {
    clearTimeout(this.#silence);
    this.#silence = undefined;
  }
}
