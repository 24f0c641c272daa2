import type { SqlCell } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import { SqlConnection, type SqlInput } from '../store/sql-connection.ts';
import type { ScanColumn } from './sql-columns.ts';
import { tableConditions } from './sql-conditions.ts';
import { sqlError } from './sql-errors.ts';
import { bigName, NOTHING, rawNames, scanRows } from './sql-scan.ts';
import { type EventTable, SqlTables, type SqlWorkspace } from './sql-tables.ts';
import { isOperator, isWord, quoted, type SqlToken, sqlTokens } from './sql-tokens.ts';

/** One query over a workspace. The rows are made while they are taken; `close` when done with them. */
export interface SqlQuery {
  columns: string[];
  rows(): Generator<SqlCell[]>;
  close(): void;
}

export interface SqlOptions {
  /** False: scans leave out nothing, whatever the query's conditions say. For tests of the pruning. */
  prune?: boolean;
}

/**
 * Prepares a query: defines the tables that it names on a private connection, each with the columns and conditions that its
 * text tells of. Throws RemoraError `bad-expression` for what is no single SELECT.
 */
export function prepareSql(workspace: SqlWorkspace, text: string, { prune = true }: SqlOptions = {}): SqlQuery {
  const tables = new SqlTables(workspace);
  const connection = new SqlConnection();
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
      : new Map();
    const names = usedNames(tokens);
    defineFunctions(connection, workspace);
    const views = new Map<string, string[]>();
    for (const [written, table] of namedTables(tokens, tables)) {
      const plain = tables.plain(table);
      const events = tables.events(table);
      if (plain !== null) connection.filled(written, plain.columns, plain.rows());
      if (events === null) continue;
      const scanned = `scan of ${table}`;
      const used = events.columns.filter(({ name }) => names === null || names.has(name.toLowerCase()));
      const known = views.get(scanned);
      if (known === undefined) {
        const wanted = baseColumns(events, used);
        const request = { trace: workspace.trace, ...events, wanted, conditions: conditions.get(table) ?? null };
        connection.scanned(scanned, rawNames(wanted), scanRows(request));
        views.set(scanned, [written]);
      } else known.push(written);
      connection.view(written, `SELECT ${used.map(viewColumn).join(', ') || quoted(NOTHING)} FROM ${quoted(scanned)}`);
    }
    // What does not parse at all is told first.
    connection.tryPrepare(text);
    refuseOthers(tokens);
    if (!isWord(tokens[0], 'explain')) copyRepeated(connection, text, views);
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

/** Tables by the names that a query has for them; one that is named in two ways is defined twice. */
function namedTables(tokens: readonly SqlToken[], tables: SqlTables): Map<string, string> {
  const named = new Map<string, string>();
  const seen = new Set<string>();
  for (const { kind, value } of tokens) {
    const table = kind === 'name' || kind === 'text' ? tables.resolve(value) : null;
    if (table === null || seen.has(value.toLowerCase())) continue;
    seen.add(value.toLowerCase());
    named.set(value, table);
  }
  return named;
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

function viewColumn({ name, kind, call }: ScanColumn): string {
  const raw = quoted(name);
  if (call !== undefined) return `${call.fn}(${call.of.map(quoted).join(', ')}) AS ${raw}`;
  if (kind === 'integer') return `CAST(${raw} AS INTEGER) AS ${raw}`;
  if (kind === 'unsigned') return `coalesce(CAST(${raw} AS INTEGER), ${quoted(bigName(name))}) AS ${raw}`;
  return raw;
}

/**
 * A table of events that is read once for each row of another would be scanned as often. Those are copied into temporary
 * tables first, as far as the query reads them; SQLite then makes the index that the join needs.
 */
function copyRepeated(connection: SqlConnection, text: string, views: ReadonlyMap<string, readonly string[]>): void {
  const copied = new Set<string>();
  for (;;) {
    const repeated = connection
      .plannedScans(text)
      .filter((scan) => scan.repeated && views.has(scan.table) && !copied.has(scan.table));
    if (repeated.length === 0) return;
    for (const { table } of repeated) {
      if (copied.has(table)) continue;
      copied.add(table);
      for (const view of views.get(table) ?? []) connection.copyToTemporary(view);
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
