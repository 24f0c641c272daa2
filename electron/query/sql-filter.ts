import type { SqlInput } from '../store/sql-connection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import type { ColumnSource, ScanColumn } from './sql-columns.ts';
import type { Condition } from './sql-conditions.ts';
import type { EventCursor } from './sql-scan.ts';

/** Which of one CPU's events can matter to a query; lets through more rather than fewer. */
export interface EventFilter {
  /** False where a chunk's directory entry tells that none of its events can. */
  mayHold(info: ChunkInfo): boolean;
  passes(event: EventCursor): boolean;
}

interface Check {
  chunk: ((info: ChunkInfo) => boolean) | null;
  event: (event: EventCursor) => boolean;
}

/** Null where everything passes. */
export function eventFilter(
  alternatives: readonly (readonly Condition[])[],
  columns: readonly ScanColumn[],
  source: ColumnSource,
): EventFilter | null {
  const byName = new Map(columns.map((column) => [column.name.toLowerCase(), column]));
  const checks: Check[][] = [];
  for (const conditions of alternatives) {
    const list = conditions.flatMap((condition): Check[] => {
      const column = byName.get(condition.column);
      if (column?.read === undefined || column.read === null || !comparable(column, condition)) return [];
      const read = column.read(source);
      // Null may be a value that only the second reader can tell.
      const unread = column.big !== undefined;
      const event = (at: EventCursor): boolean => {
        const value = read(at);
        return value === null ? unread : meets(condition, value);
      };
      return [{ chunk: chunkCheck(column, condition, source), event }];
    });
    if (list.length === 0) return null;
    // What needs no payload is decided first.
    checks.push(list.sort((a, b) => Number(a.chunk === null) - Number(b.chunk === null)));
  }
  return {
    mayHold: (info) => checks.some((list) => list.every(({ chunk }) => chunk === null || chunk(info))),
    passes: (event) => checks.some((list) => list.every((check) => check.event(event))),
  };
}

/** SQLite compares a number with text by rules of its own: such conditions are left to it. */
function comparable({ kind }: ScanColumn, { texts }: Condition): boolean {
  if (kind === 'bytes') return false;
  return kind === 'text' ? texts : !texts;
}

/** True where SQLite would find the condition true, and where only SQLite can tell. */
function meets({ min, max, anyOf, texts }: Condition, value: SqlInput): boolean {
  if (typeof value === 'string') return !texts || anyOf === null || anyOf.has(value);
  if (typeof value !== 'number') return true;
  return value >= min && value <= max && (anyOf === null || anyOf.has(value));
}

/** What the directory of chunks knows of a column; null for nothing. */
function chunkCheck(column: ScanColumn, condition: Condition, source: ColumnSource): Check['chunk'] {
  // A field of this name is no column of ours.
  if (column.declaration !== '') return null;
  const { trace, stream } = source;
  const { min, max, anyOf } = condition;
  switch (column.name) {
    case 'ts':
      return ({ fromNs, toNs }) => {
        const [from, to] = [fromNs + stream.offsetNs, toNs + stream.offsetNs];
        return (
          from <= max &&
          to >= min &&
          (anyOf === null || [...anyOf].some((at) => Number(at) >= from && Number(at) <= to))
        );
      };
    case 'cpu':
    case 'stream': {
      const same = meets(condition, column.name === 'cpu' ? source.cpu : stream.info.index);
      return () => same;
    }
    case 'name':
    case 'system':
    case 'type': {
      const { name } = column;
      const { typeOfId } = stream.recording;
      return ({ events }) => {
        for (let i = 0; i < events.length; i += 2) {
          const type = trace.eventTypes[typeOfId[events[i] as number] as number];
          if (type === undefined || meets(condition, type[name])) return true;
        }
        return false;
      };
    }
    default:
      return null;
  }
}
