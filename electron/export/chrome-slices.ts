import { type NumberReader, numberReader, type TextReader, textReader } from '../parse/field-access.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import type { ConvertedEvent } from './convert-events.ts';

/** A task on a CPU. Times on the workspace axis. */
export interface Slice {
  fromNs: number;
  toNs: number;
  pid: number;
  comm: string;
}

interface SwitchReaders {
  prevPid: NumberReader;
  prevComm: TextReader;
  nextPid: NumberReader;
  nextComm: TextReader;
}

interface Running {
  stream: TraceStream;
  cpu: number;
  sinceNs: number;
  lastNs: number;
  /** Not known before the first switch and behind a gap. */
  task: { pid: number; comm: string } | null;
  /** Before the first switch: from the CPU's first event to its first gap, where it has had one. */
  before: { fromNs: number; toNs: number } | null;
  switched: boolean;
  /** Gaps of the recording, in the CPU's order: the place of the event behind each. */
  lostBefore: readonly number[];
  lost: number;
}

/**
 * Who ran when on each CPU, from sched_switch events as they pass: a slice is told when it ends. The idle task has none. Before
 * the first switch its prev_pid ran since the CPU's first event; a gap ends what was known, and the task that the next
 * switch leaves is taken to have run since. The rules of derive/schedule.ts, event by event.
 */
export class SwitchSlices {
  readonly #trace: Trace;
  readonly #tell: (stream: TraceStream, cpu: number, slice: Slice) => void;
  readonly #readers = new Map<TraceStream, Map<number, SwitchReaders>>();
  readonly #running = new Map<TraceStream, Map<number, Running>>();

  constructor(trace: Trace, tell: (stream: TraceStream, cpu: number, slice: Slice) => void) {
    this.#trace = trace;
    this.#tell = tell;
    for (const stream of trace.streams) this.#readers.set(stream, switchReaders(trace, stream));
  }

  /** Every event, in order: also those that are no switches tell how long a CPU was seen. */
  add(event: ConvertedEvent): void {
    const { stream, timeNs } = event;
    const byId = this.#readers.get(stream);
    if (byId === undefined || byId.size === 0) return;
    const running = this.#runningOn(event);
    running.lastNs = timeNs;
    while (running.lost < running.lostBefore.length && (running.lostBefore[running.lost] as number) <= event.index) {
      running.lost++;
      this.#end(running, timeNs);
      if (!running.switched) running.before ??= { fromNs: running.sinceNs, toNs: timeNs };
      running.task = null;
      running.sinceNs = timeNs;
    }
    const read = byId.get(event.id);
    if (read === undefined) return;
    const { view, at, end } = event;
    const left = { pid: read.prevPid(view, at, end), comm: read.prevComm(view, at, end) };
    if (!running.switched && running.before !== null) {
      const { fromNs, toNs } = running.before;
      this.#end({ ...running, sinceNs: fromNs, task: left }, toNs);
    }
    running.switched = true;
    if (running.task === null || running.task.pid === left.pid) {
      running.task = left;
      this.#end(running, timeNs);
    } else {
      // A switch is missing without a recorded gap: the change is put half-way.
      const middle = Math.floor(running.sinceNs + (timeNs - running.sinceNs) / 2);
      this.#end(running, middle);
      running.task = left;
      running.sinceNs = middle;
      this.#end(running, timeNs);
    }
    running.task = { pid: read.nextPid(view, at, end), comm: read.nextComm(view, at, end) };
    running.sinceNs = timeNs;
  }

  /** Ends what runs at each CPU's last event. */
  finish(): void {
    for (const cpus of this.#running.values()) for (const running of cpus.values()) this.#end(running, running.lastNs);
  }

  #end({ stream, cpu, sinceNs, task }: Running, toNs: number): void {
    if (task === null || !(task.pid > 0) || toNs <= sinceNs) return;
    this.#tell(stream, cpu, { fromNs: sinceNs, toNs, ...task });
  }

  #runningOn({ stream, cpu, timeNs }: ConvertedEvent): Running {
    let cpus = this.#running.get(stream);
    if (cpus === undefined) {
      cpus = new Map();
      this.#running.set(stream, cpus);
    }
    let running = cpus.get(cpu);
    if (running === undefined) {
      const lost = this.#trace.streams[stream.info.index]?.cpus.find((own) => own.cpu === cpu)?.lost ?? [];
      const lostBefore = lost.map(({ beforeIndex }) => beforeIndex);
      const from = { sinceNs: timeNs, lastNs: timeNs, task: null, before: null, switched: false };
      running = { stream, cpu, ...from, lostBefore, lost: 0 };
      cpus.set(cpu, running);
    }
    return running;
  }
}

/** Readers of a stream's switches by kernel id; none where it has no such events. */
function switchReaders(trace: Trace, { recording, layout }: TraceStream): Map<number, SwitchReaders> {
  const readers = new Map<number, SwitchReaders>();
  for (const [id, format] of recording.formatOfId) {
    const type = trace.eventTypes[recording.typeOfId[id] as number];
    if (type === undefined || format.name !== 'sched_switch') continue;
    const field = (name: string) => format.fields.find((candidate) => candidate.name === name);
    const [prevPid, nextPid, prevComm, nextComm] = ['prev_pid', 'next_pid', 'prev_comm', 'next_comm'].map(field);
    if (prevPid === undefined || nextPid === undefined) continue;
    const comm = (found: typeof prevComm): TextReader =>
      found === undefined ? () => '' : textReader(found, layout.abi);
    readers.set(id, {
      prevPid: numberReader(prevPid, layout.abi),
      nextPid: numberReader(nextPid, layout.abi),
      prevComm: comm(prevComm),
      nextComm: comm(nextComm),
    });
  }
  return readers;
}
