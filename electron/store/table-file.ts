import { type Database, openPlain } from './database.ts';
import type { PlainColumn, SqlInput } from './sql-connection.ts';

/** `application_id` of files with materialized tables: "Rmrt". */
export const TABLE_FILE_ID = 0x526d7274;

/** A new SQLite file of plain tables for other tools. It has no journal: one that is not finished is to be removed. */
export class TableFile {
  readonly #db: Database;

  /** `path` must not exist. */
  constructor(path: string) {
    this.#db = openPlain(path);
    this.#db.pragma('page_size = 16384');
    this.#db.pragma('journal_mode = OFF');
    this.#db.pragma('synchronous = OFF');
    this.#db.pragma('locking_mode = EXCLUSIVE');
    this.#db.pragma(`application_id = ${TABLE_FILE_ID}`);
    this.#db.exec('BEGIN');
  }

  /** Adds a table. The array that a row is may be used again. */
  add(name: string, columns: readonly PlainColumn[], rows: Iterable<SqlInput[]>): void {
    this.#db.exec(`CREATE TABLE ${quoted(name)} (${columns.map((column) => `${quoted(column.name)} ${column.type}`)})`);
    const insert = this.#db.prepare(`INSERT INTO ${quoted(name)} VALUES (${columns.map(() => '?')})`);
    for (const row of rows) insert.run(row);
  }

  finish(): void {
    this.#db.exec('COMMIT');
    this.#db.close();
  }
}

const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;
