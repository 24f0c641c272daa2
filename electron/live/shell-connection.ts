import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';
import { RemoraError } from '../../shared/errors.ts';
import { REMOTE_COMMAND, REMOTE_SCRIPT } from './remote-script.ts';

/** Whoever is not asked for so long is asked something, so that the other end knows that we live. */
const ALIVE_MS = 10_000;
/** How long the other end may take to clean up when it is left. */
const LEAVE_MS = 10_000;

/** Pieces that are smaller are put together at once, so that the end of an answer is in two at most. */
const SMALL_CHUNK = 4096;
const NUL = Buffer.alloc(1);

/** What the script says of itself at first. */
export interface RemoteShell {
  pid: number;
  littleEndian: boolean;
  uid: number;
  /** It runs by sudo, as whoever connects may not trace. */
  sudo: boolean;
  /** Its dd can read without waiting. */
  nonblocking: boolean;
  /** The process that carries the connection, where it is known. */
  speakerPid: number | null;
}

interface Reply {
  status: number;
  bytes: Buffer;
}

interface Waiting {
  /** What the answer is a whole number of; null: text. */
  blockBytes: number | null;
  resolve: (reply: Reply) => void;
  reject: (error: RemoraError) => void;
}

/**
 * One connection to a shell that runs remote-script.ts: requests go out as they are made, without waiting for the answers to those
 * before, and are answered in order. When it is lost, everything that waits and whatever is asked later is rejected.
 */
export class ShellConnection {
  readonly host: string;
  readonly #child: ChildProcessByStdio<Writable, Readable, Readable>;
  readonly #waiting: Waiting[] = [];
  readonly #alive: NodeJS.Timeout;
  readonly #closed: Promise<void>;
  /** Ends an answer that is no text. */
  readonly #mark: Buffer;
  #chunks: Buffer[] = [];
  /** Of `#chunks`, how many do not hold the end of the answer that is waited for. */
  #searched = 0;
  #length = 0;
  #complaint = '';
  #lost: RemoraError | null = null;
  #askedMs = performance.now();
  #greeted: { resolve: (shell: RemoteShell) => void; reject: (error: RemoraError) => void } | null = null;
  shell: RemoteShell = { pid: 0, littleEndian: true, uid: -1, sudo: false, nonblocking: false, speakerPid: null };

  /** Connects with the system's ssh, the user's configuration, keys and agent. Rejects with ssh's own words. */
  static async open(host: string): Promise<ShellConnection> {
    const connection = new ShellConnection(host);
    connection.shell = await new Promise((resolve, reject) => {
      connection.#greeted = { resolve, reject };
    });
    return connection;
  }

