import { textReader } from '../parse/field-access.ts';
import { positionOf, viewOf } from './payload.ts';
import { countInChunk, type Trace, type TraceCpu, type TraceRecording } from './trace.ts';

/**
 * Names of tasks that the recording's saved_cmdlines lacks: the kernel keeps only so many. A task's own sched_switch
 * names it (`prev_comm` of the switch away from it). Indexing kept each task's first; where it did not, one pass over the index
 * finds them, and payloads are read for the tasks asked for.
 */
export class CommFinder {
  readonly #trace: Trace;
  readonly #recording: TraceRecording;
  readonly #known = new Map<number, string | null>();
  /** Of kept switches, by the task that they switch away from: there is one of each. */
  #payloads: Map<number, Uint8Array> | null = null;
  #places: Map<number, { cpu: TraceCpu; position: number }> | null = null;

  constructor(trace: Trace, recording: TraceRecording) {
    this.#trace = trace;
    this.#recording = recording;
  }

  /** Null where no switch names the task. */
  find(pid: number): string | null {
    let comm = this.#known.get(pid);
    if (comm === undefined) {
      comm = this.#read(pid);
      this.#known.set(pid, comm);
    }
    return comm;
  }

  #read(pid: number): string | null {
    const format = this.#recording.head.formats.find(
      ({ system, name }) => system === 'sched' && name === 'sched_switch',
    );
    const field = format?.fields.find(({ name }) => name === 'prev_comm');
    if (format === undefined || field === undefined) return null;
    const read = textReader(field, this.#recording.head.abi);
    const { kept } = this.#recording;
    if (kept !== null) {
      this.#payloads ??= new Map(kept.flatMap((event) => (event.id === format.id ? [[event.pid, event.payload]] : [])));
      const payload = this.#payloads.get(pid);
      return (payload && read(viewOf(payload), 0, payload.length)) || null;
    }
    this.#places ??= this.#firstSwitches(format.id);
    const place = this.#places.get(pid);
    if (place === undefined) return null;
    const { view, at, length } = this.#trace.text.payload(place.cpu, place.position);
    return read(view, at, at + length) || null;
  }

  #firstSwitches(id: number): Map<number, { cpu: TraceCpu; position: number }> {
    const places = new Map<number, { cpu: TraceCpu; position: number }>();
    for (const stream of this.#trace.streams) {
      if (stream.recording !== this.#recording) continue;
      for (const cpu of stream.cpus) {
        for (const info of cpu.chunks) {
          if (countInChunk(info, id) === 0) continue;
          const chunk = this.#trace.chunks.get(info);
          for (let i = 0; i < chunk.count; i++) {
            const pid = chunk.pid[i] as number;
            if (chunk.id[i] === id && !places.has(pid)) places.set(pid, { cpu, position: positionOf(info, chunk, i) });
          }
        }
      }
    }
    return places;
  }
}
