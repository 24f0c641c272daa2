import { appendFileSync, writeFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import type { Machine } from './machine.ts';
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
export async function memoryHierarchy(machine: Machine): Promise<CgroupHierarchy | null> {
  const mounts = parseMounts((await machine.read('/proc/self/mounts')).toString('utf8'));
  return hierarchyAmong(mounts, (root) => controllers(machine, root));
}

export async function hierarchyAmong(
  mounts: readonly Mount[],
  controllersOf: (root: string) => Promise<string[]>,
): Promise<CgroupHierarchy | null> {
  const v2 = mounts.find(({ type }) => type === 'cgroup2')?.path;
  if (v2 !== undefined && (await controllersOf(v2)).includes('memory')) return { root: v2, v2: true };
  const v1 = mounts.find(({ type, path }) => type === 'cgroup' && /\/memory$/.test(path))?.path;
  if (v1 !== undefined) return { root: v1, v2: false };
  return v2 === undefined ? null : { root: v2, v2: true };
}

async function controllers(machine: Machine, root: string): Promise<string[]> {
  try {
    return (await machine.read(join(root, 'cgroup.controllers'))).toString('utf8').trim().split(/\s+/);
  } catch {
    return [];
  }
}

/** Threads in a cgroup and those below. Throws RemoraError `not-found` where the folder is none of cgroupfs. */
export async function threadsOf(machine: Machine, folder: string): Promise<number[]> {
  const folders = [...(await machine.cgroupFolders(folder)).keys()];
  const all = await Promise.all(folders.map((path) => threadsIn(machine, path)));
  const known = all.filter((threads) => threads !== null);
  if (known.length > 0) return [...new Set(known.flat())];
  const root = (await memoryHierarchy(machine))?.root ?? '/sys/fs/cgroup';
  throw new RemoraError({
    code: 'not-found',
    file: folder,
    message: `${folder} is no cgroup: give its folder below ${root}`,
  });
}

/** Null where it is no cgroup, or has gone. */
async function threadsIn(machine: Machine, folder: string): Promise<number[] | null> {
  // cgroup.threads is v2's, tasks v1's; a cgroup of a threaded subtree has no cgroup.procs to read.
  for (const name of ['cgroup.threads', 'tasks', 'cgroup.procs']) {
    try {
      const text = (await machine.read(join(folder, name))).toString('latin1');
      return text.split('\n').flatMap((line) => (line === '' ? [] : [Number(line)]));
    } catch {
      // The next one, then.
    }
  }
  return null;
}

/** Watches are a limited resource of the machine: beyond this many folders, new ones are found by looking again. */
const MOST_WATCHES = 512;
const LOOK_AGAIN_MS = 1000;

/** Keeps a file of `inode path` lines up to date with a hierarchy. */
export class CgroupFollower {
  readonly #machine: Machine;
  readonly #root: string;
  readonly #file: string;
  readonly #known = new Map<string, string>();
  readonly #watchers = new Map<string, { close(): void }>();
  #timer: NodeJS.Timeout | undefined;
  #looking: Promise<void> = Promise.resolve();

  private constructor(machine: Machine, root: string, file: string) {
    this.#machine = machine;
    this.#root = root;
    this.#file = file;
  }

  /** Writes the file with what is there now, and follows what is made from now on. */
  static async start(machine: Machine, root: string, file: string): Promise<CgroupFollower> {
    writeFileSync(file, '');
    const follower = new CgroupFollower(machine, root, file);
    await follower.#lookNext(root);
    const everyMs = Math.max(LOOK_AGAIN_MS, machine.pace.lookMs);
    follower.#timer = setInterval(() => void follower.#lookNext(root), everyMs);
    follower.#timer.unref();
    return follower;
  }

  /** Inode of a folder that is known, in decimal. */
  inodeOf(folder: string): string | undefined {
    return this.#known.get(folder);
  }

  /** One look after the other. */
  #lookNext(folder: string): Promise<void> {
    this.#looking = this.#looking.then(() => this.#look(folder)).catch(() => {});
    return this.#looking;
  }

  async #look(folder: string): Promise<void> {
    const folders = await this.#machine.cgroupFolders(folder);
    let lines = '';
    for (const [path, ino] of folders) {
      if (this.#known.get(path) !== ino) {
        this.#known.set(path, ino);
        lines += `${ino} ${relative(this.#root, path)}\n`;
      }
      this.#watch(path);
    }
    if (lines !== '') this.#write(lines);
    if (folder !== this.#root || folders.size === 0) return;
    for (const path of this.#known.keys()) {
      if (folders.has(path)) continue;
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
    // Without watches the timer finds what is new.
    const watcher = this.#machine.watchFolder(path, () => void this.#lookNext(path));
    if (watcher !== null) this.#watchers.set(path, watcher);
  }

  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#lookNext(this.#root);
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
  }
}
