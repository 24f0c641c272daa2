import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { projectRoot, remora, remoraJson, temporaryCache } from '../cli.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { DuckDb, type DuckRow, hasDuckDb } from '../duckdb.ts';
import { pairs, pausesByCgroup, type ReportEvent, reportEvents } from '../oracle/report-text.ts';

/**
 * A folder of Parquet made of several recordings, read by DuckDB, against counts made from trace-cmd's text of the same files.
 * The queries of assets/help/fleet.md are run as they stand there.
 */
const recordings = [
  { name: 'sample-throttle.dat', host: 'db1' },
  { name: 'host-throttle-v1-slim.dat', host: 'vm' },
  { name: 'host-date.dat', host: 'vm' },
].map(({ name, host }) => {
  const path = corpusFile(name) ?? '';
  const text = path === '' ? '' : Buffer.from(corpusText(`${name}.report.txt.gz`) ?? '', 'latin1').toString('utf8');
  return { name, host, path, text };
});
const there = hasDuckDb && recordings.every(({ path, text }) => path !== '' && text !== '');
const withAll = test.skipIf(!there);

const cache = temporaryCache();
const folder = join(cache.folder, 'fleet');
let db: DuckDb;
afterAll(cache.remove);

function convert(...args: string[]): void {
  const { status, stderr } = remora(['convert', ...args, '--quiet'], cache.env);
  expect(`${status} ${stderr}`).toBe('0 ');
}

beforeAll(async () => {
  if (!there) return;
  const [sample, ...others] = recordings.map(({ path }) => path);
  convert(sample, '--host', 'db1', '-o', folder);
  convert(...others, '-o', folder);
  db = await DuckDb.open();
  for (const { title, sql } of recipe()) if (title === '') await db.run(sql);
  const fields = join(folder, 'fields/*/*/*/*.parquet');
  await db.run(
    `CREATE VIEW fields AS SELECT * FROM read_parquet('${fields}', hive_partitioning = true, union_by_name = true)`,
  );
});
afterAll(() => db?.close());

/** The SQL of the help page, with the folder's name; `-- title` begins those that answer something. */
function recipe(): { title: string; sql: string }[] {
  const page = readFileSync(resolve(projectRoot, 'assets/help/fleet.md'), 'utf8');
  return [...page.matchAll(/```sql\n(.*?)```/gs)].map(([, text]) => {
    const sql = (text as string).replaceAll("'fleet/", `'${folder}/`);
    return { title: /^-- (.*)$/m.exec(sql)?.[1] ?? '', sql };
  });
}
const answer = (title: string): Promise<DuckRow[]> => {
  const found = recipe().find((entry) => entry.title === title);
  if (found === undefined) throw new Error(`the help page has no query “${title}”`);
  return db.rows(found.sql);
};

function countBy(events: readonly ReportEvent[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const { name } of events) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}

/** What a recording is called in the tables: its file's name and a hash. */
const isOf = (row: DuckRow, name: string): boolean => String(row.recording).startsWith(`${name.replace('.dat', '')}-`);
const inSql = (name: string): string => `recording LIKE '${name.replace('.dat', '')}-%'`;

withAll('every query of the help page is tried here', async () => {
  const titles = recipe().map(({ title }) => title);
  expect(titles.filter(Boolean)).toEqual(['recordings', 'kinds', 'pauses', 'episodes', 'worst', 'before']);
});

withAll('recordings: one row each, with its machine, its day and its events', async () => {
  const rows = await answer('recordings');
  expect(rows).toHaveLength(recordings.length);
  for (const { name, host, text } of recordings) {
    const events = reportEvents(text);
    const row = rows.find((candidate) => isOf(candidate, name)) as DuckRow;
    const seconds = Number(events[0]?.time.split('.')[0]);
    const day = name === 'host-date.dat' ? new Date(seconds * 1000).toISOString().slice(0, 10) : 'unknown';
    expect(row).toMatchObject({ host, day });
    expect(Number(row.events)).toBe(events.length);
    expect(Number(row.lost)).toBe(0);
  }
});

withAll('kinds: as many events of each as the text has lines, in both tables', async () => {
  const rows = await answer('kinds');
  const typed = await db.rows('SELECT recording, event, count(*) AS n FROM fields GROUP BY ALL');
  for (const { name, text } of recordings) {
    const expected = countBy(reportEvents(text));
    for (const table of [rows, typed]) {
      const found = table.filter((row) => isOf(row, name)).map((row) => [row.event, Number(row.n)]);
      expect(Object.fromEntries(found)).toEqual(expected);
    }
  }
});

