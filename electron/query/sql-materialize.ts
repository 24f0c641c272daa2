import type { Progress } from '../../shared/api.ts';
import type { PlainColumn, SqlInput } from '../store/sql-connection.ts';
import { MATERIALIZED_ID, TableImage } from '../store/table-image.ts';
import type { ScanColumn } from './sql-columns.ts';
import { openScan } from './sql-scan.ts';
import { type EventTable, type PlainTable, SqlTables, type SqlWorkspace, sqlTypes } from './sql-tables.ts';

const ROWS_PER_PROGRESS = 1 << 16;

/**
 * Writes every table of a workspace into a new SQLite file at `path`: those of events with all that is stored of them, which
 * leaves out what is printed from it (`info`, `abs_ns`), and the small ones. Types keep their names: "sched:sched_switch".
 */
export function materializeTables(
  workspace: SqlWorkspace,
  path: string,
  onProgress: (progress: Progress) => void,
): void {
  const tables = new SqlTables(workspace);
  const { trace } = workspace;
  const small: ({ name: string } & Pick<PlainTable, 'columns'> & { rows: Iterable<SqlInput[]> })[] = [];
  const large: (EventTable & { name: string; stored: ScanColumn[] })[] = [];
  for (const name of tables.names()) {
    const plain = tables.plain(name);
    const events = tables.events(name);
    if (plain !== null) small.push({ name, columns: plain.columns, rows: plain.rows() });
    if (events !== null) large.push({ name, ...events, stored: events.columns.filter(({ read }) => read !== null) });
  }
  const image = new TableImage(
    path,
    small,
    large.map(({ name, stored }) => ({ name, columns: stored.map(plainColumn) })),
    MATERIALIZED_ID,
  );
  // Every event is in `event` and in its type's table.
  const total = 2 * trace.streams.reduce((sum, { info }) => sum + info.events, 0);
  let done = 0;
  try {
    for (const { name, stored, type, columns } of large) {
      const next = openScan({ trace, type, columns, wanted: stored, split: false, conditions: null });
      image.fill(name, () => {
        const row = next();
        if (row !== null && done++ % ROWS_PER_PROGRESS === 0)
          onProgress({ stage: 'Writing tables', done, total, unit: 'events' });
        return row;
      });
    }
    image.finish();
  } finally {
    image.close();
  }
}

const plainColumn = ({ name, kind }: ScanColumn): PlainColumn => ({ name, type: sqlTypes[kind] });
