import type { EventTypeInfo, StreamInfo, TaskInfo, WorkspaceSummary } from '../../shared/model.ts';
import { subBufferLayout } from '../parse/layout.ts';
import { ringBufferAccess } from '../parse/record-access.ts';
import type { RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import type { EventColumns } from '../parse/sub-buffer.ts';
import { memoryBudgets } from '../query/budgets.ts';
import { ByteBudgetCache } from '../query/byte-budget-cache.ts';
import { EventText } from '../query/event-text.ts';
import { ChunkCache, type ChunkSource, type Trace, type TraceCpu, type TraceStream } from '../query/trace.ts';
import type { Chunk } from '../store/chunk-codec.ts';
import { type ChunkSelection, SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo, WorkspaceStore } from '../store/workspace-store.ts';
import { clockUnits, describeRecording, eventTypeOf } from './build-trace.ts';
import { GrowingCpuBytes, type GrowingFile } from './growing-file.ts';
import type { GrowingCpu, GrowingIndex, OpenChunk } from './growing-index.ts';

/** The same windows are asked for again and again: what was selected of their chunks is kept. */
const SELECTED_BYTES = 1 << 26;

/** Chunks of the store, and those that are not full yet: their columns are borrowed from the index. */
class LiveChunks implements ChunkSource {
  readonly #stored: ChunkCache;
  readonly #open = new WeakMap<ChunkInfo, Chunk>();
  readonly #selected = new ByteBudgetCache<string, ChunkSelection>(SELECTED_BYTES, ({ n }) => 64 + n * 20);

  constructor(store: WorkspaceStore, budgetBytes: number) {
    this.#stored = new ChunkCache(store, budgetBytes);
  }

  /** A chunk that is not full yet. */
  add(info: ChunkInfo, chunk: Chunk): void {
    this.#open.set(info, chunk);
  }

  /** One that was closed just now: it need not be read back. */
  close(info: ChunkInfo, columns: EventColumns): void {
    const { count, ordered, floorNs } = info;
    const sortTime = ordered ? columns.time : sorted(columns.time, floorNs).sortTime;
    this.#stored.put(info, { ...columns, count, ordered, sortTime });
  }

  get(info: ChunkInfo): Chunk {
    return this.#open.get(info) ?? this.#stored.get(info);
  }

  /** Selections are kept, and so have memory of their own. */
  select(info: ChunkInfo, id: number): ChunkSelection {
    const chunk = this.#open.get(info);
    if (chunk === undefined)
      return this.#selected.get(`${info.id} ${id}`, () => this.#stored.select(info, id, new SelectionSpace()));
    const at = new Uint32Array(chunk.count);
    let n = 0;
    for (let i = 0; i < chunk.count; i++) if (chunk.id[i] === id) at[n++] = i;
    const found = at.slice(0, n);
    const take = <T extends Float64Array | Int32Array | Uint32Array>(column: T, into: T): T => {
      for (let k = 0; k < n; k++) into[k] = column[found[k] as number] as number;
      return into;
    };
    return {
      n,
      at: found,
      time: take(chunk.time, new Float64Array(n)),
      pid: take(chunk.pid, new Int32Array(n)),
      position: take(chunk.position, new Uint32Array(n)),
    };
  }
}

/** A trace that follows a growing index: what queries borrow stays in place and is brought up to date by `grow`. */
export class LiveTrace {
  readonly trace: Trace;
  readonly #index: GrowingIndex;
  readonly #file: GrowingFile;
  readonly #head: RecordingHead;
  readonly #chunks: LiveChunks;
  readonly #typeByKey = new Map<string, EventTypeInfo>();
  readonly #bytes = new Map<number, GrowingCpuBytes>();
  readonly #openCounts = new Uint32Array(65_536);

  /** `nameOf`: what a task is called. */
  constructor(
    file: GrowingFile,
    head: RecordingHead,
    store: WorkspaceStore,
    index: GrowingIndex,
    nameOf: (pid: number) => string,
  ) {
    this.#index = index;
    this.#file = file;
    this.#head = head;
    const budgets = memoryBudgets();
    this.#chunks = new LiveChunks(store, budgets.chunks);
    const { recording } = describeRecording({ source: file, head }, []);
    recording.commOf = nameOf;
    recording.info.bytes = 0;
    this.trace = {
      store,
      recordings: [recording],
      streams: [],
      originNs: 0n,
      durationNs: 0,
      eventTypes: [],
      tasks: [],
      cgroups: [],
      chunks: this.#chunks,
      budgets,
      text: undefined as never,
      cgroupAt: (ino) => ({ ino, path: '' }),
      cgroupLabel: (value) => value,
      memoryPageBytes: head.pageBytes,
    };
    this.trace.text = new EventText(this.trace);
    // What may come is known before it comes: it can be plotted and filtered for already.
    for (const { id, system } of head.formats) if (system !== 'ftrace') this.#typeOf(id);
  }

  #typeOf(id: number): EventTypeInfo {
    const [recording] = this.trace.recordings as [Trace['recordings'][number]];
    const known = this.trace.eventTypes[recording.typeOfId[id] as number];
    if (known !== undefined) return known;
    const info = eventTypeOf(recording.formatOfId.get(id), id, this.#typeByKey, this.trace.eventTypes);
    recording.typeOfId[id] = info.type;
    return info;
  }

  /** True once there is something to look at. */
  get begun(): boolean {
    return this.trace.streams.length > 0;
  }

  get lost(): number {
    return this.trace.streams[0]?.info.lost ?? 0;
  }

  get events(): number {
    return this.trace.streams[0]?.info.events ?? 0;
  }

  /** Takes over what the index has by now. */
  grow(): void {
    const { trace } = this;
    const { origin } = this.#index;
    if (origin === null) return;
    trace.originNs = origin;
    const stream = trace.streams[0] ?? this.#begin(String(origin));
    for (const grown of this.#index.cpus()) this.#growCpu(stream, grown);
    const chunks = stream.cpus.flatMap((cpu) => cpu.chunks.at(-1) ?? []);
    const firsts = stream.cpus.flatMap((cpu) => (cpu.dropped > 0 ? (cpu.chunks[0]?.fromNs ?? []) : 0));
    trace.durationNs = chunks.reduce((most, chunk) => Math.max(most, chunk.toNs, chunk.floorNs), trace.durationNs);
    const { info } = stream;
    info.cpus = stream.cpus.map(({ cpu }) => cpu);
    info.events = stream.cpus.reduce((sum, cpu) => sum + cpu.events - cpu.dropped, 0);
    info.fromNs = firsts.length === 0 ? trace.durationNs : Math.min(...firsts);
    info.toNs = trace.durationNs;
    const lost = stream.cpus.flatMap((cpu) => cpu.lost);
    info.lost = lost.reduce((sum, { count }) => sum + Math.max(0, count), 0);
    info.gaps = lost.filter(({ count }) => count < 0).length;
  }

  #begin(originNs: string): TraceStream {
    const head = this.#head;
    const buffer = head.buffers[0] as RecordingBuffer;
    const layout = subBufferLayout(head, buffer);
    const { name, clock } = buffer;
    const timeUnit: StreamInfo['timeUnit'] = clockUnits[clock] ?? 'ns';
    const place = { index: 0, recording: 0, name, clock, timeUnit, cpus: [], originNs, fromNs: 0, toNs: 0 };
    const stream: TraceStream = {
      info: { ...place, events: 0, lost: 0, gaps: 0, eventTypes: [] },
      recording: this.trace.recordings[0] as Trace['recordings'][number],
      buffer,
      layout,
      access: ringBufferAccess(layout),
      offsetNs: 0,
      // Nothing is kept for later openings while it grows.
      stored: -1,
      cpus: [],
    };
    this.trace.streams.push(stream);
    return stream;
  }

  #growCpu(stream: TraceStream, grown: GrowingCpu): void {
    let bytes = this.#bytes.get(grown.cpu);
    let cpu = stream.cpus.find((known) => known.cpu === grown.cpu);
    if (bytes === undefined || cpu === undefined) {
      bytes = new GrowingCpuBytes(this.#file, grown.cpu);
      this.#bytes.set(grown.cpu, bytes);
      cpu = { stream: 0, cpu: grown.cpu, events: 0, dropped: 0, bytes, chunks: [], lost: [] };
      stream.cpus.push(cpu);
      stream.cpus.sort((a, b) => a.cpu - b.cpu);
    }
    bytes.offset = grown.dataOffset;
    bytes.size = grown.dataBytes;
    cpu.lost = [...grown.lost];
    for (const { info, columns } of grown.closed) this.#chunks.close(info, columns);
    this.#growChunks(cpu, grown);
  }

  #growChunks(cpu: TraceCpu, { chunks, open, dropped }: GrowingCpu): void {
    const events = open.firstIndex + open.count;
    if (cpu.events === events && cpu.dropped === dropped) return;
    cpu.events = events;
    if ((cpu.chunks.at(-1)?.id ?? 0) < 0) cpu.chunks.pop();
    if (cpu.dropped !== dropped) cpu.chunks = cpu.chunks.filter(({ firstIndex }) => firstIndex >= dropped);
    cpu.dropped = dropped;
    for (const closed of chunks.slice(cpu.chunks.length)) {
      cpu.chunks.push(closed);
      for (let i = 0; i < closed.events.length; i += 2) this.#typeOf(closed.events[i] as number);
    }
    if (open.count > 0) cpu.chunks.push(this.#openChunk(cpu, open));
  }

  #openChunk(cpu: TraceCpu, { firstIndex, count, columns, basePosition }: OpenChunk): ChunkInfo {
    const time = columns.time.subarray(0, count);
    const before = cpu.chunks.at(-1);
    const floorNs = before === undefined ? Number.NEGATIVE_INFINITY : Math.max(before.floorNs, before.toNs);
    const { sortTime, ordered, fromNs, toNs } = sorted(time, floorNs);
    const events = this.#countEvents(columns.id, count);
    const place = { id: -1 - cpu.cpu, stream: 0, cpu: cpu.cpu, firstIndex, count, fromNs, toNs };
    const info: ChunkInfo = { ...place, ordered, basePosition, floorNs, events, rareBelow: 0 };
    const { id, pid, position } = columns;
    const cut = { id: id.subarray(0, count), pid: pid.subarray(0, count), position: position.subarray(0, count) };
    this.#chunks.add(info, { count, ordered, time, sortTime, ...cut });
    return info;
  }

  /** `[id, count, …]`. */
  #countEvents(ids: Uint16Array, count: number): Uint32Array {
    const counts = this.#openCounts;
    const seen: number[] = [];
    for (let i = 0; i < count; i++) {
      const id = ids[i] as number;
      if (counts[id] === 0) seen.push(id);
      counts[id] = (counts[id] as number) + 1;
    }
    const events = new Uint32Array(seen.length * 2);
    seen.forEach((id, i) => {
      events[i * 2] = id;
      events[i * 2 + 1] = counts[id] as number;
      counts[id] = 0;
      this.#typeOf(id);
    });
    return events;
  }

  /** The workspace as it is by now. Proportional to kinds of events and tasks. */
  summary(workspaceId: string): WorkspaceSummary {
    const { trace } = this;
    const counts = new Map(this.#index.eventTotals);
    const tasks = new Map(this.#index.pidTotals);
    for (const { chunks } of trace.streams[0]?.cpus ?? []) {
      const last = chunks.at(-1);
      if (last === undefined || last.id >= 0) continue;
      for (let i = 0; i < last.events.length; i += 2)
        add(counts, last.events[i] as number, last.events[i + 1] as number);
      const { pid, count } = this.#chunks.get(last);
      for (let i = 0; i < count; i++) add(tasks, pid[i] as number, 1);
    }
    for (const type of trace.eventTypes) type.count = 0;
    for (const [id, count] of counts) this.#typeOf(id).count = count;
    const [recording] = trace.recordings as [Trace['recordings'][number]];
    trace.tasks = [...tasks]
      .map(([pid, events]): TaskInfo => ({ pid, tgid: -1, comm: recording.commOf(pid), events }))
      .sort((a, b) => a.pid - b.pid);
    const [info] = trace.streams.map((stream) => stream.info);
    const gone = (cpu: TraceCpu): number => (cpu.dropped > 0 ? (cpu.chunks[0]?.basePosition ?? cpu.bytes.size) : 0);
    const cpus = trace.streams.flatMap((stream) => stream.cpus);
    const bytes = cpus.reduce((sum, cpu) => sum + cpu.bytes.size - gone(cpu), 0);
    return {
      workspaceId,
      workspacePath: trace.store.path,
      recordings: [{ ...recording.info, bytes }],
      streams: info === undefined ? [] : [{ ...info, eventTypes: this.#countsByType() }],
      eventTypes: [...trace.eventTypes],
      tasks: trace.tasks,
      cgroups: trace.cgroups,
      warnings: [],
      originNs: String(trace.originNs),
      durationNs: trace.durationNs,
      events: this.events,
      reopened: false,
    };
  }

  #countsByType(): StreamInfo['eventTypes'] {
    return this.trace.eventTypes
      .filter(({ count }) => count > 0)
      .map(({ type, count }) => ({ type, count }))
      .sort((a, b) => b.count - a.count);
  }
}

function add(counts: Map<number, number>, key: number, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

/** What the list sorts by, see Chunk.sortTime and ChunkInfo.floorNs. */
function sorted(
  time: Float64Array,
  floorNs: number,
): { sortTime: Float64Array; ordered: boolean; fromNs: number; toNs: number } {
  let ordered = (time[0] as number) >= floorNs;
  for (let i = 1; i < time.length && ordered; i++) ordered = (time[i] as number) >= (time[i - 1] as number);
  if (ordered) return { sortTime: time, ordered, fromNs: time[0] as number, toNs: time[time.length - 1] as number };
  const sortTime = new Float64Array(time.length);
  let most = floorNs;
  let fromNs = Number.POSITIVE_INFINITY;
  let toNs = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < time.length; i++) {
    const at = time[i] as number;
    most = Math.max(most, at);
    sortTime[i] = most;
    fromNs = Math.min(fromNs, at);
    toNs = Math.max(toNs, at);
  }
  return { sortTime, ordered, fromNs, toNs };
}