  private constructor(host: string) {
    this.host = host;
    const mark = randomBytes(16).toString('hex');
    this.#mark = Buffer.from(`\0${mark} `);
    this.#child = spawn('ssh', sshArguments(host, REMOTE_COMMAND(mark)), { stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdin.on('error', () => {});
    this.#child.stdout.on('data', (chunk: Buffer) => this.#receive(chunk));
    this.#child.stderr.setEncoding('utf8').on('data', (text: string) => {
      this.#complaint = (this.#complaint + text).slice(-2000);
    });
    this.#closed = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
        this.#lose(missing ? 'there is no `ssh` on this machine: install an OpenSSH client' : error.message);
        resolve();
      });
      this.#child.once('close', () => {
        this.#lose(this.#reason());
        resolve();
      });
    });
    this.#alive = setInterval(() => {
      if (performance.now() - this.#askedMs > ALIVE_MS) this.run(':').catch(() => {});
    }, ALIVE_MS / 2);
    this.#alive.unref();
    this.#child.stdin.write(REMOTE_SCRIPT);
  }

  get lost(): boolean {
    return this.#lost !== null;
  }

  /** What ssh said, without what it only remarks. */
  #reason(): string {
    // A login that comes to nothing may say why where a shell's output would be.
    const said = this.#greeted === null ? '' : this.#all().toString('utf8').slice(-500);
    const all = `${this.#complaint}\n${said}`.split(/\r?\n/);
    const lines = all.filter((line) => line.trim() !== '' && !/^(Warning|debug\d):/.test(line));
    return lines.map((line) => line.trim()).join('; ') || 'the connection was closed';
  }

  #lose(reason: string): void {
    if (this.#lost !== null) return;
    clearInterval(this.#alive);
    const what =
      this.#greeted === null ? `the connection to ${this.host} was lost` : `${this.host}: no shell could be reached`;
    this.#lost = new RemoraError({ code: 'file', message: `${what}: ${reason}` });
    this.#greeted?.reject(this.#lost);
    for (const waiting of this.#waiting.splice(0)) waiting.reject(this.#lost);
  }

  #ask(lines: readonly string[], blockBytes: number | null = null): Promise<Reply> {
    if (this.#lost !== null) return Promise.reject(this.#lost);
    for (const line of lines) {
      if (/[\n\0]/.test(line)) return Promise.reject(new Error('a line for a remote shell is one line'));
    }
    this.#askedMs = performance.now();
    return new Promise((resolve, reject) => {
      this.#waiting.push({ blockBytes, resolve, reject });
      this.#child.stdin.write(`${lines.join('\n')}\n`);
    });
  }

  /** Runs a line of POSIX shell; what it prints, errors included. */
  run(command: string): Promise<Reply> {
    return this.#ask([`run ${command}`]);
  }

  /** Writes a file that exists, in one call. */
  put(path: string, text: string): Promise<Reply> {
    return this.#ask([`put ${path}`, text.replace(/\n$/, '')]);
  }

  make(path: string): Promise<Reply> {
    return this.#ask([`make ${path}`]);
  }

  drop(path: string): Promise<Reply> {
    return this.#ask([`drop ${path}`]);
  }

  /** Up to `count` blocks of a file; zeros for those that could not be read. */
  async raw(path: string, blockBytes: number, count: number): Promise<Buffer> {
    const { bytes } = await this.#ask([`raw ${blockBytes} ${count} ${path}`], blockBytes);
    return bytes;
  }

  #receive(chunk: Buffer): void {
    this.#length += chunk.length;
    const last = this.#chunks.at(-1);
    if (last !== undefined && last.length < SMALL_CHUNK) this.#chunks.splice(-1, 1, Buffer.concat([last, chunk]));
    else this.#chunks.push(chunk);
    this.#searched = Math.min(this.#searched, this.#chunks.length - 1);
    if (this.#greeted !== null && !this.#greet()) return;
    while (this.#waiting.length > 0 && this.#answer());
  }

  /** Whatever a login prints comes first. */
  #greet(): boolean {
    const text = this.#all();
    const at = text.indexOf('\0remora ');
    const end = text.indexOf('\n', at);
    if (at < 0 || end < 0) return false;
    const words = text
      .toString('latin1', at + 1, end)
      .trim()
      .split(/\s+/);
    const [, pid, order, uid, sudo, option, speaker] = words;
    this.#drop(end + 1);
    const greeted = this.#greeted;
    this.#greeted = null;
    greeted?.resolve({
      pid: Number(pid),
      littleEndian: order === '1',
      uid: Number(uid),
      sudo: sudo === 'sudo',
      nonblocking: option !== '-',
      speakerPid: speaker === undefined || speaker === '-' ? null : Number(speaker),
    });
    return true;
  }

  /** Answers who waits first, if the answer is there as a whole. */
  #answer(): boolean {
    const [waiting] = this.#waiting as [Waiting];
    const { blockBytes } = waiting;
    const mark = blockBytes === null ? NUL : this.#mark;
    if (!this.#contains(mark)) return false;
    const all = this.#all();
    const at = all.indexOf(mark);
    const end = all.indexOf(10, at + mark.length);
    if (end < 0) return false;
    const status = Number(all.toString('latin1', at + mark.length, end));
    if (!Number.isInteger(status) || (blockBytes !== null && at % blockBytes !== 0)) return this.#garbled();
    this.#waiting.shift();
    const bytes = all.subarray(0, at);
    this.#drop(end + 1);
    waiting.resolve({ status, bytes });
    return true;
  }

  /** Whether the end of an answer is there. Long ones come in many pieces: each is looked at once, and they are put together once. */
  #contains(mark: Buffer): boolean {
    for (; this.#searched < this.#chunks.length; this.#searched++) {
      const chunk = this.#chunks[this.#searched] as Buffer;
      const before = this.#chunks[this.#searched - 1]?.subarray(1 - mark.length);
      if (chunk.includes(mark)) return true;
      if (
        before !== undefined &&
        mark.length > 1 &&
        Buffer.concat([before, chunk.subarray(0, mark.length)]).includes(mark)
      )
        return true;
    }
    return false;
  }

  #garbled(): false {
    this.#lose('what arrives is not what was asked for');
    this.#child.kill();
    return false;
  }

  #all(): Buffer {
    if (this.#chunks.length > 1) {
      this.#chunks = [Buffer.concat(this.#chunks, this.#length)];
      this.#searched = 0;
    }
    return this.#chunks[0] ?? Buffer.alloc(0);
  }

  #drop(bytes: number): void {
    const rest = this.#all().subarray(bytes);
    this.#chunks = rest.length === 0 ? [] : [rest];
    this.#length = rest.length;
    this.#searched = 0;
  }

  /** Leaves; the other end removes what it made. */
  async close(): Promise<void> {
    clearInterval(this.#alive);
    this.#child.stdin.end();
    const late = setTimeout(() => this.#child.kill(), LEAVE_MS);
    await this.#closed;
    clearTimeout(late);
  }
}

/** Nothing that asks, forwards or needs a terminal; a network that is gone is noticed within half a minute. */
function sshArguments(host: string, command: string): string[] {
  const options = {
    BatchMode: 'yes',
    ConnectTimeout: '15',
    ServerAliveInterval: '5',
    ServerAliveCountMax: '6',
    ClearAllForwardings: 'yes',
    RemoteCommand: 'none',
    EscapeChar: 'none',
  };
  const given = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return ['-T', '-x', '-a', ...given, '--', host, command];
}
