import { type CpuStats, parseStats } from './instance.ts';
import type { Ring, SubBufferSizes } from './machine.ts';
import type { ShellConnection } from './shell-connection.ts';

/** Sub-buffers that one dd takes: what is on its way is kept in memory here. */
const MOST_AT_ONCE = 1024;
/** Fewer are not worth a process, unless somebody waits or they are an eighth of the buffer. */
const WORTH_IT = 16;
/** A record's header and the common fields that every event has. */
const SMALLEST_EVENT = 12;
/** USER_HZ of all machines that Linux runs on. */
const TICKS_PER_SECOND = 100;

interface RemoteCpu {
  cpu: number;
  stats: CpuStats;
  statsText: string;
}

/**
 * Ring buffers at the other end of a connection. `stats` tells how many whole sub-buffers there are, one dd for a CPU takes them.
 * A dd that can only wait for events must never be asked for a sub-buffer that is not there: it would keep everything else waiting.
 */
export class RemoteRing implements Ring {
  readonly cpus: RemoteCpu[];
  readonly #connection: ShellConnection;
  readonly #perCpu: string;
  readonly #subBuffer: SubBufferSizes;
  readonly #refresh: string;
  readonly #bound: Bound;
  #ticks = 0;

  /** `bufferBytes`: of each CPU. */
  constructor(
    connection: ShellConnection,
    perCpu: string,
    cpus: readonly number[],
    subBuffer: SubBufferSizes,
    bufferBytes: number,
  ) {
    this.#connection = connection;
    this.#perCpu = perCpu;
    this.#subBuffer = subBuffer;
    const { bytes, dataBytes } = subBuffer;
    const worthIt = Math.max(1, Math.min(WORTH_IT, Math.floor(bufferBytes / bytes / 8)));
    this.#bound = { dataBytes, nonblocking: connection.shell.nonblocking, worthIt };
    this.cpus = cpus.map((cpu) => ({ cpu, stats: { entries: 0, bytes: 0, lost: 0, read: 0 }, statsText: '' }));
    const files = cpus.map((cpu) => `cpu${cpu}/stats`).join(' ');
    this.#refresh = `cd '${perCpu}' && cat ${files} /proc/${connection.shell.pid}/stat`;
  }

  /** Of the script and what it started; what ssh takes there is not known. */
  usedSeconds(): number {
    return this.#ticks / TICKS_PER_SECOND;
  }

  async refresh(): Promise<void> {
    const { bytes } = await this.#connection.run(this.#refresh);
    const text = bytes.toString('latin1');
    const parts = text.split(/^(?=entries: )/m);
    const stat = /^\d+ \(.*\) .*$/m.exec(parts.at(-1) ?? '');
    parts.forEach((part, index) => {
      const cpu = this.cpus[index];
      if (cpu === undefined) return;
      cpu.statsText = index === parts.length - 1 ? part.slice(0, part.length - (stat?.[0].length ?? 0) - 1) : part;
      cpu.stats = parseStats(cpu.statsText);
    });
    // proc(5): utime, stime, cutime, cstime are fields 14 to 17, those behind the name begin with the third.
    const fields = stat?.[0].slice(stat[0].lastIndexOf(')') + 2).split(' ') ?? [];
    this.#ticks = fields.slice(11, 15).reduce((sum, ticks) => sum + Number(ticks), 0);
  }

  async drain(partial: boolean, take: (index: number, bytes: Buffer) => void): Promise<number> {
    await this.refresh();
    const taken = await Promise.all(
      this.cpus.map(({ stats }, index) => this.#take(index, wanted(stats, partial, this.#bound), take)),
    );
    return taken.reduce((sum, count) => sum + count, 0);
  }

  async #take(index: number, count: number, take: (index: number, bytes: Buffer) => void): Promise<number> {
    if (count === 0) return 0;
    const { bytes: size } = this.#subBuffer;
    const { cpu } = this.cpus[index] as RemoteCpu;
    const bytes = await this.#connection.raw(`${this.#perCpu}/cpu${cpu}/trace_pipe_raw`, size, count);
    const filled = withoutEmpty(bytes, size);
    if (filled.length > 0) take(index, filled);
    return filled.length / size;
  }

  /** Each dd has closed what it read. */
  close(): void {}
}

export interface Bound {
  /** What of a sub-buffer events can take. */
  dataBytes: number;
  /** One too many can be asked for. */
  nonblocking: boolean;
  /** Fewer are left for later. */
  worthIt: number;
}

/** How many sub-buffers to ask a CPU for. */
export function wanted(
  { entries, bytes }: CpuStats,
  partial: boolean,
  { dataBytes, nonblocking, worthIt }: Bound,
): number {
  if (entries === 0) return 0;
  let whole = Math.floor(bytes / dataBytes);
  // Kernels before 6.6 count bytes of events that were read one by one as still there; what they count as events is exact, and so
  // many of the smallest fill at least these.
  if (!nonblocking) whole = Math.min(whole, Math.floor(entries / Math.floor(dataBytes / SMALLEST_EVENT)));
  if (partial) return Math.min(MOST_AT_ONCE, nonblocking ? whole + 1 : Math.max(1, whole));
  return whole < worthIt ? 0 : Math.min(MOST_AT_ONCE, whole);
}

/** Blocks that dd could not read may be zeros: no sub-buffer with events has the time 0 and no bytes. */
export function withoutEmpty(bytes: Buffer, size: number): Buffer {
  const kept: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) {
    const block = bytes.subarray(at, at + size);
    if (block.subarray(0, 16).some((byte) => byte !== 0)) kept.push(block);
  }
  return kept.length * size === bytes.length ? bytes : Buffer.concat(kept);
}
