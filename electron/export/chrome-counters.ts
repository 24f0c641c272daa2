import { isNumeric, type NumberReader, numberReader, type TextReader, textReader } from '../parse/field-access.ts';
import { cgroupFieldOf } from '../query/groups.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import type { ConvertedEvent } from './convert-events.ts';

type Tell = (stream: TraceStream, timeNs: number, name: string, values: Record<string, number>) => void;

/** Fields of one unit are one counter with a value each. Older kernels say bdi_ where newer ones say wb_. */
const COUNTERS = {
  pages: ['limit', 'setpoint', 'dirty', 'wb_setpoint', 'wb_dirty', 'bdi_setpoint', 'bdi_dirty'],
  'KiB/s': ['dirty_ratelimit', 'task_ratelimit', 'balanced_dirty_ratelimit'],
  'pause, ms': ['pause'],
} as const;

interface Readers {
  cgroup: TextReader;
  bdi: TextReader;
  counters: { name: string; fields: { name: string; read: NumberReader }[] }[];
}

/** Values of 2^63 and more are counters that went below zero: they would be all that is seen of a track. */
const UNDERFLOW = 2 ** 63;

/** The values of writeback:balance_dirty_pages by cgroup and device, as they pass. */
export class ThrottleCounters {
  readonly #trace: Trace;
  readonly #tell: Tell;
  readonly #readers: Map<TraceStream, Map<number, Readers>>;

  constructor(trace: Trace, tell: Tell) {
    this.#trace = trace;
    this.#tell = tell;
    this.#readers = new Map(trace.streams.map((stream) => [stream, throttleReaders(trace, stream)]));
  }

  add({ stream, id, timeNs, view, at, end }: ConvertedEvent): void {
    const readers = this.#readers.get(stream)?.get(id);
    if (readers === undefined) return;
    const value = readers.cgroup(view, at, end);
    const cgroup = this.#trace.cgroupAt(value, timeNs);
    const of = [value === '' ? '' : cgroup.path || `inode ${cgroup.ino}`, readers.bdi(view, at, end)].filter(Boolean);
    for (const { name, fields } of readers.counters) {
      const values: Record<string, number> = {};
      for (const { name: field, read } of fields) {
        const number = read(view, at, end);
        if (number < UNDERFLOW) values[field] = number;
      }
      if (Object.keys(values).length > 0) this.#tell(stream, timeNs, `${of.join(' ')} ${name}`.trim(), values);
    }
  }
}

function throttleReaders(trace: Trace, { recording, layout: { abi } }: TraceStream): Map<number, Readers> {
  const readers = new Map<number, Readers>();
  for (const [id, format] of recording.formatOfId) {
    const type = trace.eventTypes[recording.typeOfId[id] as number];
    if (type === undefined || format.system !== 'writeback' || format.name !== 'balance_dirty_pages') continue;
    const field = (name: string | null) => format.fields.find((candidate) => candidate.name === name);
    const text = (name: string | null): TextReader => {
      const found = field(name);
      return found === undefined ? () => '' : textReader(found, abi);
    };
    const counters = Object.entries(COUNTERS).map(([name, names]) => ({
      name,
      fields: names.flatMap((own) => {
        const found = field(own);
        return found === undefined || !isNumeric(found) ? [] : [{ name: own, read: numberReader(found, abi) }];
      }),
    }));
    readers.set(id, { cgroup: text(cgroupFieldOf(type)), bdi: text('bdi'), counters });
  }
  return readers;
}
