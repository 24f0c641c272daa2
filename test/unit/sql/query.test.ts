import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';
import { sqlWorkspace } from '../../../electron/engine/sql-workspace.ts';
import { visitRows } from '../../../electron/query/list.ts';
import { prepareSql } from '../../../electron/query/sql.ts';
import type { SqlCell } from '../../../shared/api.ts';
import { RemoraError } from '../../../shared/errors.ts';
import { recordings } from '../../build/arbitrary.ts';
import { type BuiltFormat, payloadOf } from '../../build/formats.ts';
import { type BuiltRecording, buildTraceDat } from '../../build/trace-dat.ts';

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

function ask(query: string, of = session, scratch?: string): { columns: string[]; rows: SqlCell[][] } {
  const prepared = prepareSql(sqlWorkspace(of), query, { scratch });
  try {
    return { columns: prepared.columns, rows: [...prepared.rows()] };
  } finally {
    prepared.close();
  }
}
const rows = (query: string, of = session): SqlCell[][] => ask(query, of).rows;

function errorOf(query: string): RemoraError {
  try {
    ask(query);
  } catch (error) {
    if (error instanceof RemoraError) return error;
    throw error;
  }
  throw new Error(`${query} was answered`);
}

let built = 0;
async function withRecording(recording: BuiltRecording, work: (of: Session) => void): Promise<void> {
  const path = join(folder, `built-${built++}.dat`);
  writeFileSync(path, buildTraceDat(recording));
  const of = await sessions.open({ paths: [path], noCache: true });
  try {
    work(of);
  } finally {
    sessions.close(of.id);
    rmSync(path);
  }
}

describe('rows of events', () => {
  it('are the event list', () => {
    const listed: SqlCell[][] = [];
    visitRows(session.trace, 1000, ({ stream, cpu, index, timeNs, chunk, at }) => {
      const { recording } = session.trace.streams[stream] as Session['trace']['streams'][number];
      const type = recording.typeOfId[chunk.id[at] as number] as number;
      const { system, name } = session.trace.eventTypes[type] as Session['trace']['eventTypes'][number];
      const pid = chunk.pid[at] as number;
      const abs = String(session.trace.originNs + BigInt(timeNs));
      listed.push([timeNs, abs, stream, cpu.cpu, index, pid, recording.commOf(pid), type, system, name]);
      return listed.length < 500;
    });
    const { columns, rows: found } = ask('SELECT * FROM event LIMIT 500 OFFSET 1000');
    expect(columns).toEqual(['ts', 'abs_ns', 'stream', 'cpu', 'idx', 'pid', 'comm', 'type', 'system', 'name', 'info']);
    expect(found.map((row) => row.slice(0, -1))).toEqual(listed);
    const [first] = found;
    expect(first?.at(-1)).toBe(
      session.trace.text.info(first?.[2] as number, first?.[3] as number, first?.[4] as number),
    );
  });

  it('have every field of every record as it was written', async () => {
    await fc.assert(
      fc.asyncProperty(recordings, ({ recording, expected }) =>
        withRecording(recording, (of) => {
          const events = expected.flatMap((cpus, stream) =>
            cpus.flatMap((list, cpu) => list.map((event, idx) => ({ ...event, stream, cpu, idx }))),
          );
          expect(rows('SELECT count(*) FROM event', of)).toEqual([[events.length]]);
          for (const format of recording.formats) {
            const own = events.filter((event) => event.format === format);
            const names = format.fields.map(({ name }) => `"${name}"`).join(', ');
            const found = rows(
              `SELECT stream, cpu, idx, ts, common_pid, common_flags${names && `, ${names}`} FROM "${format.system}:${format.name}"`,
              of,
            );
            const origin = BigInt(of.summary.originNs);
            const cells = own.map(({ stream, cpu, idx, time, common, values }) => [
              ...[stream, cpu, idx].map(String),
              String(time - origin),
              ...[common.pid, common.flags].map(String),
              // Bytes that are no UTF-8 do not come back from text.
              ...values.map((value) =>
                typeof value === 'string' ? Buffer.from(value, 'latin1').toString('utf8') : String(value),
              ),
            ]);
            const key = (row: (SqlCell | string)[]): string => JSON.stringify(row.map(String));
            expect(found.map(key).sort()).toEqual(cells.map(key).sort());
          }
        }),
      ),
      { numRuns: 60 },
    );
  });

  it('are exact where numbers are large', async () => {
    const wide: BuiltFormat = {
      system: 'sample',
      name: 'wide',
      id: 20,
      fields: [
        { name: 'u', declaration: 'u64', bytes: 8, signed: false, kind: 'number' },
        { name: 's', declaration: 's64', bytes: 8, signed: true, kind: 'number' },
      ],
      printFmt: '""',
    };
    const values = [5n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 64n - 2n];
    const events = values.map((u, i) => ({
      time: BigInt(1000 + i),
      payload: payloadOf(wide, { flags: 0, preemptCount: 0, pid: 1 }, [u, -u < -(2n ** 63n) ? 0n : -u], true),
    }));
    const recording: BuiltRecording = {
      version: 6,
      compression: 'none',
      abi: { littleEndian: true, longBytes: 8, subBufferBytes: 4096 },
      formats: [wide],
      buffers: [{ name: '', clock: 'local', cpus: [events] }],
      comms: [[1, 'init']],
      uname: '',
      kallsyms: '',
      printkFormats: '',
      options: [],
    };
    await withRecording(recording, (of) => {
      expect(rows('SELECT u, s, typeof(u) FROM wide', of)).toEqual([
        [5, -5, 'integer'],
        ['9007199254740993', '-9007199254740993', 'integer'],
        ['9223372036854775807', '-9223372036854775807', 'integer'],
        ['9223372036854775808', '-9223372036854775808', 'text'],
        ['18446744073709551614', 0, 'text'],
      ]);
      // Larger than every number, as they are, and whether or not the scan looked first.
      expect(rows('SELECT count(*) FROM wide WHERE u > 1000', of)).toEqual([[4]]);
      expect(rows('SELECT count(*) FROM wide WHERE u < 1000', of)).toEqual([[1]]);
      expect(rows('SELECT max(u), avg(u) FROM wide WHERE u >= 18446744073709551614', of)).toEqual([
        ['9223372036854775808', 13835058055282164000],
      ]);
      expect(rows('SELECT ts, hex64(u) FROM wide WHERE u = u64(0xfffffffffffffffe)', of)).toEqual([
        [4, '0xfffffffffffffffe'],
      ]);
    });
  });
});

