import type { EventTypeInfo } from '../../shared/model.ts';
import type { Trace, TraceStream } from '../query/trace.ts';
import {
  besideFields,
  type Cell,
  type EventColumn,
  fieldColumns,
  placeColumns,
  textColumns,
} from './convert-columns.ts';
import { type ConvertedEvent, type EventSelection, TaskNames, visitEvents } from './convert-events.ts';
import { contentsOfKey, Days, hostOf, partition, recordingKey, recordingOrigins } from './convert-origin.ts';
import type { StagedFolder } from './convert-output.ts';
import { aboutFile, type ConvertSource, EventTable, type ParquetOptions, WaitingRows } from './parquet.ts';
import type { ParquetColumn } from './parquet-column.ts';
import { ParquetTable } from './parquet-table.ts';

/**
 * A folder of Parquet files, partitioned as Hive does it, to which recordings of any number of machines are added:
 *
 *     events/host=H/day=D/RECORDING.parquet                      all events, with their text
 *     fields/host=H/day=D/event=NAME/SYSTEM.RECORDING.parquet    the events of one type, with its fields
 *     streams/  episodes/  annotations/   host=H/day=D/RECORDING.parquet
 *
 * `host`, `day` and `event` are columns that readers take from the folders' names. A recording that is converted again replaces
 * what there was of it.
 */
export async function writeParquetFolder(
  source: ConvertSource,
  options: ParquetOptions,
  selection: EventSelection,
  folder: StagedFolder,
): Promise<void> {
  const { trace } = source;
  const data = new DataSet(source, options, folder);
  data.addStreams();
  await visitEvents(trace, selection, (event) => data.addEvent(event));
  data.addEpisodes();
  data.addAnnotations();
  data.finish();
}

/** True for files of a data set that hold the same recordings as those just written. */
export function holdsSameRecordings(written: ReadonlySet<string>): (name: string) => boolean {
  const contents = new Set([...written].map(contentsOfFile));
  return (name) =>
    /^(events|fields|streams|episodes|annotations)\/host=/.test(name) && contents.has(contentsOfFile(name));
}

const ENDING = '.parquet';
const contentsOfFile = (name: string): string => contentsOfKey(name.slice(0, -ENDING.length));

class DataSet {
  readonly #source: ConvertSource;
  readonly #trace: Trace;
  readonly #options: ParquetOptions;
  readonly #folder: StagedFolder;
  readonly #keys: string[];
  readonly #hosts: string[];
  readonly #originNs: number[];
  readonly #days: Days;
  readonly #waiting = new WaitingRows();
  readonly #names = new TaskNames();
  readonly #tables = new Map<string, ParquetTable>();
  /** By stream and type (-1: all events): the tables of the day of the event before. */
  readonly #current = new Map<TraceStream, Map<number, { day: string; table: EventTable }>>();
  readonly #events = new Map<string, EventTable>();

  constructor(source: ConvertSource, options: ParquetOptions, folder: StagedFolder) {
    this.#source = source;
    this.#trace = source.trace;
    this.#options = options;
    this.#folder = folder;
    this.#keys = source.trace.recordings.map(recordingKey);
    this.#hosts = source.trace.recordings.map((recording) => options.host ?? hostOf(recording));
    this.#originNs = recordingOrigins(source.trace);
    this.#days = new Days(source.trace, options.day);
  }

  addEvent(event: ConvertedEvent): void {
    const day = this.#days.of(event.stream, event.timeNs);
    this.#eventTable(event.stream, day, null).add(event);
    const type = this.#trace.eventTypes[event.type];
    if (type !== undefined) this.#eventTable(event.stream, day, type).add(event);
    this.#waiting.look();
  }

