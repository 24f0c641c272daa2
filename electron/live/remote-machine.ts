import { join } from 'node:path';
import type { Machine, Ring, SubBufferSizes } from './machine.ts';
import { RemoteRing } from './remote-ring.ts';
import { ShellConnection } from './shell-connection.ts';

/**
 * Every request is a process or two on that machine: reading ten times a second costs a small part of one CPU there, and what
 * waits a quarter of a second for a sub-buffer to fill comes in fewer pieces.
 */
const PACE = { turnMs: 60, lookMs: 3000, latencyMs: 250 };

/** A machine that ssh reaches, with nothing but a shell on it: every call is a line or two for remote-script.ts. */
export class RemoteMachine implements Machine {
  readonly host: string;
  readonly pid: number;
  readonly littleEndian: boolean;
  readonly rights: string;
  readonly pace = PACE;
  readonly #connection: ShellConnection;

  /** Rejects with RemoraError that has ssh's own words. */
  static async connect(host: string): Promise<RemoteMachine> {
    return new RemoteMachine(await ShellConnection.open(host));
  }

  private constructor(connection: ShellConnection) {
    const { pid, littleEndian, sudo } = connection.shell;
    this.#connection = connection;
    this.host = connection.host;
    this.pid = pid;
    this.littleEndian = littleEndian;
    this.rights = sudo ? `as root, by sudo on ${connection.host}` : '';
  }

  get lost(): boolean {
    return this.#connection.lost;
  }

  async #run(command: string): Promise<Buffer> {
    const { status, bytes } = await this.#connection.run(command);
    if (status !== 0) throw systemError(bytes, command);
    return bytes;
  }

  async #test(expression: string): Promise<boolean> {
    return (await this.#connection.run(`test ${expression}`)).status === 0;
  }

  read(path: string): Promise<Buffer> {
    return this.#run(`cat ${quoted(path)}`);
  }

  async write(path: string, text: string): Promise<void> {
    // dd would make a file that does not exist.
    const [there, { status, bytes }] = await Promise.all([this.exists(path), this.#connection.put(path, text)]);
    if (status !== 0) throw there ? systemError(bytes, path) : noSuchFile(path);
  }

  async list(path: string): Promise<string[]> {
    const names = (await this.#run(`ls -A1 ${quoted(path)}`)).toString('utf8');
    return names.split('\n').filter((name) => name !== '');
  }

  exists(path: string): Promise<boolean> {
    return this.#test(`-e ${quoted(path)}`);
  }

  mayWriteTo(folder: string): Promise<boolean> {
    return this.#test(`-w ${quoted(folder)} -a -x ${quoted(folder)}`);
  }

  async makeInstance(path: string): Promise<void> {
    const { status, bytes } = await this.#connection.make(path);
    if (status !== 0) throw systemError(bytes, path);
  }

  async removeInstance(path: string): Promise<void> {
    const { status, bytes } = await this.#connection.drop(path);
    if (status !== 0) throw systemError(bytes, path);
  }

  async mountTracefs(at: string): Promise<string | null> {
    const { status, bytes } = await this.#connection.run(`mount -t tracefs nodev ${quoted(at)}`);
    return status === 0 ? null : bytes.toString('utf8').trim();
  }

  async isRoot(): Promise<boolean> {
    return this.#connection.shell.uid === 0;
  }

  async ownTasks(): Promise<number[]> {
    const { pid, speakerPid } = this.#connection.shell;
    return speakerPid === null ? [pid] : [pid, speakerPid];
  }

  async uname(): Promise<string> {
    return (await this.#run('uname -snrm')).toString('utf8').trim();
  }

  async memoryBytes(): Promise<number> {
    return Number(/^MemTotal:\s+(\d+)/m.exec((await this.read('/proc/meminfo')).toString('latin1'))?.[1] ?? 0) * 1024;
  }

  async cgroupFolders(folder: string): Promise<Map<string, string>> {
    // Folders that go meanwhile make find complain.
    const { bytes } = await this.#connection.run(`find ${quoted(folder)} -type d -exec ls -id {} + 2>/dev/null`);
    const lines = bytes.toString('utf8').matchAll(/^\s*(\d+) (.+)$/gm);
    return new Map([...lines].map((match) => [match[2] as string, match[1] as string]));
  }

  watchFolder(): null {
    return null;
  }

  async openRing(instance: string, cpus: readonly number[], subBuffer: SubBufferSizes): Promise<Ring> {
    const kib = Number(
      (await this.read(join(instance, 'buffer_size_kb'))).toString('latin1').match(/\d+/g)?.at(-1) ?? 0,
    );
    const ring = new RemoteRing(this.#connection, join(instance, 'per_cpu'), cpus, subBuffer, kib * 1024);
    await ring.refresh();
    return ring;
  }

  close(): Promise<void> {
    return this.#connection.close();
  }
}

/** A word of POSIX shell. */
export const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

const noSuchFile = (path: string): Error => Object.assign(new Error(`${path} does not exist`), { code: 'ENOENT' });

/** strerror(3) in the C locale, as glibc and musl say it. */
const CODES: readonly [RegExp, string][] = [
  [/No such file or directory/, 'ENOENT'],
  [/Invalid argument/, 'EINVAL'],
  [/Permission denied/, 'EACCES'],
  [/Operation not permitted/, 'EPERM'],
  [/resource busy/i, 'EBUSY'],
  [/Cannot allocate memory|Out of memory/, 'ENOMEM'],
  [/Read-only file system/, 'EROFS'],
  [/No space left on device/, 'ENOSPC'],
  [/No such device/, 'ENODEV'],
  [/File exists/, 'EEXIST'],
];

/** What a tool said went wrong, as the error that the same would be here. */
export function systemError(said: Buffer, about: string): Error {
  const text = said.toString('utf8').trim();
  const code = CODES.find(([pattern]) => pattern.test(text))?.[1] ?? 'EIO';
  return Object.assign(new Error(text === '' ? `${about} failed` : text), { code });
}
