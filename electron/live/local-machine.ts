import { spawnSync } from 'node:child_process';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  watch,
  writeSync,
} from 'node:fs';
import { endianness, hostname, machine, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { CpuReader } from './cpu-reader.ts';
import type { Machine, Ring, SubBufferSizes } from './machine.ts';

/** In a turn 4 M events/s fill a few MiB, and a machine that is idle is asked fifty times a second. */
const TURN_MS = 20;
const LOOK_MS = 500;
const BATCH_BYTES = 1 << 20;

/** Whom a capture process that was started as root writes its files for. */
export interface Owner {
  uid: number;
  gid: number;
  groups: readonly number[];
}

/**
 * The machine that we run on. Calls are synchronous inside: nothing waits between them. With an owner, this process is root, does
 * what is done here as root, and everything else, the recording above all, as the owner.
 */
export class LocalMachine implements Machine {
  readonly host = null;
  readonly lost = false;
  readonly pid = process.pid;
  readonly littleEndian = endianness() === 'LE';
  readonly rights: string;
  readonly pace = { turnMs: TURN_MS, lookMs: LOOK_MS, latencyMs: 0 };
  readonly #owner: Owner | null;

  constructor(owner: Owner | null = null, rights = '') {
    this.#owner = owner;
    this.rights = rights;
    if (owner === null) return;
    process.setgroups?.(owner.groups);
    process.setegid?.(owner.gid);
    process.seteuid?.(owner.uid);
  }

  #asRoot<T>(work: () => T): T {
    if (this.#owner === null) return work();
    process.seteuid?.(0);
    try {
      return work();
    } finally {
      process.seteuid?.(this.#owner.uid);
    }
  }

  async read(path: string): Promise<Buffer> {
    return this.#asRoot(() => readFileSync(path));
  }

  async write(path: string, text: string): Promise<void> {
    this.#asRoot(() => {
      const file = openSync(path, constants.O_WRONLY);
      try {
        writeSync(file, text);
      } finally {
        closeSync(file);
      }
    });
  }

  async list(path: string): Promise<string[]> {
    return this.#asRoot(() => readdirSync(path));
  }

  async exists(path: string): Promise<boolean> {
    return this.#asRoot(() => existsSync(path));
  }

  async mayWriteTo(folder: string): Promise<boolean> {
    // access(2) asks for the real user, which stays root's.
    return mayWriteTo(folder);
  }

  async makeInstance(path: string): Promise<void> {
    this.#asRoot(() => mkdirSync(path));
  }

  async removeInstance(path: string): Promise<void> {
    this.#asRoot(() => rmdirSync(path));
  }

  async mountTracefs(at: string): Promise<string | null> {
    const mount = () => spawnSync('mount', ['-t', 'tracefs', 'nodev', at], { encoding: 'utf8' });
    const { status, stderr, error } = this.#asRoot(mount);
    return status === 0 ? null : (error?.message ?? stderr).trim();
  }

  async isRoot(): Promise<boolean> {
    return process.getuid?.() === 0;
  }

  async ownTasks(): Promise<number[]> {
    return readdirSync('/proc/self/task').map(Number);
  }

  async uname(): Promise<string> {
    return `Linux ${hostname()} ${release()} ${machine()}`;
  }

  async memoryBytes(): Promise<number> {
    return totalmem();
  }

  async cgroupFolders(folder: string): Promise<Map<string, string>> {
    return this.#asRoot(() => foldersBelow(folder));
  }

  watchFolder(folder: string, onMade: () => void): { close(): void } | null {
    try {
      const watcher = watch(folder, { persistent: false }, (event) => {
        if (event === 'rename') onMade();
      });
      watcher.on('error', () => watcher.close());
      return watcher;
    } catch {
      return null;
    }
  }

  async openRing(instance: string, cpus: readonly number[], subBuffer: SubBufferSizes): Promise<Ring> {
    return this.#asRoot(() => new LocalRing(instance, cpus, subBuffer));
  }

  async close(): Promise<void> {}
}

export function mayWriteTo(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Folders that go while they are looked at are left out. */
function foldersBelow(folder: string): Map<string, string> {
  const found = new Map<string, string>();
  const waiting = [folder];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    try {
      const names = readdirSync(next, { withFileTypes: true }).filter((entry) => entry.isDirectory());
      found.set(next, String(statSync(next, { bigint: true }).ino));
      for (const { name } of names) waiting.push(join(next, name));
    } catch {
      // As said.
    }
  }
  return found;
}

class LocalRing implements Ring {
  readonly cpus: CpuReader[] = [];
  readonly #batch = Buffer.alloc(BATCH_BYTES);

  constructor(instance: string, cpus: readonly number[], { bytes, dataBytes }: SubBufferSizes) {
    try {
      for (const cpu of cpus) this.cpus.push(new CpuReader(instance, cpu, bytes, dataBytes));
    } catch (error) {
      this.close();
      throw error;
    }
  }

  usedSeconds(): number {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1e6;
  }

  async refresh(): Promise<void> {
    for (const reader of this.cpus) reader.readStats();
  }

  async drain(partial: boolean, take: (index: number, bytes: Buffer) => void): Promise<number> {
    let total = 0;
    this.cpus.forEach((reader, index) => {
      total += reader.drain(this.#batch, partial, (bytes) => take(index, bytes));
    });
    return total;
  }

  close(): void {
    for (const reader of this.cpus) reader.close();
  }
}
