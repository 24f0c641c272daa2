import { setImmediate as nextTurn } from 'node:timers/promises';
import { RemoraError } from '../../shared/errors.ts';
import { type CompiledFilter, compileFilter } from '../../shared/filter/compile.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import type { TimeRange } from '../../shared/time.ts';
import { EventReader } from '../query/event-reader.ts';
import { type ListedEvent, rowAtTime, visitRows } from '../query/list.ts';
import { PayloadReader, positionOf } from '../query/payload.ts';
import { filterOf, shapeOf } from '../query/sample-filter.ts';
import type { Trace, TraceCpu, TraceRecording, TraceStream } from '../query/trace.ts';

/** One event on its way into a file. The object is used for all events, its view for all of a CPU: copy what must stay. */
export interface ConvertedEvent {
  stream: TraceStream;
  cpu: number;
  /** Position among the CPU's events. */
  index: number;
  /** Index into `Trace.eventTypes`. */
  type: number;
  /** The kernel's id of its format. */
  id: number;
  pid: number;
  /** Workspace time, ns. */
  timeNs: number;
  /** The payload: `view[at, end)`. */
  view: DataView;
  at: number;
  end: number;
}

export interface EventSelection {
  /** Filter language; empty lets all pass. */
  filter: string;
  /** On the workspace axis, both ends included; null: all. Events count by their place in the list. */
  window: TimeRange | null;
  signal: AbortSignal;
  /** Events looked at so far, and in all. */
  onProgress?(done: number, total: number): void;
}

/** Events visited between two turns of the event loop, in which a cancel is heard. */
const EVENTS_A_TURN = 1 << 14;
/** Payload blocks of all CPUs together, at most, and of each. */
const BLOCKS_BYTES = 32 << 20;
const LARGEST_BLOCK = 1 << 19;
const SMALLEST_BLOCK = 1 << 14;

/**
 * Visits the events of a window in the event list's order: `visit` those that pass the filter, `visitOther` the rest. Holds a
 * block of payload per CPU and what the trace's cache of chunks keeps, however many events there are. Throws RemoraError
 * `cancelled` by the signal.
 */
export async function visitEvents(
  trace: Trace,
  { filter, window, signal, onProgress }: EventSelection,
  visit: (event: ConvertedEvent) => void,
  visitOther?: (event: ConvertedEvent) => void,
): Promise<void> {
  const first = window === null ? 0 : rowAtTime(trace, window.fromNs);
  const all = trace.streams.reduce((sum, { info }) => sum + info.events, 0);
  // Times are whole ns.
  const last = window === null ? all : rowAtTime(trace, Math.floor(window.toNs) + 1);
  const passes = filter.trim() === '' ? null : eventTest(trace, filter);
  const payloads = payloadReaders(trace);
  const event = {} as ConvertedEvent;
  for (let row = first; row < last; ) {
    if (signal.aborted) throw new RemoraError({ code: 'cancelled', message: 'the conversion was cancelled' });
    const end = Math.min(last, row + EVENTS_A_TURN);
    visitRows(trace, row, (listed) => {
      row = listed.row + 1;
      const found = passes === null || passes(listed) ? visit : visitOther;
      if (found !== undefined) {
        place(event, trace, listed, payloads);
        found(event);
      }
      return row < end;
    });
    onProgress?.(row - first, last - first);
    await nextTurn();
  }
}

function place(
  event: ConvertedEvent,
  trace: Trace,
  { stream, cpu, index, info, chunk, at, timeNs }: ListedEvent,
  payloads: ReadonlyMap<TraceCpu, PayloadReader>,
): void {
  event.stream = trace.streams[stream] as TraceStream;
  event.cpu = cpu.cpu;
  event.index = index;
  event.id = chunk.id[at] as number;
  event.type = event.stream.recording.typeOfId[event.id] as number;
  event.pid = chunk.pid[at] as number;
  event.timeNs = timeNs;
  const payload = (payloads.get(cpu) as PayloadReader).read(positionOf(info, chunk, at));
  event.view = payload.view;
  event.at = payload.at;
  event.end = payload.at + payload.length;
}

function payloadReaders(trace: Trace): Map<TraceCpu, PayloadReader> {
  const cpus = trace.streams.flatMap((stream) => stream.cpus.map((cpu) => ({ stream, cpu })));
  const bytes = Math.max(SMALLEST_BLOCK, Math.min(LARGEST_BLOCK, BLOCKS_BYTES / Math.max(1, cpus.length)));
  return new Map(cpus.map(({ stream, cpu }) => [cpu, new PayloadReader(stream, cpu, bytes)]));
}

/** The filter as a test of listed events, compiled once per stream and type. */
function eventTest(trace: Trace, text: string): (event: ListedEvent) => boolean {
  const filter = filterOf(trace, text);
  const context = { originNs: trace.originNs };
  const tests = trace.streams.map(({ recording }) => {
    const byId = new Map<number, true | CompiledFilter>();
    recording.typeOfId.forEach((type, id) => {
      const info = trace.eventTypes[type];
      const compiled = info === undefined ? false : compileFilter(filter, shapeOf(info), context);
      if (compiled !== false) byId.set(id, compiled);
    });
    return byId;
  });
  const readers = new Map<TraceCpu, EventReader>();
  return ({ stream, cpu, info, chunk, at, timeNs }) => {
    const id = chunk.id[at] as number;
    const test = tests[stream]?.get(id);
    if (test === undefined || test === true) return test === true;
    let reader = readers.get(cpu);
    if (reader === undefined) {
      reader = new EventReader(trace, trace.streams[stream] as TraceStream, cpu);
      readers.set(cpu, reader);
    }
    reader.place(id, chunk.pid[at] as number, timeNs, positionOf(info, chunk, at));
    return test.test(reader);
  };
}

/** Names of tasks, each looked up once: a recording without saved names searches its events for them. */
export class TaskNames {
  readonly #names = new Map<TraceRecording, Map<number, string>>();

  of({ recording }: TraceStream, pid: number): string {
    let names = this.#names.get(recording);
    if (names === undefined) {
      names = new Map();
      this.#names.set(recording, names);
    }
    let name = names.get(pid);
    if (name === undefined) {
      name = recording.commOf(pid);
      names.set(pid, name);
    }
    return name;
  }
}

/** The event type that a person named: `system:name`, or a name that one system has. Throws RemoraError `bad-request`. */
export function findEventType(trace: Trace, name: string): EventTypeInfo {
  const wanted = name.replace('/', ':');
  const full = ({ system, name: own }: EventTypeInfo): string => `${system}:${own}`;
  const found = trace.eventTypes.filter((type) => full(type) === wanted || type.name === wanted);
  const [first, another] = found;
  if (first !== undefined && another === undefined) return first;
  const known = (found.length > 0 ? found : trace.eventTypes).map(full);
  const listed = known.slice(0, 12).join(', ') + (known.length > 12 ? ', …' : '');
  throw new RemoraError({
    code: 'bad-request',
    message:
      found.length > 0
        ? `${name}: several systems have this event: say which (${listed}).`
        : `${name}: no such event was recorded: there is ${listed || 'none at all'}.`,
  });
}
