// What a capture of an hour would leave in the engine's memory, in minutes: the data of a short recording goes round and round through the
// index of a growing one, each time later, as fast as it is taken in, and a window follows. Part of live.ts.
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { openFile } from '../../electron/engine/file-source.ts';
import type { GrownCpu } from '../../electron/engine/growing-index.ts';
import { LiveWorkspace } from '../../electron/engine/live-workspace.ts';
import { openCpuBytes } from '../../electron/parse/cpu-data.ts';
import { subBufferLayout } from '../../electron/parse/layout.ts';
import type { RecordingBuffer } from '../../electron/parse/recording.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { type Figure, figure } from './figures.ts';

/** An hour of a million events a second. */
const HOUR = 3.6e9;
/** Events taken in between two looks of the window. */
const STEP_EVENTS = 400_000;
/** Memory is looked at this often, and fitted where all caches are full. */
const SAMPLE_EVENTS = 10e6;
const FILLED = 0.6;
const FOLLOWED_NS = 5e9;
const LANES_NS = 2 ** 22;
/** A summary and the overview of all of it, once in so many steps. */
const SUMMARY_STEPS = 10;
const SHARED_MEMORY = '/dev/shm';
const OVERVIEW_BUCKETS = 700;
/** Caches that are full soon: what grows then is in no budget. */
const BUDGET_MIB = '128';
/** What an hour may leave behind. */
const MOST_MIB = 300;

interface Sample {
  events: number;
  rss: number;
  /** Objects that are reachable, without what typed arrays have outside of the heap. */
  heap: number;
}

/** One CPU's data twice, one after the other: what was read last can still be read when what follows is there. */
interface Ring {
  cpu: number;
  /** In the file. */
  offset: number;
  bytes: Uint8Array;
}

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

async function sample(events: number): Promise<Sample> {
  // Memory of typed arrays is freed beside and after a collection; the next one waits for that.
  for (let turn = 0; turn < 2; turn++) {
    collect();
    await new Promise((done) => setTimeout(done, 20));
  }
  const { rss, heapUsed } = process.memoryUsage();
  return { events, rss, heap: heapUsed };
}

/** Of the samples' straight line: bytes for each event. */
function slope(samples: readonly Sample[], of: (sample: Sample) => number): number {
  const mean = (value: (one: Sample) => number): number =>
    samples.reduce((sum, one) => sum + value(one), 0) / samples.length;
  const [x, y] = [mean(({ events }) => events), mean(of)];
  const both = mean((one) => (one.events - x) * (of(one) - y));
  return both / mean((one) => (one.events - x) ** 2);
}

/** What goes round: the CPUs' data of a recording, which ends `spanNs` after it begins. */
interface Rounds {
  rings: Ring[];
  spanNs: bigint;
  subBufferBytes: number;
}

function roundsOf(base: string, firstOffset: number): Rounds {
  const source = openFile(base);
  const head = readTraceDat(source);
  const [buffer] = head.buffers as [RecordingBuffer];
  const { subBufferBytes } = subBufferLayout(head, buffer);
  const rings: Ring[] = [];
  let offset = Math.ceil(firstOffset / subBufferBytes) * subBufferBytes;
  let [first, last] = [Number.POSITIVE_INFINITY, 0];
  for (const data of buffer.cpus) {
    const from = openCpuBytes(source, data, head.compression);
    const whole = from.size - (from.size % subBufferBytes);
    if (whole === 0) continue;
    const bytes = new Uint8Array(2 * whole);
    from.read(0, whole, bytes.subarray(0, whole));
    bytes.copyWithin(whole, 0, whole);
    const view = new DataView(bytes.buffer);
    first = Math.min(first, Number(view.getBigUint64(0, true)));
    last = Math.max(last, Number(view.getBigUint64(whole - subBufferBytes, true)));
    rings.push({ cpu: data.cpu, offset, bytes });
    offset += bytes.length;
  }
  source.close();
  // A sub-buffer that waits to be full is told after 40 ms.
  const spanNs = BigInt(last - first + 1e8);
  for (const { bytes } of rings) later(bytes.subarray(bytes.length / 2), subBufferBytes, spanNs);
  return { rings, spanNs, subBufferBytes };
}

