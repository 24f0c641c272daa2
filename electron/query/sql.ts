import type { SqlCell } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import { SqlConnection, type SqlInput } from '../store/sql-connection.ts';
import type { ScanColumn } from './sql-columns.ts';
import { type Condition, tableConditions } from './sql-conditions.ts';
import { copyTables, readsAll } from './sql-copy.ts';
import { sqlError } from './sql-errors.ts';
import { bigName, NOTHING, rawNames, type ScanRequest, scanRows } from './sql-scan.ts';
import { type EventTable, type PlainTable, SqlTables, type SqlWorkspace } from './sql-tables.ts';
import { isOperator, isWord, quoted, type SqlToken, sqlTokens } from './sql-tokens.ts';

/** One query over a workspace. The rows are made while they are taken; `close` when done with them. */
export interface SqlQuery {
  columns: string[];
  rows(): Generator<SqlCell[]>;
  close(): void;
}

export interface SqlOptions {
  /** Where tables may be copied to that a query reads as a whole: a folder for this query alone. Without: none are. */
  scratch?: string | undefined;
  /** False: scans leave out nothing, whatever the query's conditions say. For tests of the pruning. */
  prune?: boolean;
}

/**
 * Prepares a query: defines the tables that it names on a private connection, each with the columns and conditions that its
 * text tells of. Throws RemoraError `bad-expression` for what is no single SELECT.
 *
 * Tables of events are virtual: nothing is copied, and the first rows come at once. What a query must read to its end before
 * it has a row (aggregates, sorting, joins) is copied first, as far as it is needed, into a temporary file that SQLite reads
 * several times faster than it gets rows from JavaScript.
 */
export function prepareSql(
  workspace: SqlWorkspace,
  text: string,
  { scratch, prune = true }: SqlOptions = {},
): SqlQuery {
  const tables = new SqlTables(workspace);
  let connection = new SqlConnection();
  const explain = (error: unknown): RemoraError =>
    sqlError(error, text, tables, (prefix) => connection.tryPrepare(prefix));
  try {
    const tokens = sqlTokens(text);
    const conditions = prune
      ? tableConditions(
          text,
          tokens,
          (name) => tables.resolve(name),
          (expression) => connection.constant(expression),
        )
      : new Map<string, Condition[][]>();
    const { small, large } = namedTables(workspace, tokens, tables, conditions);
    defineFunctions(connection, workspace);
    for (const { name, columns } of small) connection.table(name, columns);
    defineVirtual(connection, large);
    // What does not parse at all is told first.
    connection.tryPrepare(text);
    refuseOthers(tokens);
    const repeated = isWord(tokens[0], 'explain') ? [] : repeatedScans(connection, text, large);
    const copy =
      scratch !== undefined && readsAll(tokens, repeated.length > 0) ? copyTables(scratch, small, large) : null;
    if (copy !== null) {
      connection.close();
      connection = copy;
      defineFunctions(connection, workspace);
      for (const { name, written, used } of large)
        for (const view of written)
          connection.view(
            view,
            selectOf(name, used, ({ name: column }) => quoted(column)),
          );
    } else {
      for (const { name, rows } of small) connection.fill(name, rows());
      copyRepeated(connection, text, large);
    }
    const select = connection.select(text);
    if (!select.isQuery) throw notAQuery(0);
    return {
      columns: select.columns,
      *rows() {
        try {
          yield* select.rows();
        } catch (error) {
          throw explain(error);
        }
      },
      close: () => connection.close(),
    };
  } catch (error) {
    const explained = explain(error);
    connection.close();
    throw explained;
  }
}

const notAQuery = (position: number): RemoraError =>
  new RemoraError({
    code: 'bad-expression',
    message: 'SQL: only queries are answered (SELECT, WITH, VALUES): a workspace cannot be changed by SQL',
    position,
  });

function refuseOthers(tokens: readonly SqlToken[]): void {
  const first = tokens.find((token) => !isOperator(token, ';'));
  if (first !== undefined && !isWord(first, 'select', 'with', 'values', 'explain')) throw notAQuery(first.at);
}

/** A small table under a name that the query has for it. */
type SmallTable = PlainTable & { name: string };

/** A table of events as a query reads it. */
interface LargeTable {
  /** Of the scan behind it. */
  name: string;
  /** The names that the query has for it. */
  written: string[];
  used: ScanColumn[];
  request: Omit<ScanRequest, 'split'>;
}