  #eventTable(stream: TraceStream, day: string, type: EventTypeInfo | null): EventTable {
    let own = this.#current.get(stream);
    if (own === undefined) {
      own = new Map();
      this.#current.set(stream, own);
    }
    const key = type?.type ?? -1;
    const current = own.get(key);
    if (current?.day === day) return current.table;
    const table = this.#openEvents(stream, day, type);
    own.set(key, { day, table });
    return table;
  }

  #openEvents(stream: TraceStream, day: string, type: EventTypeInfo | null): EventTable {
    const { recording } = stream.info;
    const path =
      type === null
        ? this.#path('events', recording, day)
        : this.#path('fields', recording, day, partition('event', type.name), `${type.system}.`);
    let table = this.#events.get(path);
    if (table === undefined) {
      const place = [this.#recordingColumn(), ...this.#placeColumns()];
      const columns =
        type === null
          ? [...place, ...textColumns(this.#trace, this.#options.info)]
          : besideFields([...place, ...systemColumn(type)], this.#fieldsOf(type));
      table = new EventTable(this.#table(path, columns), columns);
      this.#events.set(path, table);
    }
    return table;
  }

  #placeColumns(): EventColumn[] {
    return placeColumns(this.#trace, this.#names, ({ info }) => this.#originNs[info.recording] as number);
  }

  #recordingColumn(): EventColumn {
    const reader: EventColumn['reader'] = ({ info }) => {
      const key = this.#keys[info.recording] as string;
      return () => key;
    };
    return { name: 'recording', type: 'text', nullable: false, reader };
  }

  /** Fields that have the name of a folder's key would hide it. */
  #fieldsOf(type: EventTypeInfo): EventColumn[] {
    const keys = new Set(['host', 'day', 'event']);
    return fieldColumns(this.#trace, type).map((column) =>
      keys.has(column.name.toLowerCase()) ? { ...column, name: `field_${column.name}` } : column,
    );
  }

  #path(table: string, recording: number, day: string, below = '', prefix = ''): string {
    const folders = [table, partition('host', this.#hosts[recording] as string), partition('day', day), below];
    return [...folders.filter((name) => name !== ''), `${prefix}${this.#keys[recording]}${ENDING}`].join('/');
  }

  #table(path: string, columns: readonly ParquetColumn[]): ParquetTable {
    let table = this.#tables.get(path);
    if (table === undefined) {
      table = new ParquetTable(this.#folder.file(path), columns, aboutFile(this.#trace));
      this.#tables.set(path, table);
      this.#waiting.add(table);
    }
    return table;
  }

  #add(
    name: string,
    columns: readonly ParquetColumn[],
    stream: TraceStream,
    timeNs: number,
    cells: readonly Cell[],
  ): void {
    const { recording } = stream.info;
    const path = this.#path(name, recording, this.#days.of(stream, timeNs));
    this.#table(path, columns).addRow([this.#keys[recording] as string, ...cells]);
  }

  /** A table without rows, where nothing was added: a pattern for it shall find a file. */
  #ensure(name: string, columns: readonly ParquetColumn[]): void {
    for (const stream of this.#trace.streams) {
      const path = this.#path(name, stream.info.recording, this.#days.of(stream, stream.info.fromNs));
      this.#table(path, columns);
    }
  }

  #relative(stream: TraceStream, timeNs: number): bigint {
    return BigInt(Math.round(timeNs - (this.#originNs[stream.info.recording] as number)));
  }

  #absolute(timeNs: number): bigint {
    return this.#trace.originNs + BigInt(Math.round(timeNs));
  }

  addStreams(): void {
    for (const stream of this.#trace.streams) {
      const { info, recording } = stream;
      const time = (ns: number): bigint | null => (info.events === 0 ? null : this.#relative(stream, ns));
      this.#add('streams', streamColumns, stream, info.fromNs, [
        info.index,
        info.name,
        info.clock,
        info.timeUnit,
        info.cpus.length,
        BigInt(info.events),
        BigInt(info.lost),
        info.gaps,
        info.events === 0 ? null : this.#absolute(info.fromNs),
        time(info.fromNs),
        time(info.toNs),
        recording.info.path,
        BigInt(recording.info.bytes),
        recording.info.uname,
        this.#source.warnings,
      ]);
    }
  }

  addEpisodes(): void {
    this.#ensure('episodes', episodeColumns);
    for (const episode of this.#source.episodes) {
      const stream = this.#trace.streams[episode.stream];
      if (stream === undefined) continue;
      this.#add('episodes', episodeColumns, stream, episode.fromNs, [
        episode.id,
        episode.stream,
        /^\d+$/.test(episode.cgroup.ino) ? BigInt(episode.cgroup.ino) : null,
        episode.cgroup.path || null,
        episode.bdi,
        episode.task.pid,
        episode.task.comm,
        this.#relative(stream, episode.fromNs),
        this.#relative(stream, episode.toNs),
        this.#absolute(episode.fromNs),
        episode.events,
        episode.pauses,
        episode.pauseMs,
        episode.maxPauseMs,
        episode.sleptMs,
        finite(episode.minTaskRatelimitKiBps),
        finite(episode.maxDirtyOverLimit),
        episode.domain,
        episode.cause,
      ]);
    }
  }

  addAnnotations(): void {
    this.#ensure('annotations', annotationColumns);
    const [stream] = this.#trace.streams;
    if (stream === undefined) return;
    for (const note of this.#source.annotations) {
      this.#add('annotations', annotationColumns, stream, note.fromNs, [
        note.id,
        note.kind,
        this.#relative(stream, note.fromNs),
        this.#relative(stream, note.toNs),
        this.#absolute(note.fromNs),
        note.text,
        note.color,
        JSON.stringify(note.tags),
      ]);
    }
  }

  finish(): void {
    this.#waiting.finish();
  }
}

