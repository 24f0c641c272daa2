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
import { type BuiltFormat, payloadOf } from '../../build/formats.ts';
import { type BuiltRecording, buildTraceDat } from '../../build/trace-dat.ts';

/** Conditions leave out events before SQLite sees them, and tables may be copied: neither must change any answer. */
const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-sql-'));
const sessions = new Sessions(folder);
/** A real recording, and one that is quickly read. */
let real: Session;
let small: Session;
beforeAll(async () => {
  real = await sessions.open({ paths: [sample] });
  const path = join(folder, 'small.dat');
  writeFileSync(path, buildTraceDat(smallRecording()));
  small = await sessions.open({ paths: [path] });
});
afterAll(() => {
  sessions.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

const pages: BuiltFormat = {
  system: 'writeback',
  name: 'balance_dirty_pages',
  id: 20,
  fields: [
    { name: 'bdi', declaration: 'char[8]', bytes: 8, signed: true, kind: 'chars' },
    { name: 'dirty', declaration: 'unsigned long', bytes: 8, signed: false, kind: 'number' },
    { name: 'pause', declaration: 'long', bytes: 8, signed: true, kind: 'number' },
    { name: 'cgroup_ino', declaration: 'u32', bytes: 4, signed: false, kind: 'number' },
  ],
  printFmt: '""',
};
const wakeup: BuiltFormat = {
  system: 'sched',
  name: 'sched_wakeup',
  id: 30,
  fields: [{ name: 'pid', declaration: 'int', bytes: 4, signed: true, kind: 'number' }],
  printFmt: '""',
};

/** Three buffers of two CPUs, each with its own stretch of time, so that chunks differ in what they hold. */
function smallRecording(): BuiltRecording {
  const cpu = (buffer: number, n: number): BuiltRecording['buffers'][number]['cpus'][number] =>
    Array.from({ length: 50 }, (_, i) => {
      const common = { flags: 0, preemptCount: 0, pid: [0, 1, 7, 200][(i * 7 + n) % 4] as number };
      const time = BigInt(1_000 + buffer * 2_000 + n * 700 + i * 30 + (i % 3));
      if ((i + buffer) % 3 === 0) return { time, payload: payloadOf(wakeup, common, [BigInt(i % 5)], true) };
      const dirty = i % 11 === 0 ? 2n ** 64n - 2n : BigInt((i * 37) % 90);
      const values = [
        ['8:0', 'btrfs-1'][i % 2] as string,
        dirty,
        BigInt((i * 13) % 50) - 9n,
        BigInt([99, 137, 2 ** 31][i % 3] as number),
      ];
      return { time, payload: payloadOf(pages, common, values, true) };
    });
  return {
    version: 6,
    compression: 'none',
    abi: { littleEndian: true, longBytes: 8, subBufferBytes: 1024 },
    formats: [pages, wakeup],
    buffers: ['', 'a', 'b'].map((name, buffer) => ({ name, clock: 'local', cpus: [cpu(buffer, 0), cpu(buffer, 1)] })),
    comms: [
      [1, 'init'],
      [7, 'dd'],
      [200, 'fio'],
    ],
    uname: '',
    kallsyms: '',
    printkFormats: '',
    options: [],
  };
}

function rowsOf(of: Session, query: string, prune: boolean, scratch?: string): SqlCell[][] {
  const prepared = prepareSql(sqlWorkspace(of), query, { prune, scratch });
  try {
    return [...prepared.rows()];
  } finally {
    prepared.close();
  }
}

function samePruned(of: Session, query: string): void {
  const whole = rowsOf(of, query, false);
  expect(rowsOf(of, query, true), query).toEqual(whole);
  expect(rowsOf(of, query, true, folder), `${query}, from copied tables`).toEqual(whole);
}

/** Columns to compare, with constants that split their values. */
type Column = [name: string, constants: (number | string)[]];
const realColumns: Column[] = [
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
const placeColumns: Column[] = [
  ['ts', [0, 700, 2_150, 3_000, 5_900]],
  ['cpu', [0, 1, 2]],
  ['pid', [0, 7, 200]],
  ['idx', [0, 25, 49]],
  ['stream', [0, 1, 2]],
];
const typeColumns: Column[] = [
  ...placeColumns,
  ['pause', [-4, 0, 20]],
  ['dirty', [0, 37, 1000, '18446744073709551614']],
  ['bdi', ["'8:0'", "'btrfs-1'"]],
  ['cgroup_ino', [99, 137, 2 ** 31]],
];
const eventColumns: Column[] = [...placeColumns, ['type', [0, 1]], ...realColumns.slice(6)];

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
    fc.property(queries, (query) => samePruned(small, query)),
    { numRuns: 150 },
  );
});

const ofEvents = (columns: Column[]): fc.Arbitrary<string> =>
  expression(columns, '').map((w) => `SELECT count(*), sum(ts), sum(pid), max(name) FROM event WHERE ${w}`);

it('the table of all events gives the same rows', () => {
  fc.assert(
    fc.property(ofEvents(eventColumns), (query) => samePruned(small, query)),
    { numRuns: 150 },
  );
});

it('so does a real recording', () => {
  fc.assert(
    fc.property(ofEvents(realColumns), (query) => samePruned(real, query)),
    { numRuns: 5 },
  );
});

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
    { numRuns: 40 },
  );
});
