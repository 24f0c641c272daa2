import type { EventTypeInfo } from '../../shared/model.ts';
import type { FieldFormat } from '../parse/event-format.ts';
import { bigintReader, bytesReader, isFraction, isNumeric, numberReader, textReader } from '../parse/field-access.ts';
import { cgroupFieldOf } from '../query/groups.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import type { ConvertedEvent, TaskNames } from './convert-events.ts';

/**
 * Columns of the tables that events are converted into. A cell is null where the event has no such value; else `int32` and
 * `double` are numbers, `int64` and `uint64` bigint, `text` a string and `bytes` an array that is borrowed.
 */
export type ColumnType = 'int32' | 'int64' | 'uint64' | 'double' | 'text' | 'bytes';
export type Cell = number | bigint | string | Uint8Array | null;
export type CellReader = (event: ConvertedEvent) => Cell;

export interface EventColumn {
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** Texts that hardly repeat: no dictionary is tried. */
  distinct?: boolean;
  /** Makes the reader for events of one kernel id of one stream. */
  reader(stream: TraceStream, id: number): CellReader;
}

const column = (name: string, type: ColumnType, read: CellReader): EventColumn => ({
  name,
  type,
  nullable: false,
  reader: () => read,
});

/** What every table of events begins with. `originNs`: what `ts` counts from, on the workspace axis. */
export function placeColumns(trace: Trace, names: TaskNames, originNs: (stream: TraceStream) => number): EventColumn[] {
  return [
    {
      ...column('ts', 'int64', () => null),
      reader: (stream) => {
        const origin = originNs(stream);
        return ({ timeNs }) => BigInt(timeNs - origin);
      },
    },
    column('abs_ns', 'int64', ({ timeNs }) => trace.originNs + BigInt(timeNs)),
    column('stream', 'int32', ({ stream }) => stream.info.index),
    column('cpu', 'int32', ({ cpu }) => cpu),
    column('pid', 'int32', ({ pid }) => pid),
    column('comm', 'text', ({ stream, pid }) => names.of(stream, pid)),
  ];
}

/** What an event is and says; `info` only where it is wanted, for it is most of the work and of the bytes. */
export function textColumns(trace: Trace, withInfo: boolean): EventColumn[] {
  const typeText = (name: 'system' | 'name'): EventColumn['reader'] => {
    return (stream, id) => {
      const text = trace.eventTypes[stream.recording.typeOfId[id] as number]?.[name] ?? `event-${id}`;
      return () => text;
    };
  };
  const columns: EventColumn[] = [
    { name: 'system', type: 'text', nullable: false, reader: typeText('system') },
    { name: 'event', type: 'text', nullable: false, reader: typeText('name') },
  ];
  if (withInfo) columns.push({ ...column('info', 'text', infoOf), distinct: true });
  return columns;
}

export const infoOf = ({ stream, id, view, at, end }: ConvertedEvent): string =>
  stream.recording.printer.info(id, view, at, end - at);

/** Fields of every event that columns of their own say already. */
const SAID = new Set(['common_type', 'common_pid']);

/**
 * The fields of one type, its own first. Of one name in several recordings with different types, the wider type is taken.
 */
export function fieldColumns(trace: Trace, type: EventTypeInfo): EventColumn[] {
  const cgroup = cgroupFieldOf(type);
  return [...(cgroup === null ? [] : [cgroupColumn(trace, cgroup)]), ...plainColumns(trace, type)];
}

/** The path of the cgroup that a field means, where it is known. */
function cgroupColumn(trace: Trace, field: string): EventColumn {
  return {
    name: 'cgroup',
    type: 'text',
    nullable: true,
    reader({ recording, layout }, id) {
      const format = recording.formatOfId.get(id)?.fields.find(({ name }) => name === field);
      if (format === undefined) return () => null;
      const read = textReader(format, layout.abi);
      return ({ view, at, end, timeNs }) => trace.cgroupAt(read(view, at, end), timeNs).path || null;
    },
  };
}

function plainColumns(trace: Trace, type: EventTypeInfo): EventColumn[] {
  const fields = new Map<string, FieldFormat[]>();
  for (const { formatOfId } of trace.recordings) {
    for (const format of formatOfId.values()) {
      if (format.system !== type.system || format.name !== type.name) continue;
      const ordered = [
        ...format.fields.filter(({ common }) => !common),
        ...format.fields.filter(({ common }) => common),
      ];
      for (const field of ordered) {
        if (SAID.has(field.name)) continue;
        const known = fields.get(field.name);
        if (known === undefined) fields.set(field.name, [field]);
        else known.push(field);
      }
    }
  }
  return [...fields].map(([name, formats]) => {
    const columnType = formats.map(typeOf).reduce(wider);
    return {
      name,
      type: columnType,
      nullable: true,
      reader: (stream, id) => {
        const field = stream.recording.formatOfId.get(id)?.fields.find((candidate) => candidate.name === name);
        return field === undefined ? () => null : fieldReader(field, columnType, stream);
      },
    };
  });
}

/** `own` behind `place`; what the place columns are called gives way to a field of the same name, with `common_`. */
export function besideFields(place: readonly EventColumn[], own: readonly EventColumn[]): EventColumn[] {
  const taken = new Set(own.map(({ name }) => name.toLowerCase()));
  const free = place.map((each) => (taken.has(each.name) ? { ...each, name: `common_${each.name}` } : each));
  const names = new Set(free.map(({ name }) => name));
  // Readers of such files do not tell names apart by case.
  const rest = own.filter(({ name }) => {
    const folded = name.toLowerCase();
    const first = !names.has(folded);
    names.add(folded);
    return first;
  });
  return [...free, ...rest];
}

function typeOf(field: FieldFormat): ColumnType {
  if (field.isString) return 'text';
  if (field.isArray) return isNumeric(field) && field.elementBytes > 1 ? 'text' : 'bytes';
  if (!isNumeric(field)) return 'bytes';
  if (isFraction(field)) return 'double';
  if (field.elementBytes === 8) return field.signed ? 'int64' : 'uint64';
  return field.elementBytes === 4 && !field.signed ? 'int64' : 'int32';
}

/** The type that holds both exactly. */
function wider(a: ColumnType, b: ColumnType): ColumnType {
  if (a === b) return a;
  const both = new Set([a, b]);
  if (both.has('int32') && both.has('int64')) return 'int64';
  return 'text';
}

function fieldReader(field: FieldFormat, type: ColumnType, { layout: { abi } }: TraceStream): CellReader {
  switch (type) {
    case 'int32':
    case 'double': {
      const read = numberReader(field, abi);
      return ({ view, at, end }) => {
        const value = read(view, at, end);
        return Number.isNaN(value) ? null : value;
      };
    }
    case 'int64':
    case 'uint64': {
      if (field.elementBytes < 8) {
        const read = numberReader(field, abi);
        return ({ view, at, end }) => {
          const value = read(view, at, end);
          return Number.isNaN(value) ? null : BigInt(value);
        };
      }
      const read = bigintReader(field, abi);
      return ({ view, at, end }) => read(view, at, end);
    }
    case 'text': {
      const read = textReader(field, abi);
      // A record that is too short for a number has none; an empty string is one.
      const empty = field.isString ? '' : null;
      return ({ view, at, end }) => read(view, at, end) || empty;
    }
    case 'bytes': {
      const read = bytesReader(field, abi);
      return ({ view, at, end }) => read(view, at, end);
    }
  }
}
