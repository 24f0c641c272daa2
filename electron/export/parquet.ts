import type { Annotation, Episode, EventTypeInfo } from '../../shared/model.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import {
  besideFields,
  type CellReader,
  type EventColumn,
  fieldColumns,
  placeColumns,
  textColumns,
} from './convert-columns.ts';
import { type ConvertedEvent, type EventSelection, TaskNames, visitEvents } from './convert-events.ts';
import { hostOf } from './convert-origin.ts';
import type { ByteSink } from './convert-output.ts';
import { ParquetTable } from './parquet-table.ts';

/** What is converted. */
export interface ConvertSource {
  trace: Trace;
  episodes: readonly Episode[];
  annotations: readonly Annotation[];
  /** Parts of the input that were damaged. */
  warnings: number;
}

export interface ParquetOptions {
  /** The traced machine, for all recordings; null: what each says. */
  host: string | null;
  /** Day in UTC, for all; null: what each says. */
  day: string | null;
  /** The events' text, as the report prints it. */
  info: boolean;
}

/** Row groups that wait to be full take about this much memory together. */
const WAITING_BYTES = 32 << 20;
/** Rows between two looks at how much that is. */
const ROWS_A_LOOK = 4096;

/** A table of events: how their cells are read, by stream and kernel id. */
export class EventTable {
  readonly table: ParquetTable;
  readonly #columns: readonly EventColumn[];
  readonly #readers = new Map<TraceStream, Map<number, CellReader[]>>();

  constructor(table: ParquetTable, columns: readonly EventColumn[]) {
    this.table = table;
    this.#columns = columns;
  }

  add(event: ConvertedEvent): void {
    const readers = this.#readersOf(event);
    const { columns } = this.table;
    for (let i = 0; i < readers.length; i++) columns[i]?.push((readers[i] as CellReader)(event));
    this.table.endRow();
  }

  #readersOf({ stream, id }: ConvertedEvent): CellReader[] {
    let byId = this.#readers.get(stream);
    if (byId === undefined) {
      byId = new Map();
      this.#readers.set(stream, byId);
    }
    let readers = byId.get(id);
    if (readers === undefined) {
      readers = this.#columns.map((column) => column.reader(stream, id));
      byId.set(id, readers);
    }
    return readers;
  }
}

/** Keeps what waits in many tables within memory: the fullest is written first. */
export class WaitingRows {
  readonly #tables: ParquetTable[] = [];
  #rows = 0;

  add(table: ParquetTable): void {
    this.#tables.push(table);
  }

  /** To be called for every event. */
  look(): void {
    if (++this.#rows % ROWS_A_LOOK !== 0) return;
    const sizes = this.#tables.map((table) => ({ table, bytes: table.bytes }));
    let waiting = sizes.reduce((sum, { bytes }) => sum + bytes, 0);
    if (waiting <= WAITING_BYTES) return;
    for (const { table, bytes } of sizes.sort((a, b) => b.bytes - a.bytes)) {
      table.flush();
      waiting -= bytes;
      if (waiting <= WAITING_BYTES / 2) return;
    }
  }

  finish(): void {
    for (const table of this.#tables) table.finish();
  }
}

/** What the footer of every file says. */
export const aboutFile = (trace: Trace): Record<string, string> => ({
  'remora.time': 'ts counts ns from the first event; abs_ns is the trace clock',
  'remora.clock': [...new Set(trace.streams.map(({ info }) => info.clock))].join(', '),
});

/** Writes one Parquet file: all events with their text; or with `type`, the events of that type with its fields. */
export async function writeParquetFile(
  trace: Trace,
  { host, info }: ParquetOptions,
  type: EventTypeInfo | null,
  selection: EventSelection,
  sink: ByteSink,
): Promise<void> {
  const hosts = trace.recordings.map((recording) => host ?? hostOf(recording));
  const hostColumn: EventColumn = {
    name: 'host',
    type: 'text',
    nullable: false,
    reader: (stream) => () => hosts[stream.info.recording] as string,
  };
  const place = placeColumns(trace, new TaskNames(), () => 0);
  const columns =
    type === null
      ? [...place.slice(0, 2), hostColumn, ...place.slice(2), ...textColumns(trace, info)]
      : besideFields([...place.slice(0, 2), hostColumn, ...place.slice(2)], fieldColumns(trace, type));
  const table = new ParquetTable(sink, columns, aboutFile(trace));
  const events = new EventTable(table, columns);
  const waiting = new WaitingRows();
  waiting.add(table);
  await visitEvents(trace, selection, (event) => {
    if (type !== null && event.type !== type.type) return;
    events.add(event);
    waiting.look();
  });
  table.finish();
}
