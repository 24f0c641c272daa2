import type { CpuLane, LanesResult } from '../../shared/api.ts';
import { runSlices, type SwitchColumns } from '../derive/schedule.ts';
import { numberReader } from '../parse/field-access.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { FilteredList } from './filtered-list.ts';
import { eventDensity } from './lanes.ts';
import { coarserDensity, type DensityLevel, isLevel, wholeBuckets } from './levels.ts';
import { chunksAround } from './live-window.ts';
import { PayloadReader, positionOf } from './payload.ts';
import { reduceSlices } from './reduced-slices.ts';
import { countInChunk, lostIn, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

/** Switches in a window, over all CPUs, beyond which its lanes show density alone: zooming in shows who ran. */
const MOST_SWITCHES = 4_000_000;
/** The level that grows along starts at this resolution, a power of two, and is halved when it has this many buckets. */
const FIRST_LEVEL_NS = 2 ** 20;
const MOST_BUCKETS = 1 << 16;
const BLOCK_BYTES = 1 << 18;

/** sched_switch events of a chunk, as far as they were decoded. Columns have room for more than `n`. */
interface Switches {
  /** Events of the chunk that were looked at. */
  seen: number;
  n: number;
  time: Float64Array;
  prev: Int32Array;
  next: Int32Array;
}

interface GrowingLane {
  reader: PayloadReader;
  /** The open chunk's switches, by the index of its first event. */
  open: { firstIndex: number; switches: Switches } | null;
  /** Events of the chunks that are closed, and how many chunks are counted. */
  level: DensityLevel;
  counted: number;
}

/** Lanes of a workspace that grows: each event is decoded once, windows are put together from chunks. */
export class LiveLanes {
  readonly #trace: Trace;
  readonly #closed: ByteBudgetCache<number, Switches>;
  readonly #lanes = new Map<TraceCpu, GrowingLane>();

  constructor(trace: Trace) {
    this.#trace = trace;
    this.#closed = new ByteBudgetCache(trace.budgets.slices, ({ time }) => time.length * 16);
  }

  /** Windows take what is there. */
  async prepare(): Promise<void> {}

  window(fromNs: number, toNs: number, resolutionNs: number, filter: FilteredList | null = null): LanesResult {
    const { from, to, buckets } = wholeBuckets(fromNs, toNs, resolutionNs);
    const comms: Record<number, string> = {};
    const passing = filter?.density(from, resolutionNs, buckets);
    const lanes: CpuLane[] = [];
    for (const stream of this.#trace.streams) {
      const id = switchId(stream);
      const around = stream.cpus.map((cpu) => chunksAround(cpu.chunks, from - stream.offsetNs, to - stream.offsetNs));
      const switches = around.flat().reduce((sum, info) => sum + countInChunk(info, id), 0);
      stream.cpus.forEach((cpu, i) => {
        const own = switches > MOST_SWITCHES || id < 0 ? null : this.#slices(stream, cpu, around[i] as ChunkInfo[], id);
        const slices = own === null ? null : reduceSlices(own, from, to, resolutionNs);
        if (slices !== null) for (const pid of slices.pid) comms[pid] ??= stream.recording.commOf(pid);
        lanes.push({
          stream: stream.info.index,
          cpu: cpu.cpu,
          slices,
          density:
            passing === undefined
              ? this.#density(stream, cpu, from, resolutionNs, buckets)
              : (passing.get(cpu) ?? new Uint32Array(buckets)),
          lost: lostIn(stream, cpu, from, to),
        });
      });
    }
    return { fromNs: from, toNs: to, resolutionNs, lanes, comms };
  }

  #laneOf(stream: TraceStream, cpu: TraceCpu): GrowingLane {
    let lane = this.#lanes.get(cpu);
    if (lane === undefined) {
      const level = { resolutionNs: FIRST_LEVEL_NS, first: 0, counts: new Uint32Array(1024) };
      lane = { reader: new PayloadReader(stream, cpu, BLOCK_BYTES), open: null, level, counted: 0 };
      this.#lanes.set(cpu, lane);
    }
    return lane;
  }

  // ---- who ran -----------------------------------------------------------------------------------------------------

  #slices(stream: TraceStream, cpu: TraceCpu, chunks: readonly ChunkInfo[], id: number) {
    const parts = chunks
      .filter((info) => countInChunk(info, id) > 0)
      .map((info) => this.#switches(stream, cpu, info, id));
    const n = parts.reduce((sum, part) => sum + part.n, 0);
    const first = chunks[0];
    const last = chunks.at(-1);
    if (n === 0 || first === undefined || last === undefined) return null;
    const columns: SwitchColumns & { time: Float64Array; prevPid: Int32Array; nextPid: Int32Array } = {
      n,
      time: new Float64Array(n),
      prevPid: new Int32Array(n),
      nextPid: new Int32Array(n),
    };
    let at = 0;
    for (const part of parts) {
      columns.time.set(part.time.subarray(0, part.n), at);
      columns.prevPid.set(part.prev.subarray(0, part.n), at);
      columns.nextPid.set(part.next.subarray(0, part.n), at);
      at += part.n;
    }
    const { offsetNs } = stream;
    const end = Math.max(last.toNs, last.floorNs) + offsetNs;
    const lost = cpu.lost.map(({ atNs }) => atNs + offsetNs).filter((ns) => ns >= first.fromNs + offsetNs && ns <= end);
    return runSlices(columns, first.fromNs + offsetNs, end, lost);
  }

  #switches(stream: TraceStream, cpu: TraceCpu, info: ChunkInfo, id: number): Switches {
    const lane = this.#laneOf(stream, cpu);
    const known = lane.open?.firstIndex === info.firstIndex ? lane.open.switches : null;
    if (info.id >= 0) {
      if (known !== null) lane.open = null;
      return this.#closed.get(info.id, () => this.#decode(stream, lane, info, id, known ?? noSwitches()));
    }
    const switches = this.#decode(stream, lane, info, id, known ?? noSwitches());
    lane.open = { firstIndex: info.firstIndex, switches };
    return switches;
  }

  /** Goes on decoding a chunk where `switches` ends. */
  #decode(stream: TraceStream, lane: GrowingLane, info: ChunkInfo, id: number, switches: Switches): Switches {
    if (switches.seen >= info.count) return switches;
    const fields = stream.recording.formatOfId.get(id)?.fields ?? [];
    const reader = (name: string) => {
      const field = fields.find((candidate) => candidate.name === name);
      return field === undefined ? () => 0 : numberReader(field, stream.layout.abi);
    };
    const [prev, next] = [reader('prev_pid'), reader('next_pid')];
    const chunk = this.#trace.chunks.get(info);
    for (let i = switches.seen; i < chunk.count; i++) {
      if (chunk.id[i] !== id) continue;
      if (switches.n === switches.time.length) widen(switches);
      const { view, at, length } = lane.reader.read(positionOf(info, chunk, i));
      const k = switches.n++;
      // What goes backward within a CPU counts as if it did not: slices are found by search.
      switches.time[k] = (chunk.sortTime[i] as number) + stream.offsetNs;
      switches.prev[k] = prev(view, at, at + length);
      switches.next[k] = next(view, at, at + length);
    }
    switches.seen = chunk.count;
    return switches;
  }

  // ---- how many events ---------------------------------------------------------------------------------------------

  #density(stream: TraceStream, cpu: TraceCpu, from: number, resolutionNs: number, buckets: number): Uint32Array {
    const lane = this.#laneOf(stream, cpu);
    this.#count(lane, cpu);
    const { level } = lane;
    if (stream.offsetNs !== 0 || !isLevel(resolutionNs) || resolutionNs < level.resolutionNs)
      return eventDensity(this.#trace, stream, cpu, from, resolutionNs, buckets);
    const open = { ...cpu, chunks: cpu.chunks.slice(lane.counted) };
    const density = eventDensity(this.#trace, stream, open, from, resolutionNs, buckets);
    const end = Math.min(level.counts.length, (from + buckets * resolutionNs) / level.resolutionNs);
    for (let i = Math.max(0, from / level.resolutionNs); i < end; i++) {
      const bucket = Math.floor((i * level.resolutionNs - from) / resolutionNs);
      density[bucket] = (density[bucket] as number) + (level.counts[i] as number);
    }
    return density;
  }

  /** Adds the chunks that were closed since. */
  #count(lane: GrowingLane, cpu: TraceCpu): void {
    for (; (cpu.chunks[lane.counted]?.id ?? -1) >= 0; lane.counted++) {
      const info = cpu.chunks[lane.counted] as ChunkInfo;
      while (info.toNs / lane.level.resolutionNs >= MOST_BUCKETS) lane.level = coarserDensity(lane.level);
      const { resolutionNs } = lane.level;
      const last = Math.floor(info.toNs / resolutionNs);
      if (last >= lane.level.counts.length) {
        const wider = new Uint32Array(Math.min(MOST_BUCKETS, Math.max(last + 1, lane.level.counts.length * 2)));
        wider.set(lane.level.counts);
        lane.level = { ...lane.level, counts: wider };
      }
      const { counts } = lane.level;
      const { time, count } = this.#trace.chunks.get(info);
      for (let i = 0; i < count; i++) {
        const bucket = Math.max(0, Math.floor((time[i] as number) / resolutionNs));
        counts[bucket] = (counts[bucket] as number) + 1;
      }
    }
  }
}

/** Kernel id of the stream's sched_switch; -1 where it is not captured. */
function switchId(stream: TraceStream): number {
  for (const { id, system, name } of stream.recording.formatOfId.values())
    if (system === 'sched' && name === 'sched_switch') return id;
  return -1;
}

const FIRST_SWITCHES = 256;

const noSwitches = (): Switches => ({
  seen: 0,
  n: 0,
  time: new Float64Array(FIRST_SWITCHES),
  prev: new Int32Array(FIRST_SWITCHES),
  next: new Int32Array(FIRST_SWITCHES),
});

function widen(switches: Switches): void {
  const size = switches.time.length * 2;
  const [time, prev, next] = [new Float64Array(size), new Int32Array(size), new Int32Array(size)];
  time.set(switches.time);
  prev.set(switches.prev);
  next.set(switches.next);
  Object.assign(switches, { time, prev, next });
}
