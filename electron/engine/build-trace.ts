import type {
  EventTypeInfo,
  FieldInfo,
  RecordingInfo,
  StreamInfo,
  TaskInfo,
  WorkspaceSummary,
} from '../../shared/model.ts';
import { fieldUnit } from '../../shared/units.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import type { EventFormat, FieldFormat } from '../parse/event-format.ts';
import { isNumeric } from '../parse/field-access.ts';
import { subBufferLayout } from '../parse/layout.ts';
import { Printer } from '../parse/print-format/printer.ts';
import { ringBufferAccess } from '../parse/record-access.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { textAccess } from '../parse/text-trace/access.ts';
import { memoryBudgets } from '../query/budgets.ts';
import { CommFinder } from '../query/comms.ts';
import { type EventPrinter, EventText } from '../query/event-text.ts';
import { textPrinter } from '../query/text-printer.ts';
import { ChunkCache, type Trace, type TraceRecording, type TraceStream } from '../query/trace.ts';
import type { StoredStream, WorkspaceStore } from '../store/workspace-store.ts';
import { describeOption } from './describe-option.ts';
import type { OpenRecording } from './readers.ts';

/** Puts together what a workspace holds: streams, event types, tasks and fields, as queries and windows know them. */

/** An open recording and what it is known by in the store. */
export interface Input extends OpenRecording {
  identity: string;
}

export const clockUnits: Record<string, StreamInfo['timeUnit']> = {
  counter: 'counts',
  'x86-tsc': 'cycles',
  'ppc-tb': 'cycles',
};

/** The trace that queries work on: what the store indexed of the inputs, on one time axis. Borrows both. */
export function buildTrace(
  inputs: readonly Input[],
  store: WorkspaceStore,
  memoryPageBytes: number | undefined,
): Trace {
  const stored = store.recordings();
  const eventTypes: EventTypeInfo[] = [];
  const typeByKey = new Map<string, EventTypeInfo>();
  const recordings: TraceRecording[] = [];
  const streams: TraceStream[] = [];
  const perRecording: { recording: TraceRecording; streams: StoredStream[] }[] = [];
  const tasks = new Map<number, TaskInfo>();

  for (const input of inputs) {
    const row = stored.find(({ identity }) => identity === input.identity);
    if (row === undefined) throw new RangeError(`${input.source.name} is not in the workspace`);
    const { recording, ids } = describeRecording(input, store.streams(row.id));
    if (row.kept !== 0) recording.kept = store.keptEvents(row.id);
    for (const [id, count] of ids) {
      const info = eventTypeOf(recording.formatOfId.get(id), id, typeByKey, eventTypes);
      info.count += count;
      recording.typeOfId[id] = info.type;
    }
    recordings.push(recording);
    perRecording.push({ recording, streams: store.streams(row.id) });
    for (const { pid, events } of store.taskCounts(row.id)) {
      const task = tasks.get(pid);
      if (task !== undefined) task.events += events;
      else tasks.set(pid, { pid, tgid: input.head.tgids.get(pid) ?? -1, comm: recording.commOf(pid), events });
    }
  }

  const origins = perRecording.flatMap((entry) =>
    entry.streams.filter(({ cpus }) => cpus.some(({ events }) => events > 0)).map(({ origin }) => BigInt(origin)),
  );
  const originNs =
    origins.reduce<bigint | null>((least, origin) => (least === null || origin < least ? origin : least), null) ?? 0n;
  perRecording.forEach((entry, recordingIndex) => {
    for (const stream of entry.streams)
      streams.push(describeStream(stream, entry.recording, recordingIndex, streams.length, originNs, store));
  });
  const budgets = memoryBudgets();
  const trace: Trace = {
    store,
    recordings,
    streams,
    originNs,
    durationNs: Math.max(0, ...streams.filter(({ info }) => info.events > 0).map(({ info }) => info.toNs)),
    eventTypes,
    tasks: [...tasks.values()].sort((a, b) => a.pid - b.pid),
    cgroups: [],
    chunks: new ChunkCache(store, budgets.chunks),
    budgets,
    text: undefined as never,
    cgroupAt: (ino) => ({ ino, path: '' }),
    cgroupLabel: (value) => value,
    memoryPageBytes: memoryPageBytes ?? inputs[0]?.head.pageBytes ?? 4096,
  };
  trace.text = new EventText(trace);
  for (const recording of recordings) {
    const finder = new CommFinder(trace, recording);
    const { comms } = recording.head;
    recording.commOf = (pid) => comms.get(pid) ?? (pid === 0 ? '<idle>' : (finder.find(pid) ?? '<...>'));
  }
  return trace;
}

