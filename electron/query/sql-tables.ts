import type { Annotation, EventTypeInfo } from '../../shared/model.ts';
import type { PlainColumn, SqlInput } from '../store/sql-connection.ts';
import type { EpisodeQueries } from './episodes.ts';
import { eventColumns, type ScanColumn, typeColumns } from './sql-columns.ts';
import { NO_EVENTS } from './sql-scan.ts';
import type { Trace } from './trace.ts';

/** What SQL works on. */
export interface SqlWorkspace {
  trace: Trace;
  episodes: Pick<EpisodeQueries, 'find'>;
  annotations: readonly Annotation[];
  /** What a type would be of which there is the format and no event. */
  describeType(system: string, name: string): EventTypeInfo | undefined;
}

/** A table of events, which is scanned: all events, or those of one type. */
export interface EventTable {
  /** Index into `Trace.eventTypes`; null: all; NO_EVENTS: a type without any. */
  type: number | null;
  columns: readonly ScanColumn[];
}

/** A table that is small and made when it is asked for. */
export interface PlainTable {
  columns: readonly (PlainColumn & { unit?: string })[];
  rows(): Iterable<SqlInput[]>;
}

const EVENT = 'event';

/** The tables of a workspace by name, whatever its case: `event`, one per event type, and the small ones. */
export class SqlTables {
  readonly #workspace: SqlWorkspace;
  readonly #plain: Map<string, PlainTable>;
  readonly #types = new Map<string, EventTypeInfo>();
  /** Types of which there is the format and no event, by full name in lower case. */
  readonly #empty = new Map<string, { system: string; name: string }>();
  /** Event names without their system → full names. */
  readonly #short = new Map<string, string[]>();