withAll('pauses and episodes: the same for every cgroup of every machine, and as the text says', async () => {
  const pauses = await answer('pauses');
  const episodes = await answer('episodes');
  let cgroups = 0;
  for (const { name, host, text } of recordings) {
    const expected = [...pausesByCgroup(text)].map(([ino, count]) => ({ host, ino, ...count }));
    cgroups += expected.length;
    const byIno = (a: { ino: string }, b: { ino: string }): number => Number(a.ino) - Number(b.ino);
    const found = pauses
      .filter((row) => isOf(row, name))
      .map((row) => ({
        host: row.host,
        ino: String(row.cgroup_ino),
        pauses: Number(row.pauses),
        pauseMs: Number(row.pause_ms),
        tasks: Number(row.tasks),
        maxPauseMs: Number(row.longest_ms),
      }));
    expect(found.toSorted(byIno)).toEqual(expected.toSorted(byIno));
    const summed = episodes
      .filter((row) => isOf(row, name))
      .map((row) => ({
        host: row.host,
        ino: String(row.cgroup_ino),
        pauses: Number(row.pauses),
        pauseMs: row.pause_ms,
      }));
    expect(summed.toSorted(byIno)).toEqual(
      expected.map(({ tasks: _tasks, maxPauseMs: _most, ...rest }) => rest).toSorted(byIno),
    );
  }
  expect(cgroups).toBeGreaterThan(3);
  expect(pauses).toHaveLength(cgroups);
});

withAll('worst: the longest episodes of all machines, with their causes', async () => {
  const rows = await answer('worst');
  const all = await db.rows('SELECT pause_ms FROM episodes');
  const longest = all.map((row) => row.pause_ms as number).toSorted((a, b) => b - a);
  expect(rows.map((row) => row.pause_ms)).toEqual(longest.slice(0, 10));
  for (const row of rows) expect(String(row.cause)).toContain(String(row.comm));
});

withAll('before: events of the task, latest first, none later than the episode', async () => {
  const rows = await answer('before');
  expect(rows.length).toBeGreaterThan(0);
  const before = rows.map((row) => Number(row.ns_before));
  expect(before).toEqual(before.toSorted((a, b) => b - a));
  expect(Math.max(...before)).toBe(0);
  // The episode begins with a pause of its task.
  expect(rows[0]).toMatchObject({ event: 'balance_dirty_pages' });
});

describe.each(recordings)('$name', ({ name, text }) => {
  withAll('every event has the task, CPU, time and text that trace-cmd prints', async () => {
    const events = reportEvents(text);
    // Microseconds, rounded half up, as trace-cmd prints them.
    const rows = await db.rows(
      `SELECT comm, pid, cpu, (abs_ns + 500) // 1000 AS us, event, info FROM events WHERE ${inSql(name)}`,
    );
    const found = rows.map(({ comm, pid, cpu, us, event, info }) => {
      const time = `${(us as bigint) / 1_000_000n}.${String((us as bigint) % 1_000_000n).padStart(6, '0')}`;
      return `${comm}-${pid} ${cpu} ${time} ${event} ${String(info).split('\n')[0]?.trim()}`;
    });
    const expected = events.map((event) => {
      return `${event.comm}-${event.pid} ${event.cpu} ${event.time} ${event.name} ${event.info.trim()}`;
    });
    const [a, b] = [found.toSorted(), expected.toSorted()];
    const at = b.findIndex((line, i) => line !== a[i]);
    expect(at < 0 ? '' : a[at]).toBe(at < 0 ? '' : b[at]);
    expect(a.length).toBe(b.length);
  });

  withAll('times count from the first event, and row groups are in their order', async () => {
    const [row] = await db.rows(
      `SELECT min(ts) AS first, count(DISTINCT abs_ns - ts) AS origins FROM events WHERE ${inSql(name)}`,
    );
    expect(row).toEqual({ first: 0n, origins: 1n });
    const groups = await db.rows(`
      SELECT stats_min_value::BIGINT AS a, stats_max_value::BIGINT AS b, compression
      FROM parquet_metadata('${folder}/events/*/*/${name.replace('.dat', '')}-*.parquet')
      WHERE path_in_schema = 'ts' ORDER BY row_group_id`);
    expect(groups.length).toBeGreaterThan(0);
    for (let i = 1; i < groups.length; i++)
      expect(groups[i]?.a as bigint).toBeGreaterThanOrEqual(groups[i - 1]?.b as bigint);
    for (const group of groups) expect(group.compression).toBe('ZSTD');
  });

  withAll('numbers of balance_dirty_pages are those of the text', async () => {
    const events = reportEvents(text).filter((event) => event.name === 'balance_dirty_pages');
    if (events.length === 0) return;
    const columns = await db.rows('DESCRIBE balance_dirty_pages');
    const types = new Map(columns.map((row) => [row.column_name, row.column_type]));
    for (const field of pairs(events[0]?.info ?? '').keys()) {
      const printed = events.map(({ info }) => BigInt(pairs(info).get(field) as string));
      const expected = { sum: printed.reduce((sum, value) => sum + value, 0n), n: BigInt(printed.length) };
      const [row] = await db.rows(
        `SELECT sum("${field}"::HUGEINT) AS sum, count("${field}") AS n FROM balance_dirty_pages WHERE ${inSql(name)}`,
      );
      expect({ field, ...row }).toEqual({ field, ...expected });
      expect(types.get(field)).toMatch(/^(U?BIGINT|INTEGER)$/);
    }
  });

  withAll('tasks of sched_switch are those of the text', async () => {
    const switches = reportEvents(text).filter((event) => event.name === 'sched_switch');
    const next = switches.map(({ info }) => /==> (.*):(\d+) \[(\d+)\]/.exec(info) as RegExpExecArray);
    const expected = countOf(next.map(([, comm, pid, prio]) => `${comm}:${pid} ${prio}`));
    const rows = await db.rows(
      `SELECT next_comm, next_pid, next_prio, count(*) AS n FROM fields
       WHERE event = 'sched_switch' AND ${inSql(name)} GROUP BY ALL`,
    );
    const found = rows.map((row) => [`${row.next_comm}:${row.next_pid} ${row.next_prio}`, Number(row.n)]);
    expect(Object.fromEntries(found)).toEqual(expected);
  });
});

