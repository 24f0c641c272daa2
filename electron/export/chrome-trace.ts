import type { Annotation, Episode } from '../../shared/model.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import { ThrottleCounters } from './chrome-counters.ts';
import { SwitchSlices } from './chrome-slices.ts';
import { infoOf } from './convert-columns.ts';
import { type ConvertedEvent, type EventSelection, TaskNames, visitEvents } from './convert-events.ts';
import type { ByteSink } from './convert-output.ts';
import { TextWriter } from './convert-text.ts';

/**
 * Writes Chrome's trace event format (one JSON object with `traceEvents`), which Perfetto and chrome://tracing open. Times are
 * in µs from the workspace's origin, with three decimals.
 *
 * Processes: one per stream for its CPUs, with a slice per task that ran; one per recorded process (its threads
 * by pid) with the events as instants; one for the counters of balance_dirty_pages; one for throttle episodes and notes.
 */
export interface ChromeTraceSource {
  trace: Trace;
  episodes: readonly Episode[];
  annotations: readonly Annotation[];
}

/**
 * Processes of a recording and of Remora's own have numbers of their own: the kernel's pids end at 2^22
 * (include/linux/threads.h: PID_MAX_LIMIT), and those of several recordings are apart.
 */
const PIDS_PER_RECORDING = 10_000_000;
const CPUS_PID = 5_000_000;
const COUNTERS_PID = 6_000_000;
const EPISODES_PID = 7_000_000;
const NOTES_PID = 7_000_001;

export async function writeChromeTrace(
  { trace, episodes, annotations }: ChromeTraceSource,
  selection: EventSelection,
  sink: ByteSink,
): Promise<void> {
  const out = new ChromeWriter(sink);
  const tracks = new Tracks(trace, out);
  const slices = new SwitchSlices(trace, (stream, cpu, slice) => {
    const { fromNs, toNs, pid, comm } = slice;
    out.event(
      `"ph":"X","cat":"sched","name":${JSON.stringify(comm)},${time(fromNs)},"dur":${micros(toNs - fromNs)},${tracks.cpu(stream, cpu)},"args":{"pid":${pid}}`,
    );
  });
  const counters = new ThrottleCounters(trace, (stream, timeNs, name, values) => {
    out.event(
      `"ph":"C","name":${JSON.stringify(name)},${time(timeNs)},${tracks.counters(stream)},"args":${JSON.stringify(values)}`,
    );
  });
  const instant = (event: ConvertedEvent): void => {
    slices.add(event);
    counters.add(event);
    const type = trace.eventTypes[event.type];
    const name = JSON.stringify(type?.name ?? `event-${event.id}`);
    const category = JSON.stringify(type?.system ?? 'unknown');
    out.event(
      `"ph":"i","s":"t","cat":${category},"name":${name},${time(event.timeNs)},${tracks.task(event)},"args":{"cpu":${event.cpu},"info":${JSON.stringify(infoOf(event))}}`,
    );
  };
  // Who ran is known from all switches, whatever the filter lets through.
  await visitEvents(trace, selection, instant, (event) => slices.add(event));
  slices.finish();
  for (const episode of episodes) {
    const { stream, cgroup, task } = episode;
    const name = cgroup.path || `inode ${cgroup.ino}`;
    const args = {
      task: `${task.comm}-${task.pid}`,
      bdi: episode.bdi,
      pauses: episode.pauses,
      pause_ms: episode.pauseMs,
      slept_ms: episode.sleptMs,
      domain: episode.domain,
      cause: episode.cause,
    };
    out.span(
      tracks.episodes(trace.streams[stream] as TraceStream),
      'throttle',
      `episode ${episode.id}`,
      name,
      episode,
      args,
    );
  }
  for (const note of annotations) {
    const args = { tags: note.tags };
    if (note.kind === 'range') out.span(tracks.notes(), 'note', `note ${note.id}`, note.text, note, args);
    else
      out.event(
        `"ph":"i","s":"g","cat":"note","name":${JSON.stringify(note.text)},${time(note.fromNs)},${tracks.notes()},"args":${JSON.stringify(args)}`,
      );
  }
  out.finish({
    clock: [...new Set(trace.streams.map(({ info }) => info.clock))].join(', '),
    originNs: String(trace.originNs),
  });
}

