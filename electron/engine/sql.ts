import { existsSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import { MATERIALIZED_ID } from '../store/table-image.ts';
import { fileError, openFile } from './file-source.ts';
import type { Session } from './sessions.ts';
import { runOrder, type SqlLimits, type SqlListeners, type SqlOpen, type SqlTask } from './sql-child.ts';

export interface SqlRequest extends SqlLimits, Omit<SqlListeners, 'onOpened' | 'onProgress'> {
  query: string;
  /** Rows beyond these are not made. */
  maxRows: number;
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
export function runSql(session: Session, { query, maxRows, ...rest }: SqlRequest): Promise<SqlOutcome> {
  return inOwnProcess(session, { kind: 'query', query, maxRows }, rest);
}

/**
 * Writes the workspace's tables into an SQLite file, see query/sql-materialize.ts: complete, or not at all. A file that is
 * there is replaced only if it was written by this function. Throws RemoraError `file`, and what opening throws.
 */
export async function materialize(
  session: Session,
  path: string,
  options: SqlLimits & { onProgress(progress: Progress): void },
): Promise<void> {
  requireReplaceable(path);
  const temporary = `${path}.${process.pid}.tmp`;
  try {
    rmSync(temporary, { force: true });
    await inOwnProcess(session, { kind: 'materialize', path: temporary }, options);
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
  if (head.length >= APPLICATION_ID_AT + 4 && head.readUInt32BE(APPLICATION_ID_AT) === MATERIALIZED_ID) return;
  const message = `${path}: there is a file already that Remora did not write its tables to: name another, or remove it`;
  throw new RemoraError({ code: 'file', message, file: path });
}

async function inOwnProcess(
  session: Session,
  task: SqlTask,
  options: SqlLimits & Omit<SqlListeners, 'onOpened'>,
): Promise<SqlOutcome> {
  const startMs = performance.now();
  const scratch = mkdtempSync(join(tmpdir(), 'remora-scratch-'));
  try {
    const { open, forget } = shareWorkspace(session, scratch);
    const { truncated } = await runOrder({ ...task, open, scratch }, options, { ...options, onOpened: forget });
    return { truncated, elapsedMs: performance.now() - startMs };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * The workspace for another process to open. One that is private has no path: it gets a copy of its index, which has a name
 * only until the other process has it open.
 */
function shareWorkspace(
  { trace, summary, cgroupsFile, cacheFolder }: Session,
  scratch: string,
): { open: SqlOpen; forget: () => void } {
  const open: SqlOpen = {
    paths: trace.recordings.map(({ info }) => info.path),
    workspace: summary.workspacePath,
    memoryPageBytes: trace.memoryPageBytes,
    cgroups: cgroupsFile,
    cacheFolder,
  };
  if (summary.workspacePath !== '') return { open, forget: () => {} };
  const workspace = join(scratch, 'workspace.remora');
  trace.store.copyTo(workspace);
  const forget = (): void => {
    // Where an open file keeps its name, it goes with the folder.
    if (process.platform !== 'win32') rmSync(workspace, { force: true });
  };
  return { open: { ...open, workspace }, forget };
}