/** The tables that a query names. */
function namedTables(
  workspace: SqlWorkspace,
  tokens: readonly SqlToken[],
  tables: SqlTables,
  conditions: ReadonlyMap<string, Condition[][]>,
): { small: SmallTable[]; large: LargeTable[] } {
  const names = usedNames(tokens);
  const small: SmallTable[] = [];
  const large = new Map<string, LargeTable>();
  const seen = new Set<string>();
  for (const { kind, value } of tokens) {
    const table = kind === 'name' || kind === 'text' ? tables.resolve(value) : null;
    if (table === null || seen.has(value.toLowerCase())) continue;
    seen.add(value.toLowerCase());
    const plain = tables.plain(table);
    if (plain !== null) small.push({ name: value, ...plain });
    const known = large.get(table);
    known?.written.push(value);
    const events = known === undefined ? tables.events(table) : null;
    if (events === null) continue;
    const used = events.columns.filter(({ name }) => names === null || names.has(name.toLowerCase()));
    const wanted = baseColumns(events, used);
    const request = { trace: workspace.trace, ...events, wanted, conditions: conditions.get(table) ?? null };
    large.set(table, { name: `scan of ${table}`, written: [value], used, request });
  }
  return { small, large: [...large.values()] };
}

/** Names that occur in the text, in lower case: only such columns can be read. Null where it says "all columns". */
function usedNames(tokens: readonly SqlToken[]): Set<string> | null {
  const names = new Set<string>();
  for (const [i, token] of tokens.entries()) {
    const before = tokens[i - 1];
    const all = isOperator(token, '*') && (isOperator(before, ',', '.') || isWord(before, 'select', 'distinct', 'all'));
    if (all || isWord(token, 'natural')) return null;
    if (token.kind === 'name' || token.kind === 'text') names.add(token.value.toLowerCase());
  }
  return names;
}

/** The columns that a scan must make for those that are used: a computed one needs what it is computed of. */
function baseColumns({ columns }: EventTable, used: readonly ScanColumn[]): ScanColumn[] {
  const needed = new Set(used.flatMap(({ name, call }) => call?.of ?? [name]));
  return columns.filter(({ name, read }) => read !== null && needed.has(name));
}

const selectOf = (scan: string, used: readonly ScanColumn[], column: (column: ScanColumn) => string): string => {
  const columns = used.map((each) => {
    const { name, call } = each;
    return `${call === undefined ? column(each) : `${call.fn}(${call.of.map(quoted).join(', ')})`} AS ${quoted(name)}`;
  });
  return `SELECT ${columns.join(', ') || quoted(NOTHING)} FROM ${quoted(scan)}`;
};

function defineVirtual(connection: SqlConnection, large: readonly LargeTable[]): void {
  for (const { name, written, used, request } of large) {
    const scan = { ...request, split: true };
    connection.scanned(name, rawNames(scan), scanRows(scan));
    for (const view of written) connection.view(view, selectOf(name, used, virtualColumn));
  }
}

/** Numbers come out of a virtual table as REAL. */
function virtualColumn({ name, kind }: ScanColumn): string {
  const raw = quoted(name);
  if (kind === 'integer') return `CAST(${raw} AS INTEGER)`;
  return kind === 'unsigned' ? `coalesce(CAST(${raw} AS INTEGER), ${quoted(bigName(name))})` : raw;
}

/** Tables of events that are read once for each row of something else, and so would be scanned as often. */
function repeatedScans(connection: SqlConnection, text: string, large: readonly LargeTable[]): LargeTable[] {
  const repeated = new Set(connection.plannedScans(text).flatMap((scan) => (scan.repeated ? [scan.table] : [])));
  return large.filter(({ name }) => repeated.has(name));
}

/** Copies them into temporary tables, as far as the query reads them; SQLite then makes the index that the join needs. */
function copyRepeated(connection: SqlConnection, text: string, large: readonly LargeTable[]): void {
  const copied = new Set<LargeTable>();
  for (;;) {
    const repeated = repeatedScans(connection, text, large).filter((table) => !copied.has(table));
    if (repeated.length === 0) return;
    for (const table of repeated) {
      copied.add(table);
      for (const view of table.written) connection.copyToTemporary(view);
    }
  }
}

function defineFunctions(connection: SqlConnection, { trace }: SqlWorkspace): void {
  connection.func('remora_abs_ns', 1, (ts) => String(trace.originNs + BigInt(ts)));
  connection.func('remora_info', 3, (stream, cpu, idx) => trace.text.info(Number(stream), Number(cpu), Number(idx)));
  // SQLite's own literals beyond 2^63 are negative: 0xffffffff81000000.
  connection.func('u64', 1, (value): SqlInput => {
    const wrapped = BigInt.asUintN(64, BigInt(value));
    return wrapped < 2n ** 63n ? wrapped : String(wrapped);
  });
  connection.func('hex64', 1, (value) => `0x${BigInt.asUintN(64, BigInt(value)).toString(16)}`);
}
