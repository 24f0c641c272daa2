import type { DuckDBConnection } from '@duckdb/node-api';

/**
 * DuckDB, in process: what reads Remora's Parquet in tests, for it shares nothing with what writes it. Null where its native
 * part is not installed for this platform; tests that need it are then skipped by name.
 */
const duckdb = await import('@duckdb/node-api').catch(() => null);

export const hasDuckDb = duckdb !== null;

export type DuckRow = Record<string, unknown>;

export class DuckDb {
  readonly #connection: DuckDBConnection;

  private constructor(connection: DuckDBConnection) {
    this.#connection = connection;
  }

  static async open(): Promise<DuckDb> {
    if (duckdb === null) throw new Error('DuckDB is not there');
    const instance = await duckdb.DuckDBInstance.create(':memory:');
    return new DuckDb(await instance.connect());
  }

  async run(sql: string): Promise<void> {
    await this.#connection.run(sql);
  }

  /** Rows as objects; 64-bit integers are bigint, blobs hexadecimal text. */
  async rows(sql: string): Promise<DuckRow[]> {
    const reader = await this.#connection.runAndReadAll(sql);
    return reader.getRowObjectsJS().map((row) => {
      const plain = Object.entries(row).map(([key, value]) => [
        key,
        value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value,
      ]);
      return Object.fromEntries(plain) as DuckRow;
    });
  }

  /** The one value of a query. */
  async value(sql: string): Promise<unknown> {
    const [row] = await this.rows(sql);
    return Object.values(row ?? {})[0];
  }

  close(): void {
    this.#connection.closeSync();
  }
}
