import type { Progress } from '../../shared/api.ts';
import type { PlainColumn, SqlInput } from '../store/sql-connection.ts';
import { TableFile } from '../store/table-file.ts';
import type { ScanColumn } from './sql-columns.ts';
import { scanRows } from './sql-scan.ts';
import { type EventTable, SqlTables, type SqlWorkspace, sqlTypes } from './sql-tables.ts';

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
  const file = new TableFile(path);
  const { trace } = workspace;
  // Every event is in `event` and in its type's table.
  const total = 2 * trace.streams.reduce((sum, { info }) => sum + info.events, 0);
  let done = 0;
  for (const name of tables.names()) {
    const events = tables.events(name);
    const plain = tables.plain(name);
    if (plain !== null) file.add(name, plain.columns, plain.rows());
    if (events === null) continue;
    const counted = function* (rows: Iterable<SqlInput[]>): Generator<SqlInput[]> {
      for (const row of rows) {
        if (done++ % ROWS_PER_PROGRESS === 0) onProgress({ stage: 'Writing tables', done, total, unit: 'events' });
        yield row;
      }
    };
    const stored = events.columns.filter(({ read }) => read !== null);
    file.add(name, stored.map(plainColumn), counted(storedRows(workspace, events, stored)));
  }
  file.finish();
}

const plainColumn = ({ name, kind }: ScanColumn): PlainColumn => ({ name, type: sqlTypes[kind] });

/** The scan's rows with one place for each column. */
function* storedRows(
  { trace }: SqlWorkspace,
  { type, columns }: EventTable,
  stored: readonly ScanColumn[],
): Generator<SqlInput[]> {
  const row: SqlInput[] = stored.map(() => null);
  for (const raw of scanRows({ trace, type, columns, wanted: stored, conditions: null })()) {
    let place = 0;
    for (let k = 0; k < stored.length; k++) {
      const value = raw[place++] as SqlInput;
      row[k] = (stored[k] as ScanColumn).big === undefined ? value : (value ?? (raw[place++] as SqlInput));
      if ((stored[k] as ScanColumn).big !== undefined && value !== null) place++;
    }
    yield row;
  }
}