/** Two systems may have an event of one name, and then share a folder. */
function systemColumn({ system }: EventTypeInfo): EventColumn[] {
  return [{ name: 'system', type: 'text', nullable: false, reader: () => () => system }];
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);

const required = (name: string, type: ParquetColumn['type']): ParquetColumn => ({ name, type, nullable: false });
const optional = (name: string, type: ParquetColumn['type']): ParquetColumn => ({ name, type, nullable: true });

const streamColumns: ParquetColumn[] = [
  required('recording', 'text'),
  required('stream', 'int32'),
  required('name', 'text'),
  required('clock', 'text'),
  required('time_unit', 'text'),
  required('cpus', 'int32'),
  required('events', 'int64'),
  required('lost', 'int64'),
  required('gaps', 'int32'),
  optional('origin_abs_ns', 'int64'),
  optional('start_ns', 'int64'),
  optional('end_ns', 'int64'),
  required('path', 'text'),
  required('bytes', 'int64'),
  required('uname', 'text'),
  required('warnings', 'int32'),
];

const episodeColumns: ParquetColumn[] = [
  required('recording', 'text'),
  required('id', 'int32'),
  required('stream', 'int32'),
  optional('cgroup_ino', 'uint64'),
  optional('cgroup', 'text'),
  required('bdi', 'text'),
  required('pid', 'int32'),
  required('comm', 'text'),
  required('start_ns', 'int64'),
  required('end_ns', 'int64'),
  required('start_abs_ns', 'int64'),
  required('events', 'int32'),
  required('pauses', 'int32'),
  required('pause_ms', 'double'),
  required('max_pause_ms', 'double'),
  optional('slept_ms', 'double'),
  optional('min_task_ratelimit_kibps', 'double'),
  optional('max_dirty_over_limit', 'double'),
  required('domain', 'text'),
  required('cause', 'text'),
];

const annotationColumns: ParquetColumn[] = [
  required('recording', 'text'),
  required('id', 'text'),
  required('kind', 'text'),
  required('start_ns', 'int64'),
  required('end_ns', 'int64'),
  required('start_abs_ns', 'int64'),
  required('text', 'text'),
  required('color', 'text'),
  required('tags', 'text'),
];