describe('tables', () => {
  it('go by the name of the event where one system has it, and by any case', () => {
    const [[count]] = rows('SELECT count(*) FROM "sched:sched_switch"') as [[number]];
    expect(count).toBeGreaterThan(20_000);
    expect(rows('SELECT count(*) FROM sched_switch')).toEqual([[count]]);
    expect(rows('SELECT count(*) FROM "SCHED:Sched_Switch"')).toEqual([[count]]);
    expect(rows("SELECT rows FROM remora_tables WHERE name = 'sched:sched_switch'")).toEqual([[count]]);
  });

  it('are there for every format, also without events', () => {
    const names = new Set(session.summary.eventTypes.map(({ system, name }) => `${system}:${name}`));
    const format = session.trace.recordings[0]?.head.formats.find(
      ({ system, name }) => !names.has(`${system}:${name}`),
    );
    expect(format).toBeDefined();
    expect(rows(`SELECT * FROM "${format?.system}:${format?.name}"`)).toEqual([]);
  });

  it("keep an event's own fields where they have the name of a common one", () => {
    const { columns } = ask('SELECT * FROM "sched:sched_wakeup" LIMIT 0');
    expect(columns.slice(0, 8)).toEqual([
      'ts',
      'cpu',
      'common_pid',
      'common_comm',
      'comm',
      'pid',
      'prio',
      'target_cpu',
    ]);
    expect(
      rows("SELECT count(*) FROM sched_wakeup WHERE comm = 'fio' AND common_comm <> 'fio'")[0]?.[0],
    ).toBeGreaterThan(0);
  });

  it('say what they have', () => {
    for (const [name, , columns] of rows('SELECT * FROM remora_tables') as [string, number, string][]) {
      expect(ask(`SELECT * FROM "${name}" LIMIT 0`).columns.join(', '), name).toBe(columns);
    }
    expect(
      rows("SELECT unit FROM remora_columns WHERE table_name = 'writeback:balance_dirty_pages' AND name = 'pause'"),
    ).toEqual([['ms']]);
  });

  it('agree with what the engine says', () => {
    const { episodes } = session.episodes.find('none', undefined);
    expect(rows('SELECT id, cgroup, pid, pauses, pause_ms, start_ns FROM episode')).toEqual(
      episodes.map(({ id, cgroup, task, pauses, pauseMs, fromNs }) => [
        id,
        cgroup.path,
        task.pid,
        pauses,
        pauseMs,
        Math.round(fromNs),
      ]),
    );
    expect(rows('SELECT pid, comm, events FROM task')).toEqual(
      session.summary.tasks.map(({ pid, comm, events }) => [pid, comm, events]),
    );
    expect(rows('SELECT ino, path FROM cgroup')).toEqual(
      session.summary.cgroups.map(({ ino, path }) => [Number(ino), path]),
    );
    expect(rows('SELECT sum(events) FROM stream')).toEqual([[session.summary.events]]);
    expect(rows('SELECT path, bytes FROM recording')).toEqual(
      session.summary.recordings.map(({ path, bytes }) => [path, bytes]),
    );
  });

  it('join with each other without a scan for every row', () => {
    // The next switch of each task after it was woken: quadratic where the second table is scanned again and again.
    const joined = rows(
      'SELECT count(*), count(DISTINCT w.pid) FROM sched_wakeup w JOIN sched_switch s ON s.next_pid = w.pid WHERE s.ts BETWEEN w.ts AND w.ts + 1000 AND w.ts < 4e9 AND s.ts < 4e9',
    );
    const switches = new Map<number, number[]>();
    for (const [ts, pid] of rows('SELECT ts, next_pid FROM sched_switch WHERE ts < 4e9') as [number, number][])
      switches.set(pid, [...(switches.get(pid) ?? []), ts]);
    let pairs = 0;
    const pids = new Set<number>();
    for (const [ts, pid] of rows('SELECT ts, pid FROM sched_wakeup WHERE ts < 4e9') as [number, number][]) {
      for (const at of switches.get(pid) ?? []) {
        if (at < ts || at > ts + 1000) continue;
        pairs++;
        pids.add(pid);
      }
    }
    expect(pairs).toBeGreaterThan(0);
    expect(joined).toEqual([[pairs, pids.size]]);
  });
});

