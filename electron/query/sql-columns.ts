import type { EventTypeInfo, FieldInfo } from '../../shared/model.ts';
import type { EventFormat, FieldFormat } from '../parse/event-format.ts';
import { bigintReader, bytesReader, isFraction, isNumeric, numberReader, textReader } from '../parse/field-access.ts';
import type { SqlInput } from '../store/sql-connection.ts';
import { cgroupFieldOf } from './groups.ts';
import type { EventCursor } from './sql-scan.ts';
import type { Trace, TraceRecording, TraceStream } from './trace.ts';

export type ValueReader = (event: EventCursor) => SqlInput;

/**
 * How a column's values reach SQLite, which takes every JavaScript number for a REAL:
 * - `integer`: numbers, cast; values beyond 2^53 are bigint.
 * - `unsigned`: the same of unsigned 64-bit fields. SQLite has no integers from 2^63 on: those are their decimal digits as
 *   text, which `big` reads where `read` gives null. They compare as larger than every number.
 * - `exact`: as it is read, bigint for integers: fields of text recordings may have fractions.
 * - `text`, `bytes`: as it is.
 */
export type ColumnKind = 'integer' | 'unsigned' | 'exact' | 'text' | 'bytes';

export interface ScanColumn {
  name: string;
  kind: ColumnKind;
  unit: string;
  /** The C declaration of a field; empty for what Remora adds. */
  declaration: string;
  /** Makes the reader for the events of one kernel id of one CPU. Null: computed by `call`. */
  read: ((source: ColumnSource) => ValueReader) | null;
  /** Decimal digits of values from 2^63 on, of `unsigned`. */
  big?: (source: ColumnSource) => ValueReader;
  /** An SQL function over other columns: evaluated only for the rows that a query is left with. */
  call?: { fn: string; of: string[] };
}

/** SQLite's integers are signed and have 64 bits. */
const NO_INTEGER = 2n ** 63n;

/** Where the events of one CPU come from. */
export interface ColumnSource {
  trace: Trace;
  stream: TraceStream;
  cpu: number;
  /** Their format, where all are of one type. */
  format: EventFormat | undefined;
}

const plain = (name: string, kind: ColumnKind, unit: string, read: ScanColumn['read']): ScanColumn => ({
  name,
  kind,
  unit,
  declaration: '',
  read,
});

const ts = plain('ts', 'integer', 'ns', () => (event) => event.time);
const cpu = plain('cpu', 'integer', '', (source) => () => source.cpu);
const pid = plain('pid', 'integer', '', () => (event) => event.pid);
const comm = plain('comm', 'text', '', ({ stream: { recording } }) => {
  const known = commsOf(recording);
  return (event) => {
    let name = known.get(event.pid);
    if (name === undefined) {
      name = recording.commOf(event.pid);
      known.set(event.pid, name);
    }
    return name;
  };
});
const stream = plain('stream', 'integer', '', (source) => () => source.stream.info.index);
const idx = plain('idx', 'integer', '', () => (event) => event.index);
const call = (name: string, fn: string, ...of: string[]): ScanColumn => ({
  ...plain(name, 'text', '', null),
  call: { fn, of },
});

const comms = new WeakMap<TraceRecording, Map<number, string>>();
function commsOf(recording: TraceRecording): Map<number, string> {
  let known = comms.get(recording);
  if (known === undefined) {
    known = new Map();
    comms.set(recording, known);
  }
  return known;
}

/** Columns of `event`, the table of all events. */
export const eventColumns: readonly ScanColumn[] = [
  ts,
  call('abs_ns', 'remora_abs_ns', 'ts'),
  stream,
  cpu,
  idx,
  pid,
  comm,
  plain(
    'type',
    'integer',
    '',
    ({ stream: { recording } }) =>
      (event) =>
        recording.typeOfId[event.id] as number,
  ),
  plain(
    'system',
    'text',
    '',
    ofType(({ system }) => system),
  ),
  plain(
    'name',
    'text',
    '',
    ofType(({ name }) => name),
  ),
  call('info', 'remora_info', 'stream', 'cpu', 'idx'),
];

function ofType(value: (type: EventTypeInfo) => string): (source: ColumnSource) => ValueReader {
  return ({ trace, stream: { recording } }) => {
    const values = trace.eventTypes.map(value);
    return (event) => values[recording.typeOfId[event.id] as number] ?? null;
  };
}

/** What a field is called that has the name of a column which every table of events has. */
const COMMON_PREFIX = 'common_';

/**
 * Columns of the table of one event type: time, CPU, task, cgroup where an event says it, every field, and where the event is.
 * A field keeps its name; what Remora adds gives way to it with `common_`. Names are unique whatever their case.
 */
