import { RemoraError } from '../../shared/errors.ts';
import { bytesSource } from './byte-source.ts';
import { Cursor, latin1 } from './cursor.ts';
import type { RecordingBuffer, TimeShift } from './recording.ts';
import type { HeadInProgress } from './trace-dat-sections.ts';

/** Option ids and names: trace-cmd.dat.v7(5), "Options section". Version 6 uses the same ids up to 14. */
const names: Record<number, string> = {
  1: 'date',
  2: 'cpustat',
  3: 'buffer',
  4: 'traceclock',
  5: 'uname',
  6: 'hook',
  7: 'offset',
  8: 'cpucount',
  9: 'version',
  10: 'procmaps',
  11: 'traceid',
  12: 'time_shift',
  13: 'guest',
  14: 'tsc2nsec',
  15: 'strings',
  16: 'header_info',
  17: 'ftrace_events',
  18: 'event_formats',
  19: 'kallsyms',
  20: 'printk',
  21: 'cmdlines',
  22: 'buffer_text',
  23: 'saved_tgids',
};

/**
 * Reads `u16 id, u32 size, data` until id 0. In version 7 the closing option holds the offset of the next options
 * section, which goes to `next`.
 */
export function readOptionList(
  cursor: Cursor,
  add: (id: number, data: Uint8Array, offset: number) => void,
  next?: (offset: number) => void,
): void {
  for (;;) {
    const at = cursor.offset;
    const id = cursor.u16();
    if (id === 0) {
      if (next !== undefined && cursor.remaining >= 12) {
        cursor.u32();
        next(cursor.size64());
      }
      return;
    }
    const size = cursor.u32();
    if (size > cursor.remaining) throw cursor.fail(`option ${id} of ${size} bytes`, `${cursor.remaining} left`, at);
    add(id, cursor.bytes(size), cursor.place(at).offset);
  }
}

interface FoundBuffer7 {
  /** Of the option. */
  offset: number;
  sectionOffset: number;
  name: string;
  clock: string;
  pageBytes: number;
  cpus: { cpu: number; offset: number; bytes: number }[];
}

/**
 * Decodes options into the head. An option whose size is not the expected one is kept, not trusted: vendors reuse ids.
 * Time corrections apply to all buffers, and options may come in any order, so `finish` completes them.
 */
export class OptionReader {
  readonly #head: HeadInProgress;
  readonly #littleEndian: boolean;
  #offsetNs = 0n;
  #ticks: RecordingBuffer['time']['ticks'] = null;
  readonly #shifts = new Map<number, TimeShift[]>();
  #interpolateShifts = false;
  /** Version 6: instances and where their CPU tables lie. */
  readonly instances6: { name: string; offset: number }[] = [];
  readonly buffers7: FoundBuffer7[] = [];
  /** Version 7: sections by id, in file order. */
  readonly sections: { id: number; offset: number }[] = [];
  latency7: { offset: number; name: string } | null = null;

  constructor(head: HeadInProgress, littleEndian: boolean) {
    this.#head = head;
    this.#littleEndian = littleEndian;
  }

  /** A buffer with what is known so far; `finish` fills in its time correction. */
  buffer(name: string, clock: string): RecordingBuffer {
    return {
      name,
      clock,
      subBufferBytes: this.#head.pageBytes,
      cpus: [],
      time: { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false },
    };
  }

  add(id: number, data: Uint8Array, offset: number): void {
    const name = names[id] ?? `unknown-${id}`;
    this.#head.options.push({ id, name, offset, data });
    const cursor = new Cursor(bytesSource(data, this.#head.file), 0, `option ${name}`);
    cursor.littleEndian = this.#littleEndian;
    try {
      this.#decode(id, cursor, data, offset);
    } catch (error) {
      if (!(error instanceof RemoraError)) throw error;
      this.#head.warnings.push({
        file: this.#head.file,
        offset,
        section: `option ${name}`,
        message: `${data.length} bytes do not hold what this option should (${error.message}): kept, not used`,
      });
    }
  }