export function describeRecording(
  { source, head }: { source: ByteSource; head: RecordingHead },
  streams: StoredStream[],
): { recording: TraceRecording; ids: Map<number, number> } {
  const ids = new Map<number, number>();
  for (const { eventCounts } of streams) for (const [id, count] of eventCounts) ids.set(id, (ids.get(id) ?? 0) + count);
  const info: RecordingInfo = {
    path: source.name,
    bytes: source.size,
    format: head.format,
    version: head.version,
    compression: head.compression,
    byteOrder: head.abi.littleEndian ? 'little' : 'big',
    longBytes: head.abi.longBytes,
    pageBytes: head.pageBytes,
    uname: head.uname,
    options: head.options.map(describeOption),
  };
  const formatOfId = new Map(head.formats.map((format) => [format.id, format]));
  let printer: EventPrinter | undefined;
  const recording: TraceRecording = {
    info,
    source,
    head,
    typeOfId: new Int32Array(65_536).fill(-1),
    formatOfId,
    kept: null,
    // Made when the first text is asked for: it reads all of kallsyms.
    get printer() {
      printer ??= head.text === null ? new Printer(head) : textPrinter(head.text);
      return printer;
    },
    commOf: (pid) => head.comms.get(pid) ?? (pid === 0 ? '<idle>' : '<...>'),
  };
  return { recording, ids };
}

/** The workspace's entry for a format: shared between recordings where name and layout agree. */
export function eventTypeOf(
  format: EventFormat | undefined,
  id: number,
  typeByKey: Map<string, EventTypeInfo>,
  eventTypes: EventTypeInfo[],
): EventTypeInfo {
  const [system, name] = format === undefined ? ['unknown', `event-${id}`] : [format.system, format.name];
  const key = `${system}:${name}`;
  const known = typeByKey.get(key);
  if (known !== undefined) return known;
  const info: EventTypeInfo = {
    type: eventTypes.length,
    system,
    name,
    id,
    count: 0,
    fields: (format?.fields ?? []).map((field) => describeField(system, name, field)),
  };
  typeByKey.set(key, info);
  eventTypes.push(info);
  return info;
}

export function describeField(system: string, event: string, field: FieldFormat): FieldInfo {
  return {
    name: field.name,
    declaration: field.declaration,
    kind: fieldKind(field),
    signed: field.signed,
    bytes: field.size,
    common: field.common,
    unit: fieldUnit(system, event, field.name, field.declaration),
  };
}

export function fieldKind(field: FieldFormat): FieldInfo['kind'] {
  if (field.isString) return 'text';
  return !field.isArray && isNumeric(field) ? 'number' : 'bytes';
}

function describeStream(
  stored: StoredStream,
  recording: TraceRecording,
  recordingIndex: number,
  index: number,
  originNs: bigint,
  store: WorkspaceStore,
): TraceStream {
  const { head, source } = recording;
  const buffer = head.buffers[stored.buffer];
  if (buffer === undefined) throw new RangeError(`${source.name} has no buffer ${stored.buffer}`);
  const events = stored.cpus.reduce((sum, cpu) => sum + cpu.events, 0);
  const offsetNs = events > 0 ? Number(BigInt(stored.origin) - originNs) : 0;
  const lost = store.lost(stored.id);
  const layout = subBufferLayout(head, buffer);
  return {
    info: {
      index,
      recording: recordingIndex,
      name: stored.name,
      clock: stored.clock,
      timeUnit: buffer.time.ticks === null ? (clockUnits[stored.clock] ?? 'ns') : 'ns',
      cpus: stored.cpus.map(({ cpu }) => cpu),
      events,
      lost: lost.reduce((sum, { count }) => sum + Math.max(0, count), 0),
      gaps: lost.filter(({ count }) => count < 0).length,
      originNs: stored.origin,
      fromNs: stored.fromNs + offsetNs,
      toNs: stored.toNs + offsetNs,
      eventTypes: [...stored.eventCounts]
        .map(([id, count]) => ({ type: recording.typeOfId[id] as number, count }))
        .sort((a, b) => b.count - a.count),
    },
    recording,
    buffer,
    layout,
    access: head.text === null ? ringBufferAccess(layout) : textAccess(head.text),
    offsetNs,
    stored: stored.id,
    cpus: stored.cpus.map(({ cpu, events: count }) => ({
      stream: index,
      cpu,
      events: count,
      dropped: 0,
      bytes: openCpuBytes(source, buffer.cpus.find((data) => data.cpu === cpu) as never, head.compression),
      chunks: store.chunkDirectory(stored.id, cpu),
      lost: lost.filter((entry) => entry.cpu === cpu),
    })),
  };
}

/** What a front end is told of it. */
export function summarize(trace: Trace, store: WorkspaceStore, reopened: boolean): WorkspaceSummary {
  return {
    workspaceId: '',
    workspacePath: store.path,
    recordings: trace.recordings.map(({ info }) => info),
    streams: trace.streams.map(({ info }) => info),
    eventTypes: trace.eventTypes,
    tasks: trace.tasks,
    cgroups: trace.cgroups,
    warnings: store.recordings().flatMap(({ id, path }) => store.warnings(id, path)),
    originNs: String(trace.originNs),
    durationNs: trace.durationNs,
    events: trace.streams.reduce((sum, { info }) => sum + info.events, 0),
    reopened,
  };
}
