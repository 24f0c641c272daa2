import { randomUUID } from 'node:crypto';
import { closeSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, writeSync } from 'node:fs';
import { basename, dirname, join, relative, sep } from 'node:path';
import { makeFolder } from '../store/folders.ts';
import { refusedOutput } from './refused-output.ts';

/** Where a conversion's bytes go, in order. Writing throws RemoraError `file` with the operating system's reason. */
export interface ByteSink {
  write(bytes: Uint8Array): void;
}

/** A file that appears under its name when it is complete, or not at all: until `commit` it has another one beside it. */
export class StagedFile implements ByteSink {
  readonly path: string;
  readonly #unfinished: string;
  #fd: number;
  bytes = 0;

  constructor(path: string) {
    this.path = path;
    this.#unfinished = join(dirname(path), `.${basename(path)}.${randomUUID()}`);
    this.#fd = orRefused(path, () => openSync(this.#unfinished, 'wx'));
  }

  write(bytes: Uint8Array): void {
    orRefused(this.path, () => writeAll(this.#fd, bytes));
    this.bytes += bytes.length;
  }

  commit(): void {
    this.#close();
    orRefused(this.path, () => renameSync(this.#unfinished, this.path));
  }

  /** Leaves nothing behind; does nothing after `commit`. */
  abandon(): void {
    this.#close();
    rmSync(this.#unfinished, { force: true });
  }

  #close(): void {
    if (this.#fd >= 0) closeSync(this.#fd);
    this.#fd = -1;
  }
}

/** Names that readers of data sets pass over: DuckDB's patterns, Spark, Trino and Hive alike. */
const STAGING = '.remora-convert-';

/**
 * Files of a folder that appear together when all are complete: they are written in a hidden folder within, and renamed
 * by `commit`. A reader never sees half of a file; one that lists the folder in the very moment may see some of them.
 */
export class StagedFolder {
  readonly path: string;
  readonly #staging: string;
  /** The topmost folder that was not there before. */
  readonly #made: string | undefined;
  readonly #files = new Set<string>();
  #committed = false;
  bytes = 0;

  constructor(path: string) {
    this.path = path;
    this.#staging = join(path, `${STAGING}${randomUUID()}`);
    this.#made = orRefused(path, () => makeFolder(path));
    orRefused(path, () => mkdirSync(this.#staging));
  }

  /** Names of what will be there, relative to the folder. */
  get files(): ReadonlySet<string> {
    return this.#files;
  }

  /**
   * A file to be, by its path relative to the folder. It is open only while it is written to: there may be more of them
   * than a process may have open.
   */
  file(name: string): ByteSink {
    const path = join(this.#staging, name);
    orRefused(join(this.path, name), () => makeFolder(dirname(path)));
    this.#files.add(name);
    return {
      write: (bytes) => {
        orRefused(join(this.path, name), () => {
          const fd = openSync(path, 'a');
          try {
            writeAll(fd, bytes);
          } finally {
            closeSync(fd);
          }
        });
        this.bytes += bytes.length;
      },
    };
  }

  /** Makes the files appear, in place of those of the same name; then removes what `isStale` says of the others. */
  commit(isStale: (name: string) => boolean = () => false): void {
    for (const name of this.#files) {
      const path = join(this.path, name);
      orRefused(path, () => {
        makeFolder(dirname(path));
        renameSync(join(this.#staging, name), path);
      });
    }
    this.#committed = true;
    rmSync(this.#staging, { recursive: true, force: true });
    for (const entry of readdirSync(this.path, { recursive: true, withFileTypes: true })) {
      const path = join(entry.parentPath, entry.name);
      const name = relative(this.path, path).replaceAll(sep, '/');
      if (!entry.isFile() || name.startsWith(STAGING) || this.#files.has(name) || !isStale(name)) continue;
      rmSync(path, { force: true });
      removeEmpty(dirname(path), this.path);
    }
  }

  /** Leaves nothing behind; does nothing after `commit`. */
  abandon(): void {
    if (this.#committed) return;
    rmSync(this.#staging, { recursive: true, force: true });
    if (this.#made !== undefined) removeEmpty(this.path, dirname(this.#made));
  }
}

/** Removes a folder and those above it, up to but not `top`, as far as they are empty. */
function removeEmpty(folder: string, top: string): void {
  for (let path = folder; path !== top && path.length > top.length; path = dirname(path)) {
    try {
      rmdirSync(path);
    } catch {
      // It holds something else.
      return;
    }
  }
}

function writeAll(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) written += writeSync(fd, bytes, written);
}

function orRefused<T>(path: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw refusedOutput(path, error);
  }
}
