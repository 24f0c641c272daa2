import { copyFileSync, existsSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import Database from 'better-sqlite3';
import { RemoraError } from '../../shared/errors.ts';
import { makeFolder } from './folders.ts';
import { migrations, SCHEMA_VERSION } from './schema.ts';

export type { Database } from 'better-sqlite3';

/** `application_id` of a workspace file: "Rmra". */
const APPLICATION_ID = 0x526d7261;

/**
 * An addon for runtimes that better-sqlite3's own cannot serve (an older Electron in tests); a path from the
 * environment, so that packaged builds never look for it.
 */
const nativeBinding = process.env.SQLITE_NATIVE_BINDING;

function workspaceError(path: string, message: string, cause?: unknown): RemoraError {
  return new RemoraError({ code: 'workspace', message: `${path}: ${message}`, file: path }, { cause });
}

/** Files that belong to a database: itself, write-ahead log, shared memory, rollback journal. */
function databaseFiles(path: string): string[] {
  return ['', '-wal', '-shm', '-journal'].map((suffix) => path + suffix);
}

/**
 * Opens or creates a workspace and brings it to the current schema. Before a migration the file is copied to
 * `<path>.v<old>.bak`. Empty path: a private database in a temporary file that goes with the connection.
 *
 * Throws RemoraError `workspace`: newer schema, locked by another process, no database, or corrupt.
 */
export function openDatabase(path: string): Database.Database {
  let database: Database.Database;
  try {
    if (path !== '') makeFolder(dirname(path));
    database = new Database(path, { timeout: 2000, ...(nativeBinding ? { nativeBinding } : {}) });
  } catch (error) {
    throw translate(path, error);
  }
  try {
    // Of a new file only: larger pages make the chunks' blobs cheaper to write (measured: a tenth of an import).
    database.pragma('page_size = 32768');
    database.pragma('foreign_keys = ON');
    // Chunks have a cache of their own: this one is for the pages on their way to the disk.
    database.pragma('cache_size = -1024');
    // One that is new has nothing to lose yet: waiting for the disk would only delay what it is made for. It gets its write-ahead log
    // with its first index, which is written without: taking a log away again waits for the disk three times.
    const isNew = database.pragma('user_version', { simple: true }) === 0;
    if (isNew) database.pragma('synchronous = OFF');
    migrate(database, path);
    if (path !== '' && !isNew) database.pragma('journal_mode = WAL');
    database.pragma('synchronous = NORMAL');
    return database;
  } catch (error) {
    database.close();
    throw translate(path, error);
  }
}

/** A database that is no workspace: `:memory:`, or a file of tables for other tools. */
export function openPlain(path: string, readonly = false): Database.Database {
  return new Database(path, { readonly, ...(nativeBinding ? { nativeBinding } : {}) });
}

/** A workspace to read from, beside the process that owns it. It must be of the current schema. */
export function openForReading(path: string): Database.Database {
  try {
    return new Database(path, { readonly: true, timeout: 2000, ...(nativeBinding ? { nativeBinding } : {}) });
  } catch (error) {
    throw translate(path, error);
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Why the operating system makes no folder for a workspace. */
const NO_FOLDER = new Set(['EACCES', 'EPERM', 'EROFS', 'ENOENT', 'ENOTDIR', 'EEXIST']);

/** What SQLite's refusals mean to the user; other errors stay what they are. */
export function translate(path: string, error: unknown): unknown {
  const code = (error as { code?: string } | undefined)?.code ?? '';
  if (error instanceof RemoraError) return error;
  // PROTOCOL: the others kept taking the write-ahead log's locks for as long as SQLite tried.
  if (/^SQLITE_(BUSY|LOCKED|PROTOCOL)/.test(code)) {
    return workspaceError(path, 'the workspace is in use by another process: close it there first', error);
  }
  if (isDamage(error)) {
    return workspaceError(
      path,
      'the index is damaged: open the recording again and it is built anew; notes are kept',
      error,
    );
  }
  if (code === 'SQLITE_FULL' || code.startsWith('SQLITE_IOERR')) {
    return workspaceError(
      path,
      'the disk is full or cannot be written: free some space, or keep the workspace elsewhere',
      error,
    );
  }
  if (isRefusal(code)) {
    return workspaceError(path, 'the workspace cannot be written: keep it elsewhere, or open without one', error);
  }
  return code.startsWith('SQLITE_') ? workspaceError(path, messageOf(error), error) : error;
}

const isRefusal = (code: string): boolean =>
  code === 'SQLITE_READONLY' || code === 'SQLITE_CANTOPEN' || NO_FOLDER.has(code);

/** True when a workspace cannot be had where it was wanted, whatever would be in it. */
export function isUnwritable(error: unknown): boolean {
  if (!(error instanceof RemoraError) || error.code !== 'workspace') return false;
  return isRefusal((error.cause as { code?: string } | undefined)?.code ?? '');
}

/** SQLite's word that the file is no intact database, or a chunk that is not what was written. */
function isDamage(error: unknown): boolean {
  const code = (error as { code?: string } | undefined)?.code ?? '';
  return code === 'SQLITE_NOTADB' || code.startsWith('SQLITE_CORRUPT') || error instanceof RangeError;
}

/** True when an open or a query failed because the file is not intact, so that starting over is the remedy. */
export function isCorrupt(error: unknown): boolean {
  return error instanceof RemoraError && isDamage(error.cause);
}

const damageMark = (path: string): string => `${path}.damaged`;

/** Damage found in the middle of the work cannot be mended there: the next opening sets the file aside. */
export function markDamaged(path: string): void {
  writeFileSync(damageMark(path), '');
}

export const isMarkedDamaged = (path: string): boolean => existsSync(damageMark(path));

function migrate(database: Database.Database, path: string): void {
  const version = database.pragma('user_version', { simple: true }) as number;
  const application = database.pragma('application_id', { simple: true }) as number;
  if (application !== 0 && application !== APPLICATION_ID) throw workspaceError(path, 'not a Remora workspace');
  if (version > SCHEMA_VERSION) {
    throw workspaceError(
      path,
      `written by a newer Remora (schema ${version}, this one knows ${SCHEMA_VERSION}): update Remora, or open the recording with another workspace`,
    );
  }
  if (version === SCHEMA_VERSION) return;
  if (version === 0 && application === 0 && hasTables(database)) throw workspaceError(path, 'not a Remora workspace');
  if (version > 0 && path !== '') copyFileSync(path, `${path}.v${version}.bak`);
  database.transaction(() => {
    for (let next = version; next < SCHEMA_VERSION; next++) database.exec(migrations[next] as string);
    database.pragma(`application_id = ${APPLICATION_ID}`);
    database.pragma(`user_version = ${SCHEMA_VERSION}`);
  })();
}

function hasTables(database: Database.Database): boolean {
  return database.prepare("SELECT 1 FROM sqlite_schema WHERE type = 'table' LIMIT 1").get() !== undefined;
}

/** Moves a corrupt workspace out of the way, so that nothing in it is lost for good; returns where it went. */
export function setAside(path: string): string {
  const aside = `${path}.corrupt-${Date.now()}`;
  for (const [i, file] of databaseFiles(path).entries()) {
    if (existsSync(file)) renameSync(file, databaseFiles(aside)[i] as string);
  }
  rmSync(damageMark(path), { force: true });
  return aside;
}

export function removeDatabase(path: string): void {
  for (const file of databaseFiles(path)) rmSync(file, { force: true });
}