  #decode(id: number, cursor: Cursor, data: Uint8Array, offset: number): void {
    const head = this.#head;
    switch (id) {
      case 1: {
        // Microseconds, in any base that strtoll takes.
        const value = parseInteger(text(data));
        if (value !== null) this.#offsetNs += value * 1000n;
        return;
      }
      case 3:
        if (head.version === 6) this.instances6.push({ offset: cursor.size64(), name: cursor.text() });
        else this.buffers7.push(readBuffer7(cursor, offset));
        return;
      case 4:
        head.traceClock = selectedClock(text(data));
        return;
      case 5:
        head.uname = text(data);
        return;
      case 7: {
        const value = parseInteger(text(data));
        if (value !== null) this.#offsetNs += value;
        return;
      }
      case 8:
        if (data.length === 4) head.cpuCount = cursor.u32();
        return;
      case 12:
        this.#readTimeShift(cursor);
        return;
      case 14:
        if (data.length === 16) this.#ticks = { multiplier: cursor.u32(), shift: cursor.u32() };
        return;
      case 16:
      case 17:
      case 18:
      case 19:
      case 20:
      case 21:
        if (head.version === 7 && data.length === 8) this.sections.push({ id, offset: cursor.size64() });
        return;
      case 22:
        if (head.version === 7) this.latency7 = { offset: cursor.size64(), name: cursor.text() };
        return;
      case 23:
        readTgids(text(data), head.tgids);
        return;
      default:
    }
  }

  /** u64 peer, u32 flags, u32 cpus { u32 count, u64 times[], u64 offsets[], u64 scalings[] } { u64 fraction bits[] } */
  #readTimeShift(cursor: Cursor): void {
    cursor.u64();
    const interpolate = (cursor.u32() & 1) !== 0;
    const cpus = cursor.u32();
    const read: TimeShift[][] = [];
    for (let cpu = 0; cpu < cpus; cpu++) {
      const count = cursor.u32();
      if (count * 24 > cursor.remaining) throw cursor.fail(`${count} corrections`, `${cursor.remaining} bytes`);
      const column = (): bigint[] => Array.from({ length: count }, () => cursor.u64());
      const [times, offsets, scalings] = [column(), column(), column()];
      read.push(
        times.map((time, i) => ({
          time,
          offset: BigInt.asIntN(64, offsets[i] as bigint),
          scaling: scalings[i] as bigint,
          fraction: 0n,
        })),
      );
    }
    if (cursor.remaining > 0) for (const shift of read.flat()) shift.fraction = cursor.u64();
    this.#interpolateShifts = interpolate;
    // Of two such options the last one counts, as a whole.
    this.#shifts.clear();
    read.forEach((shifts, cpu) => {
      this.#shifts.set(cpu, inOrder(shifts));
    });
  }

  finish(): void {
    for (const buffer of this.#head.buffers) {
      buffer.time = {
        offsetNs: this.#offsetNs,
        ticks: this.#ticks,
        shifts: this.#shifts,
        interpolateShifts: this.#interpolateShifts,
      };
    }
  }
}

/** u64 section offset, name, clock, u32 page size, u32 cpus { u32 cpu, u64 offset, u64 size } */
function readBuffer7(cursor: Cursor, offset: number): FoundBuffer7 {
  const found: FoundBuffer7 = {
    offset,
    sectionOffset: cursor.size64(),
    name: cursor.text(),
    clock: selectedClock(cursor.text()),
    pageBytes: cursor.u32(),
    cpus: [],
  };
  const count = cursor.u32();
  if (count * 20 > cursor.remaining) throw cursor.fail(`${count} CPUs`, `${cursor.remaining} bytes`);
  for (let i = 0; i < count; i++)
    found.cpus.push({ cpu: cursor.u32(), offset: cursor.size64(), bytes: cursor.size64() });
  return found;
}

/** An option's string, up to its NUL. */
function text(data: Uint8Array): string {
  const end = data.indexOf(0);
  return latin1(end < 0 ? data : data.subarray(0, end));
}

/** `trace_clock` lists all clocks with the chosen one in brackets; a recording may also hold its bare name. */
function selectedClock(content: string): string {
  return /\[([^\]]+)\]/.exec(content)?.[1] ?? content.trim();
}

/** What C's strtoll(…, 0) takes: optional sign, 0x hexadecimal, 0 octal, else decimal; null where no digit follows. */
function parseInteger(content: string): bigint | null {
  const match = /^\s*([+-]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)/.exec(content);
  if (match === null) return null;
  const digits = match[2] as string;
  const value = BigInt(/^0[0-7]+$/.test(digits) ? `0o${digits.slice(1)}` : digits);
  return match[1] === '-' ? -value : value;
}

/** saved_tgids: lines `pid tgid`. */
function readTgids(content: string, tgids: Map<number, number>): void {
  for (const match of content.matchAll(/^\s*(\d+) (\d+)$/gm)) tgids.set(Number(match[1]), Number(match[2]));
}

/** By time; of several at one time the first. */
function inOrder(shifts: readonly TimeShift[]): TimeShift[] {
  const sorted = shifts.toSorted((a, b) => (a.time < b.time ? -1 : a.time > b.time ? 1 : 0));
  return sorted.filter(({ time }, i) => i === 0 || time !== sorted[i - 1]?.time);
}