  constructor(workspace: SqlWorkspace) {
    this.#workspace = workspace;
    const { trace } = workspace;
    for (const type of trace.eventTypes) this.#types.set(fullName(type).toLowerCase(), type);
    for (const { head } of trace.recordings) {
      for (const { system, name } of head.formats) {
        const folded = fullName({ system, name }).toLowerCase();
        if (!this.#types.has(folded)) this.#empty.set(folded, { system, name });
      }
    }
    for (const type of [...this.#types.values(), ...this.#empty.values()]) {
      const known = this.#short.get(type.name.toLowerCase());
      if (known === undefined) this.#short.set(type.name.toLowerCase(), [fullName(type)]);
      else known.push(fullName(type));
    }
    this.#plain = new Map(Object.entries({ ...plainTables(workspace), ...this.#directories() }));
  }

  /** Full name of the table that a name means: an event's name alone will do where one system has it. Null: no such table. */
  resolve(name: string): string | null {
    const folded = name.toLowerCase();
    if (folded === EVENT || this.#plain.has(folded)) return folded;
    const type = this.#types.get(folded) ?? this.#empty.get(folded);
    if (type !== undefined) return fullName(type);
    const short = this.#short.get(folded);
    return short?.length === 1 ? (short[0] as string) : null;
  }

  /** By full name. Null: it is no table of events. */
  events(name: string): EventTable | null {
    if (name === EVENT) return { type: null, columns: eventColumns };
    const { trace } = this.#workspace;
    const known = this.#types.get(name.toLowerCase());
    if (known !== undefined) return { type: known.type, columns: typeColumns(trace, known) };
    const empty = this.#empty.get(name.toLowerCase());
    if (empty === undefined) return null;
    const type = this.#workspace.describeType(empty.system, empty.name);
    return type === undefined ? null : { type: NO_EVENTS, columns: typeColumns(trace, type) };
  }

  plain(name: string): PlainTable | null {
    return this.#plain.get(name) ?? null;
  }

  columnNames(name: string): string[] {
    return (this.events(name) ?? this.plain(name))?.columns.map((column) => column.name) ?? [];
  }

  /** All tables with rows in them or made on demand: `event`, event types that occur, and the small ones. */
  names(): string[] {
    return [EVENT, ...this.#workspace.trace.eventTypes.map(fullName), ...this.#plain.keys()];
  }

  /** Also event types of which the recording has the format and no event. */
  knownNames(): string[] {
    const types = [...this.#types.values(), ...this.#empty.values()];
    return [EVENT, ...types.map(fullName), ...this.#plain.keys()];
  }

  /** The tables that tell of the others. */
  #directories(): Record<string, PlainTable> {
    const rowsOf = (name: string): number | null => {
      const { trace } = this.#workspace;
      if (name === EVENT) return trace.streams.reduce((sum, { info }) => sum + info.events, 0);
      return this.#types.get(name.toLowerCase())?.count ?? null;
    };
    const names = (): string[] => this.names();
    const columnsOf = (name: string): ColumnRow[] =>
      this.events(name)?.columns.map(({ name: column, kind, unit, declaration }) => [
        name,
        column,
        sqlTypes[kind],
        unit,
        declaration,
      ]) ??
      this.plain(name)?.columns.map(({ name: column, type, unit = '' }) => [name, column, type, unit, '']) ??
      [];
    return {
      remora_tables: {
        columns: [text('name'), integer('rows'), text('columns')],
        *rows() {
          for (const name of names())
            yield [
              name,
              rowsOf(name),
              columnsOf(name)
                .map((row) => row[1])
                .join(', '),
            ];
        },
      },
      remora_columns: {
        columns: [text('table_name'), text('name'), text('type'), text('unit'), text('declaration')],
        *rows() {
          for (const name of names()) yield* columnsOf(name);
        },
      },
    };
  }
}

type ColumnRow = [table: string, name: string, type: string, unit: string, declaration: string];
/** Declared types of the columns of a table; none where values stay what they are. */
export const sqlTypes = { integer: 'INTEGER', unsigned: 'INTEGER', exact: '', text: 'TEXT', bytes: 'BLOB' } as const;

const fullName = ({ system, name }: { system: string; name: string }): string => `${system}:${name}`;

const integer = (name: string, unit = ''): PlainTable['columns'][number] => ({ name, type: 'INTEGER', unit });
const real = (name: string, unit = ''): PlainTable['columns'][number] => ({ name, type: 'REAL', unit });
const text = (name: string): PlainTable['columns'][number] => ({ name, type: 'TEXT' });
/** An inode number: an integer, or its digits where it is too large for one. */
const inode = (name: string): PlainTable['columns'][number] => ({ name, type: '' });

function inodeValue(decimal: string): SqlInput {
  if (!/^\d+$/.test(decimal)) return decimal === '' ? null : decimal;
  const value = BigInt(decimal);
  return value < 2n ** 63n ? value : decimal;
}

function plainTables({ trace, episodes, annotations }: SqlWorkspace): Record<string, PlainTable> {
  return {
    task: {
      columns: [integer('pid'), integer('tgid'), text('comm'), integer('events')],
      rows: () => trace.tasks.map(({ pid, tgid, comm, events }) => [pid, tgid < 0 ? null : tgid, comm, events]),
    },
    cgroup: {
      columns: [inode('ino'), text('path')],
      rows: () => trace.cgroups.map(({ ino, path }) => [inodeValue(ino), path]),
    },
    episode: {
      columns: [
        integer('id'),
        integer('stream'),
        inode('cgroup_ino'),
        text('cgroup'),
        text('bdi'),
        integer('pid'),
        text('comm'),
        integer('start_ns', 'ns'),
        integer('end_ns', 'ns'),
        integer('events'),
        integer('pauses'),
        real('pause_ms', 'ms'),
        real('max_pause_ms', 'ms'),
        real('slept_ms', 'ms'),
        real('min_task_ratelimit_kibps', 'KiB/s'),
        real('max_dirty_over_limit'),
        text('domain'),
        text('cause'),
      ],
      rows: () =>
        episodes
          .find('none', undefined)
          .episodes.map((episode) => [
            episode.id,
            episode.stream,
            inodeValue(episode.cgroup.ino),
            episode.cgroup.path || null,
            episode.bdi,
            episode.task.pid,
            episode.task.comm,
            Math.round(episode.fromNs),
            Math.round(episode.toNs),
            episode.events,
            episode.pauses,
            episode.pauseMs,
            episode.maxPauseMs,
            episode.sleptMs,
            finite(episode.minTaskRatelimitKiBps),
            finite(episode.maxDirtyOverLimit),
            episode.domain,
            episode.cause,
          ]),
    },
    annotation: {
      columns: [
        text('id'),
        text('kind'),
        integer('start_ns', 'ns'),
        integer('end_ns', 'ns'),
        text('text'),
        text('color'),
        text('tags'),
      ],
      rows: () =>
        annotations.map((note) => [
          note.id,
          note.kind,
          Math.round(note.fromNs),
          Math.round(note.toNs),
          note.text,
          note.color,
          JSON.stringify(note.tags),
        ]),
    },
    stream: {
      columns: [
        integer('stream'),
        integer('recording'),
        text('name'),
        text('clock'),
        integer('cpus'),
        integer('events'),
        integer('lost'),
        integer('gaps'),
        text('origin_abs_ns'),
        integer('start_ns', 'ns'),
        integer('end_ns', 'ns'),
      ],
      rows: () =>
        trace.streams.map(({ info }) => [
          info.index,
          info.recording,
          info.name,
          info.clock,
          info.cpus.length,
          info.events,
          info.lost,
          info.gaps,
          info.originNs,
          info.fromNs,
          info.toNs,
        ]),
    },
    recording: {
      columns: [
        integer('recording'),
        text('path'),
        integer('bytes', 'bytes'),
        text('format'),
        integer('version'),
        text('compression'),
        text('byte_order'),
        integer('long_bytes', 'bytes'),
        integer('page_bytes', 'bytes'),
        text('uname'),
      ],
      rows: () =>
        trace.recordings.map(({ info }, index) => [
          index,
          info.path,
          info.bytes,
          info.format,
          info.version,
          info.compression,
          info.byteOrder,
          info.longBytes,
          info.pageBytes,
          info.uname,
        ]),
    },
  };
}

const finite = (value: number): number | null => (Number.isFinite(value) ? value : null);
