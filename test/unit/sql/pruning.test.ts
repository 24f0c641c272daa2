import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';
import { sqlWorkspace } from '../../../electron/engine/sql-workspace.ts';
import { prepareSql } from '../../../electron/query/sql.ts';
import type { SqlCell } from '../../../shared/api.ts';
import { recordings } from '../../build/arbitrary.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';

/** Conditions leave out chunks and events before SQLite sees them. Whatever a query says, that must not change its answer. */
const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-sql-'));
const sessions = new Sessions(folder);
let session: Session;
beforeAll(async () => {
  session = await sessions.open({ paths: [sample] });
});
afterAll(() => {
  sessions.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

function rowsOf(of: Session, query: string, prune: boolean): SqlCell[][] {
  const prepared = prepareSql(sqlWorkspace(of), query, { prune });
  try {
    return [...prepared.rows()];
  } finally {
    prepared.close();
  }
}

function samePruned(of: Session, query: string): void {
  expect(rowsOf(of, query, true), query).toEqual(rowsOf(of, query, false));
}

/** Columns to compare, with constants that split their values. */
type Column = [name: string, constants: (number | string)[]];
const eventColumns: Column[] = [
  ['ts', [0, 5e9, 13_491_107_552, 2_000_000_001, 1403449799]],
  ['cpu', [0, 1, 2]],
  ['pid', [0, 200, 212, 188]],
  ['idx', [0, 65_536, 99_999]],
  ['stream', [0, 1]],
  ['type', [0, 4, 7]],
  ['name', ["'sched_switch'", "'balance_dirty_pages'", "'none'"]],
  ['system', ["'sched'", "'writeback'"]],
  ['comm', ["'dd'", "'fio'", "'<idle>'"]],
];
const typeColumns: Column[] = [
  ...eventColumns.slice(0, 5),
  ['pause', [-4, 0, 40]],
  ['dirty', [0, 1000, 3660]],
  ['bdi', ["'254:64'", "'btrfs-1'"]],
  ['cgroup_ino', [99, 137]],
  ['cgroup', ["'web'"]],
];

/** Text of a comparison; some are of kinds that nothing may be concluded from. */
function comparison(columns: Column[], qualifier: string): fc.Arbitrary<string> {
  return fc.constantFrom(...columns).chain(([name, constants]) => {
    const column = `${qualifier}${name}`;
    const constant = fc.constantFrom(...constants).map(String);
    const compared = fc.tuple(fc.constantFrom('=', '<', '<=', '>', '>=', '<>', 'IS', '=='), constant);
    return fc.oneof(
      { weight: 4, arbitrary: compared.map(([op, value]) => `${column} ${op} ${value}`) },
      { weight: 2, arbitrary: compared.filter(([op]) => op !== 'IS').map(([op, value]) => `${value} ${op} ${column}`) },
      { weight: 2, arbitrary: fc.tuple(constant, constant).map(([a, b]) => `${column} BETWEEN ${a} AND ${b}`) },
      {
        weight: 2,
        arbitrary: fc.array(constant, { minLength: 1, maxLength: 3 }).map((all) => `${column} IN (${all.join(', ')})`),
      },
      { weight: 1, arbitrary: constant.map((value) => `${column} NOT IN (${value})`) },
      { weight: 1, arbitrary: constant.map((value) => `${column} + 0 > ${value}`) },
      { weight: 1, arbitrary: constant.map((value) => `CASE WHEN 1 AND ${column} > ${value} AND 1 THEN 0 ELSE 1 END`) },
      { weight: 1, arbitrary: constant.map((value) => `(${column} > ${value}) = 0`) },
    );
  });
}

function expression(columns: Column[], qualifier: string): fc.Arbitrary<string> {
  const { all } = fc.letrec<{ all: string; one: string }>((tie) => ({
    one: comparison(columns, qualifier),
    all: fc.oneof(
      { maxDepth: 3 },
      tie('one'),
      fc.tuple(tie('all'), tie('all')).map(([a, b]) => `${a} AND ${b}`),
      fc.tuple(tie('all'), tie('all')).map(([a, b]) => `(${a} OR ${b})`),
      fc.tuple(tie('all'), tie('all')).map(([a, b]) => `${a} OR ${b}`),
      tie('all').map((a) => `(${a})`),
      tie('all').map((a) => `NOT (${a})`),
    ),
  }));
  return all;
}

const table = '"writeback:balance_dirty_pages"';
const where = (qualifier: string): fc.Arbitrary<string> => expression(typeColumns, qualifier);
const aggregates = 'count(*), sum(ts), min(pause), max(idx)';
const queries = fc.oneof(
  { weight: 4, arbitrary: where('').map((w) => `SELECT ${aggregates} FROM ${table} WHERE ${w}`) },
  {
    weight: 2,
    arbitrary: where('b.').map((w) => `SELECT ts, pause FROM balance_dirty_pages AS b WHERE ${w} LIMIT 40`),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(where(''), where(''))
      .map(
        ([a, b]) =>
          `SELECT * FROM (SELECT ts, pid FROM ${table} WHERE ${a} UNION ALL SELECT idx, cpu FROM ${table} WHERE ${b}) ORDER BY 1, 2 LIMIT 60`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom('JOIN', 'LEFT JOIN', 'RIGHT JOIN', 'FULL JOIN'), where('b.'))
      .map(
        ([join, w]) =>
          `SELECT t.pid, count(b.ts), sum(b.pause) FROM task t ${join} ${table} b ON b.pid = t.pid WHERE ${w} GROUP BY t.pid ORDER BY 1`,
      ),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(where('a.'), where('b.'), where(''))
      .map(
        ([a, b, c]) =>
          `SELECT count(*), sum(a.ts - b.ts) FROM ${table} a LEFT JOIN ${table} b ON b.idx = a.idx AND (${b}) WHERE ${a} AND a.pid IN (SELECT pid FROM task WHERE pid > 0) OR a.ts IN (SELECT ts FROM ${table} WHERE ${c} LIMIT 5)`,
      ),
  },
  {
    weight: 1,
    arbitrary: where('').map(
      (w) => `WITH c AS (SELECT * FROM ${table} WHERE ${w}) SELECT count(*), sum(x.pause) FROM c x WHERE x.cpu = 1`,
    ),
  },
);

it('a table of one type gives the same rows', () => {
  fc.assert(
    fc.property(queries, (query) => samePruned(session, query)),
    { numRuns: 100 },
  );
});

it('the table of all events gives the same rows', () => {
  fc.assert(
    fc.property(expression(eventColumns, ''), (w) =>
      samePruned(session, `SELECT count(*), sum(ts), sum(pid), max(name) FROM event WHERE ${w}`),
    ),
    { numRuns: 8 },
  );
}, 300_000);

it('whatever the recording', async () => {
  let n = 0;
  await fc.assert(
    fc.asyncProperty(
      recordings,
      fc.infiniteStream(fc.double({ min: 0, max: 1, noNaN: true })),
      async ({ recording, expected }, choices) => {
        const path = join(folder, `built-${n++}.dat`);
        writeFileSync(path, buildTraceDat(recording));
        const built = await sessions.open({ paths: [path], noCache: true });
        try {
          const all = expected.flat(2);
          const choose = <T>(items: readonly T[]): T =>
            items[Math.floor(choices.next().value * items.length * 0.9999)] as T;
          for (const { system, name, fields } of recording.formats) {
            const own = all.filter(({ format }) => format.system === system && format.name === name);
            if (own.length === 0) continue;
            const conditions = ['cpu', 'pid', 'ts', ...fields.map((field) => field.name)].map((column, k) => {
              const event = choose(own);
              const value =
                k < 3 ? [1, event.common.pid, event.time - BigInt(built.summary.originNs)][k] : event.values[k - 3];
              const text = typeof value === 'string' ? `'${value.replaceAll("'", "''")}'` : String(value);
              return `"${column}" ${choose(['=', '<', '>=', '>', '<>'])} ${text.includes('\0') ? "''" : text}`;
            });
            const kept = conditions.filter(() => choose([true, false]));
            samePruned(built, `SELECT * FROM "${system}:${name}" WHERE ${kept.join(' AND ') || '1'}`);
            samePruned(
              built,
              `SELECT ts, idx, pid, name FROM event WHERE ${conditions.slice(1, 3).join(' AND ')} AND name = '${name}' AND stream >= ${choose([0, 1, 2])}`,
            );
          }
        } finally {
          sessions.close(built.id);
          rmSync(path);
        }
      },
    ),
    { numRuns: 50 },
  );
});
