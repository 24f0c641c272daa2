import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { SqlConnection } from '../store/sql-connection.ts';
import { TableImage } from '../store/table-image.ts';
import type { ScanColumn } from './sql-columns.ts';
import { NOTHING, openScan, type ScanRequest } from './sql-scan.ts';
import type { PlainTable } from './sql-tables.ts';
import { isOperator, isWord, type SqlToken } from './sql-tokens.ts';

/** A temporary file grows up to here; a query that would need more reads virtual tables, slower and in little space. */
const MOST_BYTES = 1 << 30;

const AGGREGATES = [
  ...['count', 'sum', 'total', 'avg', 'min', 'max', 'group_concat', 'string_agg', 'json_group_array'],
  ...['json_group_object', 'median', 'percentile', 'percentile_cont', 'percentile_disc'],
];

/** True where a query probably reads its tables to their ends before it has a row, and copies may stand in for them. */
export function readsAll(tokens: readonly SqlToken[], joined: boolean): boolean {
  // A copied table is not where a query that names its schema expects it.
  if (isWord(tokens[0], 'explain') || tokens.some(({ value }) => value.toLowerCase() === 'main')) return false;
  return (
    joined ||
    tokens.some(
      (token, i) =>
        isWord(token, 'group', 'order', 'distinct', 'over') ||
        (isWord(token, ...AGGREGATES) && isOperator(tokens[i + 1], '(')),
    )
  );
}

/**
 * The tables of a query as ordinary ones, as far as it reads them: a connection to a file in `folder` that has no name any
 * more. Null where they are too large, or no file can be written.
 */
export function copyTables(
  folder: string,
  small: readonly (PlainTable & { name: string })[],
  large: readonly { name: string; request: Omit<ScanRequest, 'split'> }[],
): SqlConnection | null {
  let left = MOST_BYTES;
  for (const { request } of large)
    if (request.conditions === null) left -= eventsOf(request) * rowBytes(request.wanted);
  if (left < 0 || process.platform === 'win32') return null;
  const path = join(folder, 'tables.db');
  let image: TableImage | null = null;
  try {
    image = new TableImage(
      path,
      small.map(({ name, columns, rows }) => ({ name, columns, rows: rows() })),
      large.map(({ name, request }) => ({ name, columns: copiedColumns(request.wanted) })),
    );
    let bytes = 0;
    for (const { name, request } of large) {
      const next = openScan({ ...request, split: false });
      const each = rowBytes(request.wanted);
      image.fill(name, () => {
        bytes += each;
        if (bytes > MOST_BYTES) throw new TooLarge();
        return next();
      });
    }
    image.finish();
    return new SqlConnection(path);
  } catch (error) {
    if (error instanceof TooLarge || cannotWrite(error)) return null;
    throw error;
  } finally {
    image?.close();
    rmSync(path, { force: true });
  }
}

class TooLarge extends Error {}

/** The disk is full, or nothing may be written there. */
function cannotWrite(error: unknown): boolean {
  const code = String((error as { code?: unknown } | null)?.code);
  return ['ENOSPC', 'EDQUOT', 'EACCES', 'EROFS', 'ENOENT', 'SQLITE_FULL', 'SQLITE_CANTOPEN'].includes(code);
}

function eventsOf({ trace, type }: Pick<ScanRequest, 'trace' | 'type'>): number {
  if (type === null) return trace.streams.reduce((sum, { info }) => sum + info.events, 0);
  return trace.eventTypes[type]?.count ?? 0;
}

/** About what a row takes: lengths and rowid, and for each column its type and value. */
const rowBytes = (columns: readonly ScanColumn[]): number =>
  columns.reduce((sum, { kind }) => sum + (kind === 'text' || kind === 'bytes' ? 14 : 5), 7);

/** Types that convert nothing, so that values are what a virtual table has. */
function copiedColumns(wanted: readonly ScanColumn[]): { name: string; type: 'INTEGER' | '' }[] {
  const columns = wanted.map(({ name, kind }) => ({
    name,
    type: kind === 'integer' ? ('INTEGER' as const) : ('' as const),
  }));
  return columns.length === 0 ? [{ name: NOTHING, type: '' }] : columns;
}