/** A sub-buffer begins with its time, u64. */
function later(bytes: Uint8Array, subBufferBytes: number, ns: bigint): void {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  for (let at = 0; at < bytes.length; at += subBufferBytes)
    view.setBigUint64(at, view.getBigUint64(at, true) + ns, true);
}

/** Where a CPU's data is said to be when a share of a round has come: its second half is the round, the first the one before. */
function grown({ cpu, offset, bytes }: Ring, round: number, share: number, subBufferBytes: number): GrownCpu {
  const whole = bytes.length / 2;
  const here = Math.floor((whole / subBufferBytes) * share) * subBufferBytes;
  return { cpu, offset: offset + whole - round * whole, bytes: round * whole + here };
}

/** For glibc: what was freed goes back to the kernel, so that what is resident is what is held. Has to be there when a process starts. */
export const GIVE_BACK = { MALLOC_MMAP_THRESHOLD_: '65536' };

/** `base`: a recording of this machine, of a second or more. Makes its files in `folder`. */
export async function measureLong(base: string, folder: string, events: number): Promise<Figure> {
  // What is written round and round is not for the disk.
  const memory = existsSync(SHARED_MEMORY) ? mkdtempSync(join(SHARED_MEMORY, 'remora-bench-')) : folder;
  const path = join(memory, 'long.dat');
  const cacheFolder = join(folder, 'long-cache');
  mkdirSync(cacheFolder);
  copyFileSync(base, path);
  const { rings, spanNs, subBufferBytes } = roundsOf(base, statSync(base).size);
  const file = openSync(path, 'r+');
  process.env.REMORA_MEMORY_MIB = BUDGET_MIB;
  const live = new LiveWorkspace(path, cacheFolder);
  const { session } = live;
  const { signal } = new AbortController();
  const samples: Sample[] = [];
  const began = performance.now();
  let taken = 0;
  let steps = 0;
  /** What a window that follows asks for. */
  const look = async (): Promise<void> => {
    const { durationNs } = session.trace;
    await session.rows.page('', 'end', 60, { signal }, true);
    session.lanes.window(Math.max(0, durationNs - FOLLOWED_NS), durationNs, LANES_NS);
    if (steps++ % SUMMARY_STEPS > 0) return;
    live.summary();
    session.lanes.window(0, durationNs, 2 ** Math.ceil(Math.log2(durationNs / OVERVIEW_BUCKETS)), null, false);
  };
  try {
    for (let round = 0, parts = 1; taken < events; round++) {
      for (const { offset, bytes } of rings) {
        writeSync(file, bytes, 0, bytes.length, offset);
        later(bytes, subBufferBytes, spanNs);
      }
      for (let part = 1; part <= parts; part++) {
        live.advance(
          rings.map((ring) => grown(ring, round, part / parts, subBufferBytes)),
          true,
        );
        taken = live.growth?.events ?? 0;
        await look();
        if (taken >= SAMPLE_EVENTS * (samples.length + 1)) samples.push(await sample(taken));
      }
      if (round === 0) parts = Math.max(1, Math.round(taken / STEP_EVENTS));
    }
  } finally {
    closeSync(file);
    live.discard();
    rmSync(memory === folder ? path : memory, { recursive: true });
  }
  const seconds = (performance.now() - began) / 1000;
  return longFigure(samples, seconds);
}

function longFigure(samples: readonly Sample[], seconds: number): Figure {
  const filled = samples.filter(({ events }) => events >= FILLED * (samples.at(-1)?.events ?? 0));
  const resident = slope(filled, ({ rss }) => rss);
  const heap = slope(filled, (one) => one.heap);
  const [first, last] = [filled[0] as Sample, filled.at(-1) as Sample];
  const mib = (bytes: number): string => `${(bytes / 2 ** 20).toFixed(0)} MiB`;
  const more = [
    `resident ${mib(first.rss)} at ${(first.events / 1e6).toFixed(0)} M events, ${mib(last.rss)} at ${(last.events / 1e6).toFixed(0)} M`,
    `${(resident * 1000).toFixed(2)} bytes per thousand events, of objects ${(heap * 1000).toFixed(2)}`,
    `${(last.events / seconds / 1e6).toFixed(1)} M events/s`,
  ].join('; ');
  return figure('engine grows in an hour of 1 M/s', { most: MOST_MIB }, (resident * HOUR) / 2 ** 20, 'MiB', more);
}
