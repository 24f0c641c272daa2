import { appendFileSync, type FSWatcher, readdirSync, readFileSync, statSync, watch, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { type Mount, parseMounts } from './tracefs.ts';

/**
 * cgroups of the machine while it is traced: inode and path of every folder, written as lines `inode path` (see
 * derive/cgroups.ts) that grow as cgroups are made. Writeback names the memory controller's cgroups, so its hierarchy is walked:
 * cgroup v2's where memory is on it, else v1's memory hierarchy.
 */
export interface CgroupHierarchy {
  root: string;
  v2: boolean;
}

/** The hierarchy of the memory controller; null where no cgroupfs is mounted. */
export function memoryHierarchy(
  mounts: readonly Mount[] = parseMounts(readFileSync('/proc/self/mounts', 'utf8')),
): CgroupHierarchy | null {
  const v2 = mounts.find(({ type }) => type === 'cgroup2')?.path;
  if (v2 !== undefined && controllers(v2).includes('memory')) return { root: v2, v2: true };
  const v1 = mounts.find(({ type, path }) => type === 'cgroup' && /\/memory$/.test(path))?.path;
  if (v1 !== undefined) return { root: v1, v2: false };
  return v2 === undefined ? null : { root: v2, v2: true };
}

function controllers(root: string): string[] {
  try {
    return readFileSync(join(root, 'cgroup.controllers'), 'utf8').trim().split(/\s+/);
  } catch {
    return [];
  }
}

/** `folder` and everything below it, parents first. Folders that go while it is walked are left out. */
export function* foldersBelow(folder: string): Generator<string> {
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    let names: string[];
    try {
      names = readdirSync(next, { withFileTypes: true }).flatMap((entry) => (entry.isDirectory() ? [entry.name] : []));
    } catch {
      continue;
    }
    yield next;
    for (const name of names) waiting.push(join(next, name));
  }
}

/** Threads in a cgroup and those below. Throws RemoraError `not-found` where the folder is none of cgroupfs. */
export function threadsOf(folder: string): number[] {
  const threads = new Set<number>();
  let readable = false;
  for (const path of foldersBelow(folder)) {
    for (const name of ['cgroup.threads', 'tasks', 'cgroup.procs']) {
      try {
        for (const line of readFileSync(join(path, name), 'utf8').split('\n'))
          if (line !== '') threads.add(Number(line));
        readable = true;
        break;
      } catch {
        // cgroup.threads is v2's, tasks v1's; a cgroup of a threaded subtree has no cgroup.procs to read.
      }
    }
  }
  if (readable) return [...threads];
  throw new RemoraError({
    code: 'not-found',
    file: folder,
    message: `${folder} is no cgroup: give its folder below ${memoryHierarchy()?.root ?? '/sys/fs/cgroup'}`,
  });
}

/** Watches are a limited resource of the machine: beyond this many folders, new ones are found by looking again. */
const MOST_WATCHES = 512;
const LOOK_AGAIN_MS = 1000;

/** Keeps a file of `inode path` lines up to date with a hierarchy. */
export class CgroupFollower {
  readonly #root: string;
  readonly #file: string;
  readonly #known = new Map<string, string>();
  readonly #watchers = new Map<string, FSWatcher>();
  readonly #timer: NodeJS.Timeout;

  /** Writes the file with what is there now, and follows what is made from now on. */
  constructor(root: string, file: string) {
    this.#root = root;
    this.#file = file;
    writeFileSync(file, '');
    this.#look(root);
    this.#timer = setInterval(() => this.#look(root), LOOK_AGAIN_MS);
    this.#timer.unref();
  }

  /** Inode of a folder that is known, in decimal. */
  inodeOf(folder: string): string | undefined {
    return this.#known.get(folder);
  }

  #look(folder: string): void {
    let lines = '';
    const seen = new Set<string>();
    for (const path of foldersBelow(folder)) {
      seen.add(path);
      let ino: string;
      try {
        ino = String(statSync(path, { bigint: true }).ino);
      } catch {
        continue;
      }
      if (this.#known.get(path) !== ino) {
        this.#known.set(path, ino);
        lines += `${ino} ${relative(this.#root, path)}\n`;
      }
      this.#watch(path);
    }
    if (lines !== '') this.#write(lines);
    if (folder !== this.#root) return;
    for (const path of this.#known.keys()) {
      if (seen.has(path)) continue;
      this.#known.delete(path);
      this.#watchers.get(path)?.close();
      this.#watchers.delete(path);
    }
  }

  #write(lines: string): void {
    try {
      appendFileSync(this.#file, lines);
    } catch {
      // A full disk ends the capture by itself; names of cgroups are not worth a second message.
    }
  }

  #watch(path: string): void {
    if (this.#watchers.has(path) || this.#watchers.size >= MOST_WATCHES) return;
    try {
      const watcher = watch(path, { persistent: false }, (event) => {
        if (event === 'rename') this.#look(path);
      });
      watcher.on('error', () => watcher.close());
      this.#watchers.set(path, watcher);
    } catch {
      // No watches left on this machine: the timer finds what is new.
    }
  }

  close(): void {
    clearInterval(this.#timer);
    this.#look(this.#root);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
