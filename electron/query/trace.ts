import type { CgroupInfo, EventTypeInfo, RecordingInfo, StreamInfo, TaskInfo } from '../../shared/model.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import type { CpuBytes } from '../parse/cpu-data.ts';
import type { EventFormat } from '../parse/event-format.ts';
import type { RecordAccess } from '../parse/record-access.ts';
import type { RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import type { SubBufferLayout } from '../parse/sub-buffer.ts';
import type { Chunk } from '../store/chunk-codec.ts';
import type { ChunkSelection, SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo, StoredEvent, StoredLost, WorkspaceStore } from '../store/workspace-store.ts';
import type { MemoryBudgets } from './budgets.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { EventPrinter, EventText } from './event-text.ts';

/**
 * An open workspace as the queries see it: what the recordings' heads say, the index in the store, and the bytes of the
 * recordings for payloads. Built by engine/open.ts, which owns it; queries borrow it.
 */
export interface Trace {
  store: WorkspaceStore;
  recordings: TraceRecording[];
  streams: TraceStream[];
  /** Absolute time of the workspace origin, ns. */
  originNs: bigint;
  durationNs: number;
  eventTypes: EventTypeInfo[];
  tasks: TaskInfo[];
  cgroups: CgroupInfo[];
  chunks: ChunkSource;
  budgets: MemoryBudgets;
  text: EventText;
  /** The cgroup that an event's field means at a time: an inode number in decimal, or a path. */
  cgroupAt(value: string, timeNs: number): CgroupInfo;
  /** What to call it; the latest meaning of an inode that was used again. */
  cgroupLabel(value: string): string;
  /** Page size of the traced machines' memory, for converting pages. */
  memoryPageBytes: number;
}

export interface TraceRecording {
  info: RecordingInfo;
  source: ByteSource;
  head: RecordingHead;
  /** Kernel id → index in `Trace.eventTypes`; -1 for ids that do not occur. */
  typeOfId: Int32Array;
  formatOfId: Map<number, EventFormat>;
  printer: EventPrinter;
  /** All `cgroup:*` events, and the first sched_switch of tasks without a name; null: the index has to be asked. */
  kept: readonly StoredEvent[] | null;
  /** Comm of a pid: saved_cmdlines, else what the recording's own sched_switch events say. */
  commOf(pid: number): string;
}

export interface TraceStream {
  info: StreamInfo;
  recording: TraceRecording;
  buffer: RecordingBuffer;
  layout: SubBufferLayout;
  /** How its records are found. */
  access: RecordAccess;
  /** Adds the workspace axis: workspace time = stream time + this. */
  offsetNs: number;
  /** What the store calls it. */
  stored: number;
  cpus: TraceCpu[];
}

/** One CPU's events of one stream. */
export interface TraceCpu {
  stream: number;
  cpu: number;
  /** Index behind the last event. */
  events: number;
  /** Index of the first event that is there: a flight recorder gives up what is oldest. 0 of any finished recording. */
  dropped: number;
  bytes: CpuBytes;
  chunks: ChunkInfo[];
  lost: StoredLost[];
}

/** The index, chunk by chunk. What it gives is shared: not to be written to. */
export interface ChunkSource {
  get(info: ChunkInfo): Chunk;
  /** The events of one kernel id of a chunk, without the others. May use `space`, which the caller then does not touch. */
  select(info: ChunkInfo, id: number, space: SelectionSpace): ChunkSelection;
}

/** Decoded chunks, the most recently used ones up to a budget. */
export class ChunkCache implements ChunkSource {
  readonly #store: WorkspaceStore;
  readonly #cache: ByteBudgetCache<number, Chunk>;

  constructor(store: WorkspaceStore, budgetBytes: number) {
    this.#store = store;
    this.#cache = new ByteBudgetCache(budgetBytes, (chunk) => chunk.count * (chunk.ordered ? 18 : 26));
  }

  get(info: ChunkInfo): Chunk {
    return this.#cache.get(info.id, () => this.#store.chunk(info));
  }

  /** Keeps a chunk that is known already. */
  put(info: ChunkInfo, chunk: Chunk): void {
    this.#cache.get(info.id, () => chunk);
  }

  select(info: ChunkInfo, id: number, space: SelectionSpace): ChunkSelection {
    return this.#store.select(info, id, space);
  }
}

/** The CPU named, or undefined. */
export function findCpu(trace: Trace, stream: number, cpu: number): TraceCpu | undefined {
  return trace.streams[stream]?.cpus.find((candidate) => candidate.cpu === cpu);
}

/** Gaps of a CPU in a window, on the workspace axis. */
export function lostIn(
  stream: TraceStream,
  cpu: TraceCpu,
  from: number,
  to: number,
): { atNs: number; count: number }[] {
  return cpu.lost
    .map(({ atNs, count }) => ({ atNs: atNs + stream.offsetNs, count }))
    .filter(({ atNs }) => atNs >= from && atNs < to);
}

/** Number of `values[from..to)` that are below `limit`, plus `from`: the first position that is not. Ascending input. */
export function lowerBound(values: ArrayLike<number>, limit: number, from = 0, to = values.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) < limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The first position in `values[from..to)` that is above `limit`. Ascending input. */
export function upperBound(values: ArrayLike<number>, limit: number, from = 0, to = values.length): number {
  let low = from;
  let high = to;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((values[middle] as number) <= limit) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The chunk that holds event `index` of a CPU. */
export function chunkOfIndex(cpu: TraceCpu, index: number): ChunkInfo | undefined {
  let low = 0;
  let high = cpu.chunks.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >>> 1;
    if ((cpu.chunks[middle] as ChunkInfo).firstIndex <= index) low = middle;
    else high = middle - 1;
  }
  const chunk = cpu.chunks[low];
  return chunk !== undefined && index >= chunk.firstIndex && index < chunk.firstIndex + chunk.count ? chunk : undefined;
}

/** Kernel id of the stream's sched_switch; -1 where the recording has none. */
export function switchId(stream: TraceStream): number {
  for (const { id, system, name } of stream.recording.formatOfId.values())
    if (system === 'sched' && name === 'sched_switch') return id;
  return -1;
}

/** How many events of `type` a chunk holds (kernel id). */
export function countInChunk(info: ChunkInfo, id: number): number {
  for (let i = 0; i < info.events.length; i += 2) if (info.events[i] === id) return info.events[i + 1] as number;
  return 0;
}

/** Kernel ids of a recording's events of one type (index into `Trace.eventTypes`), ascending. */
export function idsOfType({ typeOfId }: Pick<TraceRecording, 'typeOfId'>, type: number): number[] {
  const ids: number[] = [];
  for (let id = typeOfId.indexOf(type); id >= 0; id = typeOfId.indexOf(type, id + 1)) ids.push(id);
  return ids;
}
