import { type Payload, PayloadReader, positionOf } from './payload.ts';
import { chunkOfIndex, findCpu, type Trace, type TraceCpu } from './trace.ts';

const BLOCK_BYTES = 1 << 16;

/** Prints a recording's events: its Info column and latency flags, as trace-cmd does. */
export interface EventPrinter {
  /** Text behind the event's name. */
  info(id: number, view: DataView, at: number, length: number): string;
  /** The five latency flags: `d..2.`. */
  flags(view: DataView, at: number, length: number): string;
}

/** Text of single events, by their place. Keeps one block of payload per CPU. */
export class EventText {
  readonly #trace: Trace;
  readonly #readers = new Map<TraceCpu, PayloadReader>();

  constructor(trace: Trace) {
    this.#trace = trace;
  }

  /** Payload at a position of a CPU's data; valid until the next call for this CPU. */
  payload(cpu: TraceCpu, position: number): Payload {
    let reader = this.#readers.get(cpu);
    if (reader === undefined) {
      const stream = this.#trace.streams[cpu.stream];
      if (stream === undefined) throw new RangeError(`no stream ${cpu.stream}`);
      reader = new PayloadReader(stream, cpu, BLOCK_BYTES);
      this.#readers.set(cpu, reader);
    }
    return reader.read(position);
  }

  /** Info text of one event; empty where it does not exist. */
  info(stream: number, cpuNumber: number, index: number): string {
    const cpu = findCpu(this.#trace, stream, cpuNumber);
    const info = cpu === undefined ? undefined : chunkOfIndex(cpu, index);
    if (cpu === undefined || info === undefined) return '';
    const chunk = this.#trace.chunks.get(info);
    const at = index - info.firstIndex;
    return this.describe(cpu, chunk.id[at] as number, positionOf(info, chunk, at)).info;
  }

  describe(cpu: TraceCpu, id: number, position: number): { info: string; flags: string } {
    const { view, at, length } = this.payload(cpu, position);
    const { printer } = (this.#trace.streams[cpu.stream] as Trace['streams'][number]).recording;
    return { info: printer.info(id, view, at, length), flags: printer.flags(view, at, length) };
  }
}
