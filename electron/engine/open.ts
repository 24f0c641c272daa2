import { existsSync } from 'node:fs';
import { extname } from 'node:path';
import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
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
import { isCorrupt, isMarkedDamaged, removeDatabase, setAside, translate } from '../store/database.ts';
import { type StoredStream, WorkspaceStore } from '../store/workspace-store.ts';
import { describeOption } from './describe-option.ts';
import { type FileSource, openFile } from './file-source.ts';
import { cachedWorkspacePath, recordingIdentity } from './identity.ts';
import { importRecording } from './import.ts';
import { adoptLiveNotes, NotesFile } from './notes-file.ts';
import { groupCaptures } from './raw-folder.ts';
import { isWorkspace, type OpenRecording, openRecording } from './readers.ts';

export interface OpenRequest {
  paths: string[];
  /** Where to keep the workspace; default: the cache folder. */
  workspace?: string | undefined;
  noCache?: boolean | undefined;
  memoryPageBytes?: number | undefined;
  /** For a second process beside the one that owns `workspace`: it must be there with everything indexed, and stays as it is. */
  readOnly?: boolean | undefined;
  cacheFolder: string;
  /** Threads to index with; default: by the amount of data. */
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** An open workspace: what queries work on, and what must be closed. */
export interface OpenedTrace {
  trace: Trace;
  summary: WorkspaceSummary;
  notes: NotesFile;
  close(): void;
}

interface Input {
  source: FileSource;
  head: RecordingHead;
  identity: string;
}

/**
 * Opens recordings as one workspace: reads their heads, finds or builds the index, and puts everything on one time
 * axis. A recording that cannot be read at all fails the call, and then nothing is left behind.
 */
export async function openTrace(request: OpenRequest): Promise<OpenedTrace> {
  const named = request.paths.filter((path) => extname(path) === '.remora' || isWorkspace(path));
  if (named.length > 1 || (named.length === 1 && request.paths.length > 1)) {
    throw new RemoraError({ code: 'bad-request', message: 'open one workspace by itself, or several recordings' });
  }
  if (named.length === 1) return openWorkspaceFile(request, named[0] as string);
  const inputs: Input[] = [];
  try {
    for (const recording of groupCaptures(request.paths)) {
      const input = { ...(await openRecording(recording, request)), identity: '' };
      inputs.push(input);
      requireSomething(input);
      input.identity = recordingIdentity(input.source);
    }
    const path = request.noCache
      ? ''
      : (request.workspace ??
        cachedWorkspacePath(
          request.cacheFolder,
          request.paths,
          inputs.map(({ identity }) => identity),
        ));
    return await openWith(inputs, path, request);
  } catch (error) {
    for (const { source } of inputs) source.close();
    throw error;
  }
}

/** A damaged file without a single byte of event data is an error, not an empty trace. */
export function requireSomething({ head, source }: OpenRecording): void {
  const empty =
    head.format === 'trace.dat' && head.latencyText === null && head.buffers.every(({ cpus }) => cpus.length === 0);
  const [first] = head.warnings;
  if (!empty || first === undefined) return;
  const reason = first.message.replace(`${source.name}: `, '');
  throw new RemoraError({
    code: 'damaged',
    message: `${source.name}: no event data is left in this trace.dat: ${reason}; the file is cut or damaged there: copy it again`,
    file: source.name,
    offset: first.offset,
    section: first.section,
  });
}

/** A `*.remora` file names its recordings; they must still be what was indexed, or are indexed again. */
async function openWorkspaceFile(request: OpenRequest, path: string): Promise<OpenedTrace> {
  if (!existsSync(path)) openFile(path); // throws the operating system's reason
  const store = new WorkspaceStore(path);
  const paths = store.recordings().map((recording) => recording.path);
  store.close();
  if (paths.length === 0) {
    throw new RemoraError({ code: 'workspace', message: `${path}: this workspace names no recording`, file: path });
  }
  return openTrace({ ...request, paths, workspace: path, noCache: false });
}

/**
 * Opens or builds the workspace at `path`. One that is damaged is set aside, so that nothing of it is lost for good, and
 * built anew; what the user wrote comes back from the notes file.
 */
async function openWith(inputs: Input[], path: string, request: OpenRequest): Promise<OpenedTrace> {
  if (path === '' || request.readOnly) return openStored(inputs, path, request);
  try {
    if (!isMarkedDamaged(path)) return await openStored(inputs, path, request);
  } catch (error) {
    if (!isCorrupt(translate(path, error))) throw error;
  }
  const aside = setAside(path);
  const opened = await openStored(inputs, path, request);
  const message = `the workspace was damaged: it was kept as ${aside}, and the index built again`;
  opened.summary.warnings.push({ file: path, offset: 0, section: 'workspace', message });
  return opened;
}

async function openStored(inputs: Input[], path: string, request: OpenRequest): Promise<OpenedTrace> {
  const isNew = path !== '' && !existsSync(path);
  const store = new WorkspaceStore(path, request.readOnly);
  try {
    if (isNew) for (const { source } of inputs) adoptLiveNotes(request.cacheFolder, source.name, path);
    const notes = new NotesFile(request.readOnly ? '' : path, store);
    const reopened = await ensureIndexed(inputs, store, request);
    const trace = buildTrace(inputs, store, request.memoryPageBytes);
    return {
      trace,
      summary: summarize(trace, store, reopened),
      notes,
      close() {
        store.close();
        for (const { source } of inputs) source.close();
      },
    };
  } catch (error) {
    store.close();
    // Nothing half-written: an import that was cancelled leaves no empty workspace. Notes have a file of their own.
    if (isNew) removeDatabase(path);
    throw translate(path, error);
  }
}

/** Builds what is missing of the index. Returns true when nothing was. */
async function ensureIndexed(inputs: Input[], store: WorkspaceStore, request: OpenRequest): Promise<boolean> {
  const wanted = new Set(inputs.map(({ identity }) => identity));
  if (request.readOnly) {
    requireIndexed(inputs, store);
    return true;
  }
  for (const stored of store.recordings()) {
    if (stored.indexed === 0 || !wanted.has(stored.identity)) store.dropRecording(stored.id);
  }
  let complete = true;
  for (const { source, head, identity } of inputs) {
    const known = store.recordings().find((stored) => stored.identity === identity);
    if (known !== undefined) {
      if (known.path !== source.name) store.moveRecording(known.id, source.name);
      continue;
    }
    complete = false;
    const writer = store.beginImport(source.name, identity);
    try {
      await importRecording(source, head, writer, request);
    } catch (error) {
      writer.abort();
      throw error;
    }
  }
  return complete;
}

function requireIndexed(inputs: Input[], store: WorkspaceStore): void {
  const stored = store.recordings();
  for (const { source, identity } of inputs) {
    if (stored.some((recording) => recording.identity === identity && recording.indexed !== 0)) continue;
    throw new RemoraError({
      code: 'workspace',
      message: `${source.name}: the recording is not what it was when it was opened: open it again`,
      file: source.name,
    });
  }
}

// ---- putting the parts together ---------------------------------------------------------------------------------

export const clockUnits: Record<string, StreamInfo['timeUnit']> = {
  counter: 'counts',
  'x86-tsc': 'cycles',
  'ppc-tb': 'cycles',
};

function buildTrace(inputs: Input[], store: WorkspaceStore, memoryPageBytes: number | undefined): Trace {
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
      bytes: openCpuBytes(source, buffer.cpus.find((data) => data.cpu === cpu) as never, head.compression),
      chunks: store.chunkDirectory(stored.id, cpu),
      lost: lost.filter((entry) => entry.cpu === cpu),
    })),
  };
}

function summarize(trace: Trace, store: WorkspaceStore, reopened: boolean): WorkspaceSummary {
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
