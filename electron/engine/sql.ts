import { type ChildProcess, fork } from 'node:child_process';
import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Progress, SqlCell } from '../../shared/api.ts';
import { type ErrorDetail, RemoraError } from '../../shared/errors.ts';
import { TABLE_FILE_ID } from '../store/table-file.ts';
import { fileError, openFile } from './file-source.ts';
import { defaultCacheFolder } from './identity.ts';
import type { OpenRequest } from './open.ts';
import type { Session } from './sessions.ts';

/** How another process opens the workspace that is open here. */
export type SqlOpen = Pick<OpenRequest, 'paths' | 'workspace' | 'memoryPageBytes'> & { cgroups?: string | undefined };

export type SqlOrder =
  | { kind: 'query'; open: SqlOpen; query: string; maxRows: number }
  | { kind: 'materialize'; open: SqlOpen; path: string };
export type ToSqlProcess = SqlOrder | { kind: 'more' };
export type FromSqlProcess =
  | { kind: 'opened' }
  | { kind: 'columns'; columns: string[] }
  | { kind: 'rows'; rows: SqlCell[][] }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'end'; truncated: boolean }
  | { kind: 'error'; error: ErrorDetail };

export interface SqlRequest {
  query: string;
  /** Rows beyond these are not made. */
  maxRows: number;
  /** The query is ended when it takes longer; Infinity: never. */
  timeoutMs: number;
  signal: AbortSignal;
  onColumns(columns: string[]): void | Promise<void>;
  /** The next rows; more are made while a promise is waited for, but not many. */
  onRows(rows: SqlCell[][]): void | Promise<void>;
}

export interface SqlOutcome {
  /** There were more rows than `maxRows`. */
  truncated: boolean;
  elapsedMs: number;
}

/**
 * Answers one query in a process of its own, which is ended with the query: by its end, its time limit or the signal. Nothing
 * of it is left when this returns. Throws RemoraError `bad-expression`, `limit`, `cancelled`, and what opening throws.
 */
export function runSql(session: Session, request: SqlRequest): Promise<SqlOutcome> {
  const { query, maxRows } = request;
  return inOwnProcess(session, (open) => ({ kind: 'query', open, query, maxRows }), request);
}

/**
 * Writes the workspace's tables into an SQLite file, see query/sql-materialize.ts: complete, or not at all. A file that is
 * there is replaced only if it was written by this function. Throws RemoraError `file`, and what opening throws.
 */
export async function materialize(
  session: Session,
  path: string,
  options: { signal: AbortSignal; timeoutMs: number; onProgress(progress: Progress): void },
): Promise<void> {
  requireReplaceable(path);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    await inOwnProcess(session, (open) => ({ kind: 'materialize', open, path: temporary }), options);
    renameSync(temporary, path);
  } catch (error) {
    throw error instanceof RemoraError ? error : fileError(path, error);
  } finally {
    rmSync(temporary, { force: true });
  }
}

/** Bytes 68 to 71 of an SQLite file are its `application_id` (https://www.sqlite.org/fileformat2.html). */
const APPLICATION_ID_AT = 68;

function requireReplaceable(path: string): void {
  if (!existsSync(path)) return;
  const file = openFile(path);
  const head = Buffer.from(file.read(0, APPLICATION_ID_AT + 4));
  file.close();
  if (head.length >= APPLICATION_ID_AT + 4 && head.readUInt32BE(APPLICATION_ID_AT) === TABLE_FILE_ID) return;
  const message = `${path}: there is a file already that Remora did not write its tables to: name another, or remove it`;
  throw new RemoraError({ code: 'file', message, file: path });
}

type Listeners = Partial<Pick<SqlRequest, 'onColumns' | 'onRows'>> & { onProgress?(progress: Progress): void };

async function inOwnProcess(
  session: Session,
  order: (open: SqlOpen) => SqlOrder,
  options: Listeners & Pick<SqlRequest, 'signal' | 'timeoutMs'>,
): Promise<SqlOutcome> {
  const startMs = performance.now();
  const { signal, timeoutMs } = options;
  if (signal.aborted) throw cancelled();
  const workspace = shareWorkspace(session);
  const child = start();
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    // A process that could not be started has no exit.
    child.once('error', () => child.pid === undefined && resolve());
  });
  try {
    const truncated = await new Promise<boolean>((resolve, reject) => {
      const stop = (): void => reject(cancelled());
      signal.addEventListener('abort', stop, { once: true });
      const timer = Number.isFinite(timeoutMs) ? setTimeout(() => reject(tooLong(timeoutMs)), timeoutMs) : undefined;
      exited.then(() => {
        signal.removeEventListener('abort', stop);
        clearTimeout(timer);
        reject(ended(child));
      });
      child.once('error', reject);
      // One message after the other, also where one has to be waited for.
      let handled = Promise.resolve();
      child.on('message', (message: FromSqlProcess) => {
        if (message.kind === 'opened') workspace.forget();
        handled = handled
          .then(() => take(message, child, options))
          .then((end) => {
            if (end !== undefined) resolve(end.truncated);
          })
          .catch(reject);
      });
      child.send(order(workspace.open), (error) => error && reject(error));
    });
    return { truncated, elapsedMs: performance.now() - startMs };
  } finally {
    child.kill('SIGKILL');
    await exited;
    workspace.forget();
  }
}

async function take(
  message: FromSqlProcess,
  child: ChildProcess,
  listeners: Listeners,
): Promise<{ truncated: boolean } | undefined> {
  switch (message.kind) {
    case 'opened':
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
  // Beside this module in the sources, beside the bundle in a build.
  const file = import.meta.url.endsWith('.ts') ? './sql-process.ts' : './sql-process.js';
  return fork(fileURLToPath(new URL(file, import.meta.url)), [], {
    serialization: 'advanced',
    execArgv: [],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: join(defaultCacheFolder(), 'code'),
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

/**
 * The workspace for another process to open. One that is private has no path: it gets a copy of its index, which has a name
 * only until the other process has it open.
 */
function shareWorkspace({ trace, summary, cgroupsFile }: Session): { open: SqlOpen; forget(): void } {
  const open: SqlOpen = {
    paths: trace.recordings.map(({ info }) => info.path),
    workspace: summary.workspacePath,
    memoryPageBytes: trace.memoryPageBytes,
    cgroups: cgroupsFile,
  };
  if (summary.workspacePath !== '') return { open, forget: () => {} };
  const folder = mkdtempSync(join(tmpdir(), 'remora-sql-'));
  const remove = (): void => {
    try {
      rmSync(folder, { recursive: true, force: true });
    } catch {
      // Where open files cannot be removed, it goes with the process that has it open.
    }
  };
  try {
    const workspace = join(folder, 'workspace.remora');
    trace.store.copyTo(workspace);
    return { open: { ...open, workspace }, forget: remove };
  } catch (error) {
    remove();
    throw error;
  }
}
