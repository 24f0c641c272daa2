import type { CpuLane, LanesResult } from '../../shared/api.ts';
import { runSlices, type SwitchColumns } from '../derive/schedule.ts';
import { numberReader } from '../parse/field-access.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { FilteredList } from './filtered-list.ts';
import { GrowingDensity } from './growing-density.ts';
import { wholeBuckets } from './levels.ts';
import { chunksAround, MOST_SWITCHES } from './live-window.ts';
import { PayloadReader, positionOf } from './payload.ts';
import { reduceSlices } from './reduced-slices.ts';
import { countInChunk, lostIn, switchId, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;
/** Of a switch in memory, and of a chunk's beside them. */
const SWITCH_BYTES = 16;
const SWITCHES_BYTES = 1024;

/** sched_switch events of a chunk, as far as they were decoded. Columns of a chunk that is open have room for more than `n`. */
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
  density: GrowingDensity;
}

/** Lanes of a workspace that grows: each event is decoded once, windows are put together from chunks. */
export class LiveLanes {
  readonly #trace: Trace;
  readonly #closed: ByteBudgetCache<number, Switches>;
  readonly #lanes = new Map<TraceCpu, GrowingLane>();

  constructor(trace: Trace) {
    this.#trace = trace;
    // Twice the window that shows most: a capture of hours does not fill what a whole recording may take.
    const mostBytes = 2 * MOST_SWITCHES * SWITCH_BYTES;
    this.#closed = new ByteBudgetCache(
      Math.min(trace.budgets.slices, mostBytes),
      ({ n }) => SWITCHES_BYTES + n * SWITCH_BYTES,
    );
  }

  /** Windows take what is there. */
  async prepare(): Promise<void> {}

  window(
    fromNs: number,
    toNs: number,
    resolutionNs: number,
    filter: FilteredList | null = null,
    wanted = true,
  ): LanesResult {
    const { from, to, buckets } = wholeBuckets(fromNs, toNs, resolutionNs);
    const comms: Record<number, string> = {};
    const passing = filter?.density(from, resolutionNs, buckets);
    const lanes: CpuLane[] = [];
    for (const stream of this.#trace.streams) {
      const id = switchId(stream);
      const around = stream.cpus.map((cpu) => chunksAround(cpu.chunks, from - stream.offsetNs, to - stream.offsetNs));
      const switches = around.flat().reduce((sum, info) => sum + countInChunk(info, id), 0);
      stream.cpus.forEach((cpu, i) => {
        const own =
          !wanted || switches > MOST_SWITCHES || id < 0
            ? null
            : this.#slices(stream, cpu, around[i] as ChunkInfo[], id);
        const slices = own === null ? null : reduceSlices(own, from, to, resolutionNs);
        if (slices !== null) for (const pid of slices.pid) comms[pid] ??= stream.recording.commOf(pid);
        lanes.push({
          stream: stream.info.index,
          cpu: cpu.cpu,
          slices,
          density:
            passing === undefined
              ? this.#laneOf(stream, cpu).density.window(cpu, from, resolutionNs, buckets)
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
      const density = new GrowingDensity(this.#trace, stream);
      lane = { reader: new PayloadReader(stream, cpu, BLOCK_BYTES), open: null, density };
      this.#lanes.set(cpu, lane);
    }
    return lane;
  }

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
      return this.#closed.get(info.id, () => fitted(this.#decode(stream, lane, info, id, known ?? noSwitches())));
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
}

const FIRST_SWITCHES = 256;

const noSwitches = (): Switches => ({
  seen: 0,
  n: 0,
  time: new Float64Array(FIRST_SWITCHES),
  prev: new Int32Array(FIRST_SWITCHES),
  next: new Int32Array(FIRST_SWITCHES),
});

/** Without the room for more, in one piece of memory: three cost more than what most chunks have. */
function fitted({ seen, n, time, prev, next }: Switches): Switches {
  const memory = new ArrayBuffer(n * SWITCH_BYTES);
  const own = {
    seen,
    n,
    time: new Float64Array(memory, 0, n),
    prev: new Int32Array(memory, n * 8, n),
    next: new Int32Array(memory, n * 12, n),
  };
  own.time.set(time.subarray(0, n));
  own.prev.set(prev.subarray(0, n));
  own.next.set(next.subarray(0, n));
  return own;
}

function widen(switches: Switches): void {
  const size = switches.time.length * 2;
  const [time, prev, next] = [new Float64Array(size), new Int32Array(size), new Int32Array(size)];
  time.set(switches.time);
  prev.set(switches.prev);
  next.set(switches.next);
  Object.assign(switches, { time, prev, next });
}