export function typeColumns(trace: Trace, type: EventTypeInfo): ScanColumn[] {
  const own = type.fields.filter((field) => !field.common);
  const commonFields = type.fields.filter((field) => field.common);
  const taken = new Set(own.map(({ name }) => name.toLowerCase()));
  const columns: ScanColumn[] = [];
  const add = (column: ScanColumn): void => {
    let { name } = column;
    if (taken.has(name.toLowerCase())) name = COMMON_PREFIX + name;
    if (taken.has(name.toLowerCase())) return;
    taken.add(name.toLowerCase());
    columns.push({ ...column, name });
  };
  for (const column of [ts, cpu, pid, comm]) add(column);
  const cgroupField = cgroupFieldOf(type);
  if (cgroupField !== null) add(cgroupColumn(cgroupField));
  const names = new Set<string>();
  for (const field of own) {
    if (names.has(field.name.toLowerCase())) continue;
    names.add(field.name.toLowerCase());
    columns.push(fieldColumn(trace, type, field));
  }
  for (const column of [stream, idx]) add(column);
  for (const field of commonFields) if (!taken.has(field.name.toLowerCase())) add(fieldColumn(trace, type, field));
  return columns;
}

function cgroupColumn(field: string): ScanColumn {
  return plain('cgroup', 'text', '', (source) => {
    const format = source.format?.fields.find(({ name }) => name === field);
    if (format === undefined) return () => null;
    const value = textReader(format, source.stream.layout.abi);
    const { trace } = source;
    return (event) => {
      event.load();
      return trace.cgroupAt(value(event.view, event.at, event.end), event.time).path || null;
    };
  });
}

/** The field in the formats of all recordings that have it: of one name, they may differ. */
function formatsOf(trace: Trace, type: EventTypeInfo, name: string): FieldFormat[] {
  return trace.recordings.flatMap(({ formatOfId }) =>
    [...formatOfId.values()]
      .filter((format) => format.system === type.system && format.name === type.name)
      .flatMap(({ fields }) => fields.filter((field) => field.name === name)),
  );
}

function fieldColumn(trace: Trace, type: EventTypeInfo, field: FieldInfo): ScanColumn {
  const kind = kindOf(formatsOf(trace, type, field.name));
  const column = { name: field.name, kind, unit: field.unit, declaration: field.declaration };
  const reader =
    (make: (format: FieldFormat, source: ColumnSource) => ValueReader) =>
    (source: ColumnSource): ValueReader => {
      const format = source.format?.fields.find(({ name }) => name === field.name);
      return format === undefined ? () => null : make(format, source);
    };
  switch (kind) {
    case 'text':
      return { ...column, read: reader(textValue) };
    case 'bytes':
      return { ...column, read: reader(bytesValue) };
    case 'exact':
      return { ...column, read: reader(exactValue) };
    case 'unsigned':
      return { ...column, read: reader(integerValue), big: reader(bigValue) };
    case 'integer':
      return { ...column, read: reader(integerValue) };
  }
}

function kindOf(formats: readonly FieldFormat[]): ColumnKind {
  const [first] = formats;
  if (first === undefined || first.isString || first.isPointer) return 'text';
  // Arrays of numbers as JSON, so that `args ->> 0` gives an element.
  if (first.isArray && isNumeric(first) && first.elementBytes > 1) return 'text';
  if (first.isArray || !isNumeric(first)) return 'bytes';
  if (formats.some(({ location }) => location === 'text')) return 'exact';
  return formats.some(({ elementBytes, signed }) => elementBytes === 8 && !signed) ? 'unsigned' : 'integer';
}

function textValue(format: FieldFormat, { stream: { layout } }: ColumnSource): ValueReader {
  const read = textReader(format, layout.abi);
  return (event) => {
    event.load();
    return read(event.view, event.at, event.end);
  };
}

function bytesValue(format: FieldFormat, { stream: { layout } }: ColumnSource): ValueReader {
  const read = bytesReader(format, layout.abi);
  return (event) => {
    event.load();
    return Buffer.from(read(event.view, event.at, event.end));
  };
}

function integerValue(format: FieldFormat, { stream: { layout } }: ColumnSource): ValueReader {
  const read = numberReader(format, layout.abi);
  if (!isNumeric(format) || format.elementBytes < 8 || isFraction(format)) {
    return (event) => {
      event.load();
      const value = read(event.view, event.at, event.end);
      return Number.isNaN(value) ? null : value;
    };
  }
  const exact = bigintReader(format, layout.abi);
  return (event) => {
    event.load();
    const value = read(event.view, event.at, event.end);
    if (Number.isSafeInteger(value)) return value;
    const integer = Number.isNaN(value) ? null : exact(event.view, event.at, event.end);
    return integer === null || integer >= NO_INTEGER ? null : integer;
  };
}

function bigValue(format: FieldFormat, { stream: { layout } }: ColumnSource): ValueReader {
  const read = bigintReader(format, layout.abi);
  return (event) => {
    event.load();
    const value = read(event.view, event.at, event.end);
    return value !== null && value >= NO_INTEGER ? String(value) : null;
  };
}

function exactValue(format: FieldFormat, { stream: { layout } }: ColumnSource): ValueReader {
  const read = numberReader(format, layout.abi);
  const exact = bigintReader(format, layout.abi);
  return (event) => {
    event.load();
    const value = read(event.view, event.at, event.end);
    if (Number.isNaN(value)) return null;
    if (!Number.isInteger(value)) return value;
    const integer = exact(event.view, event.at, event.end);
    if (integer === null) return value;
    return integer >= NO_INTEGER || integer < -NO_INTEGER ? String(integer) : integer;
  };
}