describe('what is no answer is a clear error', () => {
  it.each([
    ['SELEC 1', /near "SELEC": syntax error/, 0],
    ['SELECT id,, FROM episode', /near ",": syntax error/, 10],
    ['SELECT (1', /ends too early/, 9],
    ['', /empty/, 0],
    ['-- nothing', /empty/, 0],
    ["SELECT 'abc", /unrecognized token/, 7],
    ['SELECT 1; SELECT 2', /one statement at a time/, 10],
    ['SELECT * FROM sched_swich', /no such table: sched_swich: did you mean "sched:sched_switch"/, 14],
    ['SELECT * FROM "sched/sched_switch"', /did you mean "sched:sched_switch"\? SELECT name FROM remora_tables/, 14],
    ['SELECT * FROM nothing_like_it', /no such table: nothing_like_it\. SELECT name FROM remora_tables/, 14],
    ['SELECT e.pidd FROM event e', /no such column: e\.pidd: did you mean pid/, 9],
    ['SELECT xyzzy FROM cgroup', /no such column: xyzzy\. "cgroup" has ino, path/, 7],
    ['SELECT pid FROM event, task', /ambiguous column name: pid/, 7],
    ['SELECT foo(1)', /no such function: foo/, 7],
    ['SELECT max(ts) FROM event WHERE max(ts) > 3', /misuse of aggregate/, undefined],
    ["ATTACH ':memory:' AS x", /only queries/, 0],
    ['PRAGMA user_version = 3', /only queries/, 0],
    ['DELETE FROM task', /only queries/, 0],
    ['VACUUM', /only queries/, 0],
    ['BEGIN', /only queries/, 0],
    ['WITH x AS (SELECT 1) INSERT INTO task SELECT 1, 1, 1, 1 FROM x RETURNING pid', /only queries/, 0],
    ["SELECT load_extension('x')", /not authorized/, undefined],
  ])('%s', (query, message, position) => {
    const { detail } = errorOf(query);
    expect(detail.code).toBe('bad-expression');
    expect(detail.message).toMatch(message);
    expect(detail.position).toBe(position);
  });

  it('a query that fails while it runs says so', () => {
    expect(errorOf("SELECT json_extract(name, '$') FROM event").message).toMatch(/malformed JSON/);
  });
});