/** Microseconds with three decimals, exact. */
function micros(ns: number): string {
  const whole = Math.round(ns);
  const sign = whole < 0 ? '-' : '';
  const size = Math.abs(whole);
  return `${sign}${Math.floor(size / 1000)}.${String(size % 1000).padStart(3, '0')}`;
}
const time = (ns: number): string => `"ts":${micros(ns)}`;

/** The JSON document, an event a line. */
class ChromeWriter {
  readonly #out: TextWriter;
  #first = true;

  constructor(sink: ByteSink) {
    this.#out = new TextWriter(sink);
    this.#out.add('{"displayTimeUnit":"ns","traceEvents":[\n');
  }

  /** `members`: of the event's object, as JSON. */
  event(members: string): void {
    this.#out.add(this.#first ? `{${members}}` : `,\n{${members}}`);
    this.#first = false;
  }

  /** An asynchronous slice: a pair of events with one id. */
  span(
    track: string,
    category: string,
    id: string,
    name: string,
    at: { fromNs: number; toNs: number },
    args: object,
  ): void {
    const same = `"cat":"${category}","id":${JSON.stringify(id)},"name":${JSON.stringify(name)},${track}`;
    this.event(`"ph":"b",${same},${time(at.fromNs)},"args":${JSON.stringify(args)}`);
    this.event(`"ph":"e",${same},${time(at.toNs)}`);
  }

  finish(about: object): void {
    this.#out.add(`\n],"otherData":${JSON.stringify(about)}}\n`);
    this.#out.flush();
  }
}

/** Processes and threads, named when they are first used. Each answer is the `pid` and `tid` of an event, as JSON. */
class Tracks {
  readonly #trace: Trace;
  readonly #out: ChromeWriter;
  readonly #names = new TaskNames();
  readonly #known = new Set<string>();

  constructor(trace: Trace, out: ChromeWriter) {
    this.#trace = trace;
    this.#out = out;
  }

  cpu(stream: TraceStream, cpu: number): string {
    const pid = base(stream) + CPUS_PID + stream.info.index;
    return this.#track(pid, cpu, () => [`CPUs${this.#of(stream)}`, `CPU ${cpu}`]);
  }

  task(event: ConvertedEvent): string {
    const { stream, pid } = event;
    // The idle task is one per CPU.
    if (pid === 0) return this.cpu(stream, event.cpu);
    const tgid = stream.recording.head.tgids.get(pid) ?? pid;
    const key = base(stream) + tgid;
    return this.#track(key, pid, () => [this.#names.of(stream, tgid), this.#names.of(stream, pid)]);
  }

  counters(stream: TraceStream): string {
    const pid = base(stream) + COUNTERS_PID + stream.info.index;
    return this.#track(pid, 0, () => [`Dirty memory${this.#of(stream)}`, '']);
  }

  episodes(stream: TraceStream): string {
    return this.#track(base(stream) + EPISODES_PID, 0, () => [`Throttle episodes${this.#of(stream)}`, '']);
  }

  notes(): string {
    return this.#track(NOTES_PID, 0, () => ['Annotations', '']);
  }

  #of(stream: TraceStream): string {
    const several = this.#trace.recordings.length > 1 ? ` of recording ${stream.info.recording}` : '';
    return stream.info.name === '' ? several : ` of ${stream.info.name}${several}`;
  }

  #track(pid: number, tid: number, names: () => [process: string, thread: string]): string {
    const key = `"pid":${pid},"tid":${tid}`;
    if (!this.#known.has(key)) {
      const [process, thread] = names();
      this.#known.add(key);
      if (!this.#known.has(`${pid}`)) {
        this.#known.add(`${pid}`);
        this.#out.event(`"ph":"M","name":"process_name",${key},"args":{"name":${JSON.stringify(process)}}`);
      }
      if (thread !== '')
        this.#out.event(`"ph":"M","name":"thread_name",${key},"args":{"name":${JSON.stringify(thread)}}`);
    }
    return key;
  }
}

const base = ({ info }: TraceStream): number => info.recording * PIDS_PER_RECORDING;