function countOf(keys: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const key of keys) counts[key] = (counts[key] ?? 0) + 1;
  return counts;
}

withAll('a recording that is converted again replaces what there was of it', async () => {
  const count = (): Promise<unknown> => db.value('SELECT count(*) FROM events');
  const [before, date] = [await count(), recordings[2]];
  // Another machine and day: other folders.
  convert(date?.path as string, '--host', 'vm 2/é', '--day', '2026-02-28', '-o', folder);
  expect(await count()).toBe(before);
  const where = await db.rows(`SELECT DISTINCT host, day FROM events WHERE ${inSql('host-date.dat')}`);
  expect(where).toEqual([{ host: 'vm 2/é', day: '2026-02-28' }]);
  convert(date?.path as string, '--no-info', '-o', folder);
  expect(await db.value(`SELECT count(info) FROM events WHERE ${inSql('host-date.dat')}`)).toBe(0n);
  expect(await count()).toBe(before);
});

withAll('a filter and a window narrow all tables', async () => {
  const narrow = join(cache.folder, 'narrow');
  const { path, text } = recordings[0] as (typeof recordings)[number];
  convert(path, '-o', narrow, '--filter', 'sched_switch: next_pid > 200', '--from', '+2s', '--to', '+4s');
  const origin = BigInt((reportEvents(text)[0]?.time ?? '').replace('.', '')) * 1000n;
  const { streams } = remoraJson<{ streams: { originNs: string }[] }>(['info', path], cache.env);
  const originNs = BigInt(streams[0]?.originNs ?? 0);
  expect(originNs / 1000n - origin / 1000n).toBeLessThan(2n);
  const expected = reportEvents(text).filter(({ name, info, time }) => {
    const sinceUs = BigInt(time.replace('.', '')) - originNs / 1000n;
    const pid = Number(/:(\d+) \[\d+\]$/.exec(info)?.[1]);
    return name === 'sched_switch' && pid > 200 && sinceUs >= 2_000_000n && sinceUs <= 4_000_000n;
  });
  expect(expected.length).toBeGreaterThan(10);
  const rows = await db.rows(
    `SELECT event, count(*) AS n FROM read_parquet('${narrow}/events/*/*/*.parquet') GROUP BY ALL`,
  );
  expect(rows).toEqual([{ event: 'sched_switch', n: BigInt(expected.length) }]);
  const typed = `read_parquet('${narrow}/fields/*/*/*/*.parquet', hive_partitioning = true)`;
  expect(await db.value(`SELECT count(*) FROM ${typed} WHERE next_pid > 200`)).toBe(BigInt(expected.length));
  // Without an annotation and an episode, their tables are there and empty.
  expect(await db.value(`SELECT count(*) FROM read_parquet('${narrow}/annotations/*/*/*.parquet')`)).toBe(0n);
});
