import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import fc from 'fast-check';
import { afterAll, expect, it } from 'vitest';
import type { PlainColumn, SqlInput } from '../../../electron/store/sql-connection.ts';
import { TableImage } from '../../../electron/store/table-image.ts';

/** Files that are put together page by page, read by SQLite. */
const folder = mkdtempSync(join(tmpdir(), 'remora-image-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
/** Writes one table of rows and reads all of it back: values with their types, and what SQLite says of the file. */
function roundTrip(
  columns: readonly PlainColumn[],
  rows: readonly SqlInput[][],
): { check: unknown[]; found: unknown[][] } {
  const path = join(folder, `${files++}.db`);
  const image = new TableImage(
    path,
    [{ name: 'small', columns: [{ name: 'x', type: 'TEXT' }], rows: [['y']] }],
    [
      { name: 'large', columns },
      { name: 'empty', columns },
    ],
  );
  const left = rows.values();
  expect(image.fill('large', () => left.next().value?.slice() ?? null)).toBe(rows.length);
  image.finish();
  const database = new DatabaseSync(path, { readOnly: true });
  try {
    const check = database
      .prepare('PRAGMA integrity_check')
      .all()
      .map((row) => Object.values(row)[0]);
    expect(database.prepare('SELECT count(*) AS n FROM empty').get()).toEqual({ n: 0 });
    expect(database.prepare('SELECT x FROM small').get()).toEqual({ x: 'y' });
    const read = database.prepare('SELECT rowid, * FROM large ORDER BY rowid');
    read.setReadBigInts(true);
    return { check, found: read.all().map((row) => Object.values(row)) };
  } finally {
    database.close();
    rmSync(path);
  }
}

/** As node:sqlite reads it: integers as bigint, bytes as a plain array. */
function written(value: SqlInput): unknown {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? BigInt(value) : value;
  return value instanceof Uint8Array ? new Uint8Array(value) : value;
}
const columnsOf = (n: number): PlainColumn[] => Array.from({ length: n }, (_, i) => ({ name: `c${i}`, type: '' }));

const value: fc.Arbitrary<SqlInput> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.constantFrom(
      ...[
        0,
        1,
        -1,
        2,
        127,
        128,
        -128,
        -129,
        32_767,
        32_768,
        -32_769,
        8_388_607,
        8_388_608,
        -8_388_609,
        2 ** 31 - 1,
        2 ** 31,
        -(2 ** 31) - 1,
        2 ** 47 - 1,
        2 ** 47,
        -(2 ** 47) - 1,
        2 ** 53 - 1,
        -(2 ** 53) + 1,
      ],
    ),
  },
  { weight: 4, arbitrary: fc.maxSafeInteger() },
  { weight: 2, arbitrary: fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }) },
  { weight: 1, arbitrary: fc.constantFrom(0.5, -1.25, 2 ** 60, 1e300) },
  { weight: 3, arbitrary: fc.string({ unit: 'grapheme', maxLength: 90 }).map((text) => text.replaceAll('\0', '')) },
  { weight: 1, arbitrary: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)) },
  { weight: 1, arbitrary: fc.constant(null) },
);

it('holds what was written, whatever the values', () => {
  const table = fc
    .integer({ min: 1, max: 40 })
    .chain((n) => fc.array(fc.array(value, { minLength: n, maxLength: n }), { maxLength: 300, size: 'max' }));
  fc.assert(
    fc.property(table, (rows) => {
      const { check, found } = roundTrip(columnsOf(rows[0]?.length ?? 3), rows);
      expect(check).toEqual(['ok']);
      expect(found).toEqual(rows.map((row, i) => [BigInt(i + 1), ...row.map(written)]));
    }),
    { numRuns: 60 },
  );
});

it('keeps the order and the number of rows in trees of any height', () => {
  // A page has some 1,100 cells of this kind, and an interior page 1,091 children: two and three levels.
  for (const n of [1, 1000, 1361, 1362, 1363, 200_000, 1_600_000]) {
    const path = join(folder, 'tall.db');
    const image = new TableImage(
      path,
      [],
      [
        {
          name: 't',
          columns: [
            { name: 'i', type: 'INTEGER' },
            { name: 's', type: 'TEXT' },
          ],
        },
      ],
    );
    const row: SqlInput[] = [0, ''];
    let i = 0;
    const next = (): SqlInput[] | null => {
      if (i === n) return null;
      row[0] = i;
      row[1] = i++ % 2 === 0 ? 'even' : null;
      return row;
    };
    expect(image.fill('t', next)).toBe(n);
    image.finish();
    const database = new DatabaseSync(path);
    const one = (query: string): unknown => Object.values(database.prepare(query).get() ?? {})[0];
    expect(one('PRAGMA integrity_check')).toBe('ok');
    expect(one('SELECT count(*) FROM t WHERE i = rowid - 1')).toBe(n);
    expect(one(`SELECT i FROM t WHERE rowid = ${n}`)).toBe(n - 1);
    // What SQLite adds itself goes on from there.
    database.exec("INSERT INTO t VALUES (-1, 'more')");
    expect(one('SELECT max(rowid) FROM t')).toBe(n + 1);
    expect(one('PRAGMA integrity_check')).toBe('ok');
    database.close();
    rmSync(path);
  }
});

it('puts what does not fit into a page behind it', () => {
  const sizes = [16_300, 16_348, 16_349, 16_350, 16_384, 32_000, 32_741, 32_742, 65_536, 200_000];
  const rows = sizes.map((size): SqlInput[] => ['x'.repeat(size), size, Buffer.alloc(size % 5000, 7)]);
  const { check, found } = roundTrip(columnsOf(3), rows);
  expect(check).toEqual(['ok']);
  expect(found).toEqual(rows.map((row, i) => [BigInt(i + 1), ...row.map(written)]));
});

it('gives an INTEGER column with text in it no type', () => {
  const columns: PlainColumn[] = [
    { name: 'a', type: 'INTEGER' },
    { name: 'b', type: 'INTEGER' },
  ];
  const rows: SqlInput[][] = [
    [1, 2],
    ['18446744073709551614', 3],
  ];
  const { check, found } = roundTrip(columns, rows);
  expect(check).toEqual(['ok']);
  expect(found).toEqual(rows.map((row, i) => [BigInt(i + 1), ...row.map(written)]));
});
