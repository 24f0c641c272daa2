import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { Progress, SqlCell } from '../../shared/api.ts';
import { type ErrorDetail, RemoraError } from '../../shared/errors.ts';
import { codeCacheFolder } from '../code-cache.ts';
import type { OpenRequest } from './open.ts';

/** How another process opens the workspace that is open here. */
export type SqlOpen = Pick<OpenRequest, 'paths' | 'workspace' | 'memoryPageBytes' | 'cacheFolder'> & {
  cgroups?: string | undefined;
};

/** What a process is for. `scratch`: a folder for this order alone, which is removed with the process. */
export type SqlOrder = SqlTask & { open: SqlOpen; scratch: string };
export type SqlTask = { kind: 'query'; query: string; maxRows: number } | { kind: 'materialize'; path: string };

export type ToSqlProcess = SqlOrder | { kind: 'more' };
export type FromSqlProcess =
  | { kind: 'opened' }
  | { kind: 'columns'; columns: string[] }
  | { kind: 'rows'; rows: SqlCell[][] }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'end'; truncated: boolean }
  | { kind: 'error'; error: ErrorDetail };

export interface SqlListeners {
  /** The process has the workspace open. */
  onOpened(): void;
  onColumns?(columns: string[]): void | Promise<void>;
  /** The next rows; more are made while a promise is waited for, but not many. */
  onRows?(rows: SqlCell[][]): void | Promise<void>;
  onProgress?(progress: Progress): void;
}

export interface SqlLimits {
  signal: AbortSignal;
  /** The process is ended when it takes longer; Infinity: never. */
  timeoutMs: number;
}

/** Runs one order in a process of its own and ends that, whatever happens: it is gone when this returns. */
export async function runOrder(
  order: SqlOrder,
  { signal, timeoutMs }: SqlLimits,
  listeners: SqlListeners,
): Promise<{ truncated: boolean }> {
  if (signal.aborted) throw cancelled();
  const child = start();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // A process that could not be started has no exit.
    child.once('error', () => child.pid === undefined && resolve());
  });
  let timer: NodeJS.Timeout | undefined;
  let stop = (): void => {};
  try {
    return await new Promise((resolve, reject) => {
      stop = () => reject(cancelled());
      signal.addEventListener('abort', stop);
      if (Number.isFinite(timeoutMs)) timer = setTimeout(() => reject(tooLong(timeoutMs)), timeoutMs);
      child.once('error', reject);
      exited.then(() => reject(ended(child)));
      // One message after the other, also where one has to be waited for.
      let handled = Promise.resolve();
      child.on('message', (message: FromSqlProcess) => {
        handled = handled
          .then(() => take(message, child, listeners))
          .then((end) => end && resolve(end))
          .catch(reject);
      });
      child.send(order, (error) => error && reject(error));
    });
  } finally {
    signal.removeEventListener('abort', stop);
    clearTimeout(timer);
    child.kill('SIGKILL');
    await exited;
  }
}

async function take(
  message: FromSqlProcess,
  child: ChildProcess,
  listeners: SqlListeners,
): Promise<{ truncated: boolean } | undefined> {
  switch (message.kind) {
    case 'opened':
      listeners.onOpened();
      return undefined;
    case 'columns':
      await listeners.onColumns?.(message.columns);
      return undefined;
    case 'rows':
      await listeners.onRows?.(message.rows);
      if (child.connected) child.send({ kind: 'more' }, () => {});
      return undefined;
    case 'progress':
      listeners.onProgress?.(message.progress);
      return undefined;
    case 'error':
      throw new RemoraError(message.error);
    case 'end':
      return message;
  }
}

function start(): ChildProcess {
  const codeCache = codeCacheFolder();
  // Beside this module in the sources, beside the bundle in a build.
  const file = import.meta.url.endsWith('.ts') ? './sql-process.ts' : './sql-process.js';
  return fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    env: {
      ...process.env,
      ...(codeCache === null ? {} : { NODE_COMPILE_CACHE: codeCache }),
      // Electron's own program is a Node only when it is told so.
      ...(process.versions.electron === undefined ? {} : { ELECTRON_RUN_AS_NODE: '1' }),
    },
    // Standard output belongs to the answer.
    stdio: ['ignore', 2, 2, 'ipc'],
  });
}

const cancelled = (): RemoraError => new RemoraError({ code: 'cancelled', message: 'the query was cancelled' });

function tooLong(timeoutMs: number): RemoraError {
  return new RemoraError({
    code: 'limit',
    message: `the query took longer than ${timeoutMs / 1000} s and was ended: narrow it with WHERE ts BETWEEN … AND …, ask for one event type's table instead of event, or allow it more time`,
  });
}

function ended({ exitCode, signalCode }: ChildProcess): RemoraError {
  return new RemoraError({
    code: 'internal',
    message: `the query's process ended by itself (${signalCode ?? `exit code ${exitCode}`}), perhaps for lack of memory: ask for fewer rows or columns`,
  });
}
