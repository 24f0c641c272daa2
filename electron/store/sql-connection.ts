import type { SqlCell } from '../../shared/api.ts';
import { type Database, openPlain } from './database.ts';

/** What goes into SQLite: numbers become REAL, bigint INTEGER. */
export type SqlInput = number | bigint | string | Uint8Array | null;

export interface PlainColumn {
  name: string;
  /** Empty: values stay what they are. */
  type: 'INTEGER' | 'REAL' | 'TEXT' | 'BLOB' | '';
}

/** One place where a query plan reads a virtual table. */
export interface PlannedScan {
  table: string;
  /** It is read once for each row of something else. */
  repeated: boolean;
}

/**
 * A private connection in memory for one query: nothing that SQL can say reaches a workspace, which has a connection of its
 * own. What the query may see is defined here first: virtual tables, views, small tables and functions.
 */
export class SqlConnection {
  readonly #db: Database;
  /** Where views go. */
  readonly #schema: 'main' | 'temp';

  /** `path`: a file of tables, see TableImage, that the query may read; it may be removed as soon as it is open. */
  constructor(path = ':memory:') {
    this.#db = openPlain(path, path !== ':memory:');
    // SQLite does not write to a file without a name.
    this.#schema = path === ':memory:' ? 'main' : 'temp';
    this.#db.pragma('cache_size = -65536');
    this.#db.prepare('SELECT count(*) FROM sqlite_schema').get();
  }

  close(): void {
    if (this.#db.open) this.#db.close();
  }

  /** A virtual table. `rows` is a generator function, called for every scan; it may yield one array again and again. */
  scanned(name: string, columns: readonly string[], rows: () => Generator<SqlInput[]>): void {
    this.#db.table(name, { columns: [...columns], rows });
  }

  /** An ordinary table, empty. */
  table(name: string, columns: readonly PlainColumn[]): void {
    this.#db.exec(`CREATE TABLE ${quoted(name)} (${columns.map((column) => `${quoted(column.name)} ${column.type}`)})`);
  }

  /** The rows of an ordinary table. */
  fill(name: string, rows: Iterable<readonly SqlInput[]>): void {
    const columns = this.#db.prepare('SELECT name FROM pragma_table_info(?)').all(name);
    const insert = this.#db.prepare(`INSERT INTO ${quoted(name)} VALUES (${columns.map(() => '?')})`);
    this.#db.transaction(() => {
      for (const row of rows) insert.run(...row);
    })();
  }

  view(name: string, select: string): void {
    this.#db.exec(`CREATE VIEW ${this.#schema}.${quoted(name)} AS ${select}`);
  }

  /** A function of numbers and text; null where an argument is. Integers come as bigint. */
  func(name: string, length: number, body: (...args: (bigint | number | string)[]) => SqlInput): void {
    const options = { deterministic: true, safeIntegers: true };
    const called = (...args: (bigint | number | string | null)[]): SqlInput =>
      args.some((arg) => arg === null) ? null : body(...(args as (bigint | number | string)[]));
    // better-sqlite3 takes the number of arguments from the function itself.
    Object.defineProperty(called, 'length', { value: length });
    this.#db.function(name, options, called);
  }

  /** The value of a constant expression where it is a number that a double holds exactly; else null. */
  constant(expression: string): number | null {
    try {
      const value: unknown = this.#db.prepare(`SELECT (${expression})`).pluck().safeIntegers().get();
      if (typeof value === 'number') return value;
      const number = Number(value);
      return typeof value === 'bigint' && Number.isSafeInteger(number) ? number : null;
    } catch {
      return null;
    }
  }

  /** Throws SQLite's own error where the text does not parse. */
  tryPrepare(text: string): void {
    this.#db.prepare(text);
  }

  /** Where a query's plan scans virtual tables, by SQLite's EXPLAIN QUERY PLAN. */
  plannedScans(query: string): PlannedScan[] {
    const plan = this.#db
      .prepare<[], { id: number; parent: number; detail: string }>(`EXPLAIN QUERY PLAN ${query}`)
      .all();
    const byId = new Map(plan.map((node) => [node.id, node]));
    const loops = new Set<number>();
    return plan.flatMap(({ parent, detail }): PlannedScan[] => {
      const table = /^SCAN (.+) VIRTUAL TABLE INDEX /.exec(detail)?.[1];
      // Nodes below one parent are nested loops, the first the outermost.
      const inner = loops.has(parent);
      if (/^(SCAN|SEARCH) /.test(detail)) loops.add(parent);
      if (table === undefined) return [];
      let repeated = inner;
      for (let node = byId.get(parent); node !== undefined; node = byId.get(node.parent)) {
        if (node.detail.startsWith('CORRELATED')) repeated = true;
      }
      return [{ table, repeated }];
    });
  }

  /** Copies a view into a temporary table of the same name, which queries then find first. Spills to disk by itself. */
  copyToTemporary(name: string): void {
    this.#db.exec(`CREATE TEMP TABLE ${quoted(name)} AS SELECT * FROM main.${quoted(name)}`);
  }

  /** Prepares the one statement. It must be a query. */
  select(query: string): SqlSelect {
    const statement = this.#db.prepare<[], unknown[]>(query);
    return {
      isQuery: statement.reader && statement.readonly,
      columns: statement.reader ? statement.columns().map(({ name }) => name) : [],
      *rows() {
        for (const row of statement.raw().safeIntegers().iterate() as IterableIterator<unknown[]>) {
          for (let i = 0; i < row.length; i++) {
            const value = row[i];
            if (typeof value === 'bigint') {
              const number = Number(value);
              row[i] = Number.isSafeInteger(number) ? number : String(value);
            } else if (value instanceof Uint8Array) row[i] = new Uint8Array(value);
          }
          yield row as SqlCell[];
        }
      },
    };
  }
}

export interface SqlSelect {
  /** False: it would change something, or gives no rows. */
  isQuery: boolean;
  columns: string[];
  rows(): Generator<SqlCell[]>;
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
