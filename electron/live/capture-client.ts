import { type ChildProcess, type ChildProcessByStdio, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { MachineOptions } from '../../shared/capture.ts';
import { type ErrorCode, RemoraError } from '../../shared/errors.ts';
import { removeStaleInstances, staleInstances } from './instance.ts';
import { LocalMachine } from './local-machine.ts';
import {
  type CaptureMessage,
  type CaptureOrder,
  type CaptureRequest,
  type CaptureStatus,
  captureMessage,
} from './protocol.ts';
import { ownRights, type Rights } from './rights.ts';
import { findTracefs } from './tracefs.ts';

type Message<T extends CaptureMessage['type']> = Extract<CaptureMessage, { type: T }>;
type Started = Message<'started'>;
type Stopped = Message<'stopped'>;

/** A running capture, as its parent sees it. */
export interface RunningCapture {
  /** Of the process that was started; behind sudo and pkexec it is theirs. */
  pid: number;
  started: Started;
  /** Asks it to stop; what comes of it is `ended`. */
  stop(): void;
  /** How it ended. Rejects with RemoraError where the process died without completing the recording. */
  ended: Promise<Stopped>;
}

/** Whom a capture process works for, and where. */
export interface CaptureTarget {
  /** The machine to trace; absent: this one. */
  host?: string | undefined;
  rights?: Rights;
}

/**
 * A capture process of this program. It has a session of its own, so that Ctrl+C in a terminal reaches it through us alone (but one
 * that sudo asked a password for shares the terminal); when we die, its input ends and it completes what it records. One request at
 * a time: the caller waits.
 */
export class CaptureProcess {
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #host: string | undefined;
  readonly #complaint: () => string;
  readonly #closed: Promise<string>;
  #listener: ((message: CaptureMessage) => void) | null = null;
  readonly #rights: Rights;
  #alive = true;
  #spoke = false;

  constructor(capturePath: string, { host, rights = ownRights }: CaptureTarget = {}) {
    this.#host = host;
    this.#rights = rights;
    const terminal = rights.by === 'sudo-terminal';
    const args = [capturePath];
    if (host !== undefined) args.push('--host', host);
    if (rights.by !== 'own') {
      const ids = [process.getuid?.(), process.getgid?.(), ...(process.getgroups?.() ?? [])];
      args.push('--for', ids.join(','), '--rights', rights.text);
    }
    if (terminal) args.push('--terminal');
    // sudo and pkexec clear the environment.
    const inside = ['/usr/bin/env', 'ELECTRON_RUN_AS_NODE=1', process.execPath, ...args];
    const [program, ...rest] = rights.by === 'own' ? [process.execPath, ...args] : [...rights.command, ...inside];
    const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
    const options = { env, detached: !terminal, stdio: ['pipe', 'pipe', 'pipe'] as ['pipe', 'pipe', 'pipe'] };
    this.#child = spawn(program as string, rest, options);
    // It may be gone before it has read; how it ended says more than a broken pipe.
    this.#child.stdin.on('error', () => {});
    this.#complaint = lastLines(this.#child);
    createInterface({ input: this.#child.stdout }).on('line', (line) => {
      const message = parse(line);
      if (message === undefined) return;
      this.#spoke = true;
      this.#listener?.(message);
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => resolve(error.message));
      this.#child.once('close', (code, signal) => resolve(signal ?? `exit code ${code}`));
    });
    void this.#closed.then(() => {
      this.#alive = false;
    });
  }

  get alive(): boolean {
    return this.#alive;
  }

  #send(request: CaptureRequest): void {
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
  }

  /** Sends a request and waits for an answer of this type. Rejects with what it could not do. `others` gets what else is said. */
  #ask<T extends CaptureMessage['type']>(
    request: CaptureRequest,
    type: T,
    others: (message: CaptureMessage) => void = () => {},
  ): Promise<Message<T>> {
    return new Promise((resolve, reject) => {
      this.#listener = (message) => {
        if (message.type === type) resolve(message as Message<T>);
        else if (message.type === 'failed') reject(failure(message));
        else others(message);
      };
      void this.#closed.then((how) => reject(this.#died(how)));
      this.#send(request);
    });
  }

  #died(how: string): RemoraError {
    const complaint = this.#complaint();
    // It never said a word: it was not begun.
    const refused = this.#rights.by !== 'own' && !this.#spoke;
    const why =
      complaint === '' ? how : refused ? complaint.split(/\s*\n\s*/).join('; ') : `${how}: ${lastLine(complaint)}`;
    const what = refused
      ? `the rights to trace were not given by ${this.#rights.command[0]}`
      : 'the capture process ended unexpectedly';
    return new RemoraError({ code: 'file', message: `${what} (${why})` });
  }

  /** What its machine can capture. */
  async options(): Promise<MachineOptions> {
    return (await this.#ask({ do: 'options' }, 'options')).options;
  }

  /** Instances of captures that were killed; `remove`: and takes them away. */
  async stale(remove: boolean): Promise<{ stale: string[]; removed: string[]; kept: string[] }> {
    const { stale, removed, kept } = await this.#ask({ do: 'stale', remove }, 'stale');
    return { stale, removed, kept };
  }

  /**
   * Begins a capture. `onStatus` is told now and then where the data is by now; `onDrained` when it is all there, before it is
   * moved to where it stays.
   */
  async capture(
    order: CaptureOrder,
    onStatus: (status: CaptureStatus) => void,
    onDrained: (status: CaptureStatus) => void = () => {},
  ): Promise<RunningCapture> {
    let listen: (message: CaptureMessage) => void = () => {};
    const ended = new Promise<Stopped>((resolve, reject) => {
      listen = (message) => {
        if (message.type === 'status') onStatus(message);
        else if (message.type === 'drained') {
          onDrained(message.status);
          this.#send({ do: 'complete' });
        } else if (message.type === 'stopped') resolve(message);
      };
      void this.#closed.then((how) => gone(order.path, how, this.#complaint(), this.#host)).then(reject, reject);
    });
    ended.catch(() => {});
    const started = await this.#ask({ do: 'capture', order }, 'started', listen);
    return { started, pid: this.#child.pid as number, stop: () => this.#send({ do: 'stop' }), ended };
  }

  /** Lets it go and waits until it is gone. */
  async close(): Promise<void> {
    this.#child.stdin.end();
    await this.#closed;
  }
}

/** One capture in a process of its own. */
export async function startCapture(
  capturePath: string,
  order: CaptureOrder,
  onStatus: (status: CaptureStatus) => void,
  onDrained: (status: CaptureStatus) => void = () => {},
  rights: Rights = ownRights,
): Promise<RunningCapture> {
  const process = new CaptureProcess(capturePath, { host: order.host, rights });
  try {
    const capture = await process.capture(order, onStatus, onDrained);
    const ended = capture.ended.finally(() => process.close());
    ended.catch(() => {});
    return { ...capture, ended };
  } catch (error) {
    await process.close();
    throw error;
  }
}

function failure({ detail: { code, ...detail } }: Message<'failed'>): RemoraError {
  return new RemoraError({ ...withoutUndefined(detail), message: detail.message, code: code as ErrorCode });
}

function parse(line: string): CaptureMessage | undefined {
  try {
    return captureMessage.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function lastLines(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-2000);
  });
  return () => text.trim();
}

const lastLine = (text: string): string => text.split('\n').at(-1) ?? '';

/** The process was killed: its instance is taken away here, as it could not. The other end of a connection does so by itself. */
async function gone(path: string, how: string, complaint: string, host: string | undefined): Promise<RemoraError> {
  let left = '';
  try {
    const machine = new LocalMachine();
    const root = host === undefined ? await findTracefs(machine) : null;
    const { kept } = root === null ? { kept: [] } : await removeStaleInstances(machine, root);
    if (root !== null && kept.length > 0)
      left = `; left behind in tracefs: ${(await staleInstances(machine, root)).join(', ')}`;
  } catch {
    // Whoever may not look there could not have made one.
  }
  const why = complaint === '' ? how : `${how}: ${lastLine(complaint)}`;
  return new RemoraError({
    code: 'file',
    message: `the capture process ended unexpectedly (${why}); \`remora record --recover ${path}\` completes what it wrote${left}`,
  });
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;
}
