import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, test } from 'vitest';
import { remora, remoraJson, temporaryCache } from '../cli.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { bdiOf, pairs, type ReportEvent, reportEvents } from '../oracle/report-text.ts';

/** What SQL answers against what is counted in trace-cmd's text of the same recording. */
const recordings = ['sample-throttle.dat', 'host-v6.dat', 'host-lost.dat'];

interface SqlJson {
  columns: string[];
  rows: (string | number | null)[][];
}

const cache = temporaryCache();
afterAll(cache.remove);

const sql = (path: string, query: string): SqlJson['rows'] => remoraJson<SqlJson>(['sql', path, query], cache.env).rows;

/** As trace-cmd prints a time: microseconds, rounded half up. */
function printed(absNs: string): string {
  const us = (BigInt(absNs) + 500n) / 1000n;
  return `${us / 1_000_000n}.${(us % 1_000_000n).toString().padStart(6, '0')}`;
}

const key = (row: readonly unknown[]): string => JSON.stringify(row.map(String));
const sorted = (rows: readonly (readonly unknown[])[]): string[] => rows.map(key).sort();

function counted<T>(items: readonly T[], keyOf: (item: T) => string): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const item of items) counts[keyOf(item)] = (counts[keyOf(item)] ?? 0) + 1;
  return counts;
}

/** Fields that the text prints as plain decimal numbers under their own names. */
const plainFields: Record<string, string[]> = {
  balance_dirty_pages: [
    ...['limit', 'setpoint', 'dirty', 'bdi_setpoint', 'bdi_dirty', 'dirty_ratelimit', 'task_ratelimit'],
    ...['dirtied', 'dirtied_pause', 'paused', 'pause', 'period', 'think', 'cgroup_ino'],
  ],
  writeback_dirty_folio: ['ino', 'index'],
  writeback_mark_inode_dirty: ['ino'],
  sched_stat_runtime: ['pid'],
};

describe.each(recordings)('%s', (name) => {
  const path = corpusFile(name) ?? '';
  const text = path === '' ? '' : (corpusText(`${name}.report.txt.gz`) ?? '');
  const inCorpus = test.skipIf(path === '' || text === '');
  const events = (): ReportEvent[] => reportEvents(text);

  inCorpus('counts events by type, CPU and task as the text does', () => {
    const all = events();
    const byName = sql(path, 'SELECT name, count(*) FROM event GROUP BY name');
    expect(Object.fromEntries(byName)).toEqual(counted(all, (event) => event.name));
    const byCpu = sql(path, 'SELECT cpu, count(*) FROM event GROUP BY cpu');
    expect(Object.fromEntries(byCpu)).toEqual(counted(all, ({ cpu }) => String(cpu)));
    const byTask = sql(path, "SELECT comm || '-' || pid, count(*) FROM event GROUP BY 1");
    expect(Object.fromEntries(byTask)).toEqual(counted(all, ({ comm, pid }) => `${comm}-${pid}`));
    for (const [type, rows] of sql(path, "SELECT name, rows FROM remora_tables WHERE name LIKE '%:%' LIMIT 6")) {
      expect(sql(path, `SELECT count(*) FROM "${type}"`), String(type)).toEqual([[rows]]);
    }
  });

  inCorpus('has times, tasks and info of every event in the order of the text', () => {
    const all = events();
    const rows = sql(
      path,
      "SELECT abs_ns, cpu, comm, pid, name, info FROM event WHERE system <> 'ftrace' ORDER BY ts, cpu, idx",
    );
    const own = all.filter(
      (event) => !['print', 'bprint', 'funcgraph_entry', 'funcgraph_exit', 'function'].includes(event.name),
    );
    expect(rows.length).toBe(own.length);
    const first = (value: unknown): string => String(value).split('\n')[0]?.trim() ?? '';
    const found = rows.map(([abs, cpu, comm, pid, event, info]) => [
      printed(String(abs)),
      cpu,
      comm,
      pid,
      event,
      first(info),
    ]);
    expect(sorted(found)).toEqual(
      sorted(own.map(({ time, cpu, comm, pid, name: event, info }) => [time, cpu, comm, pid, event, info.trim()])),
    );
  });

  inCorpus('has the values of the text', () => {
    const all = events();
    for (const [event, fields] of Object.entries(plainFields)) {
      const own = all.filter((candidate) => candidate.name === event);
      if (own.length === 0) continue;
      const names = fields.filter((field) => pairs(own[0]?.info ?? '').has(field));
      const rows = sql(path, `SELECT ${names.map((field) => `"${field}"`).join(', ')} FROM ${event}`);
      expect(sorted(rows), event).toEqual(sorted(own.map(({ info }) => names.map((field) => pairs(info).get(field)))));
    }
    const throttled = all.filter(
      ({ name: event, info }) => event === 'balance_dirty_pages' && Number(pairs(info).get('pause')) > 0,
    );
    if (throttled.length === 0) return;
    const sums: Record<string, number> = {};
    for (const { info } of throttled) {
      const group = `${pairs(info).get('cgroup_ino')} ${bdiOf(info)}`;
      sums[group] = (sums[group] ?? 0) + Number(pairs(info).get('pause'));
    }
    const found = sql(
      path,
      "SELECT cgroup_ino || ' ' || bdi, sum(pause) FROM balance_dirty_pages WHERE pause > 0 GROUP BY 1",
    );
    expect(Object.fromEntries(found)).toEqual(sums);
  });

  inCorpus('materializes the same tables', () => {
    const out = join(cache.folder, `${name}.db`);
    expect(remora(['sql', path, '--materialize', out], cache.env).status).toBe(0);
    const database = new DatabaseSync(out, { readOnly: true });
    try {
      expect(database.prepare('PRAGMA integrity_check').all()).toEqual([{ integrity_check: 'ok' }]);
      const tables = sql(path, 'SELECT name, rows FROM remora_tables');
      const written = database.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'").all() as {
        name: string;
      }[];
      expect(written.map((row) => row.name).sort()).toEqual(tables.map(([table]) => table).sort());
      for (const [table, rows] of tables) {
        if (rows === null) continue;
        expect(database.prepare(`SELECT count(*) AS n FROM "${table}"`).get(), String(table)).toEqual({ n: rows });
      }
      const query =
        'SELECT name, count(*) AS n, min(ts) AS first, sum(pid) AS pids, max(typeof(ts)) AS type FROM event GROUP BY name ORDER BY name';
      expect(
        database
          .prepare(query)
          .all()
          .map((row) => Object.values(row)),
      ).toEqual(sql(path, query));
    } finally {
      database.close();
    }
    // Its own output may be replaced; nothing else is.
    expect(remora(['sql', path, '--materialize', out], cache.env).status).toBe(0);
    expect(existsSync(out)).toBe(true);
  });
});
