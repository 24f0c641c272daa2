import {
  appendFileSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEngine } from '../../../electron/engine/engine.ts';
import { type Session, Sessions } from '../../../electron/engine/sessions.ts';
import { runSql, type SqlRequest } from '../../../electron/engine/sql.ts';
import type { SqlCell } from '../../../shared/api.ts';
import { EngineClient } from '../../../shared/engine-client.ts';
import type { RemoraError } from '../../../shared/errors.ts';

const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-sql-'));
const sessions = new Sessions(folder);
let session: Session;
/** Temporary files of this test alone. */
const temporary = join(folder, 'tmp');
beforeAll(async () => {
  mkdirSync(temporary);
  process.env.TMPDIR = temporary;
  session = await sessions.open({ paths: [sample] });
});
afterAll(() => {
  sessions.closeAll();
  rmSync(folder, { recursive: true, force: true });
});

/** A query that never ends and gives no rows. */
const ENDLESS = 'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n';

async function ask(query: string, options: Partial<SqlRequest> = {}, of = session) {
  let columns: string[] = [];
  const rows: SqlCell[][] = [];
  const outcome = await runSql(of, {
    query,
    maxRows: 1e9,
    timeoutMs: Number.POSITIVE_INFINITY,
    signal: new AbortController().signal,
    onColumns(names) {
      columns = names;
    },
    onRows: (more) => void rows.push(...more),
    ...options,
  });
  return { columns, rows, ...outcome };
}

const errorOf = (answer: Promise<unknown>): Promise<RemoraError> =>
  answer.then(
    () => {
      throw new Error('there was an answer');
    },
    (error: RemoraError) => error,
  );

/** Child processes of this one that answer queries, zombies included: `pid (name) state parent …` of each (proc(5)). */
function queryProcesses(): string[] {
  return readdirSync('/proc').filter((pid) => {
    if (!/^\d+$/.test(pid)) return false;
    try {
      const [state, parent] = readFileSync(`/proc/${pid}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (parent !== String(process.pid)) return false;
      return state === 'Z' || readFileSync(`/proc/${pid}/cmdline`, 'latin1').includes('sql-process');
    } catch {
      // It ended meanwhile.
      return false;
    }
  });
}
const scratchFolders = (): string[] => readdirSync(temporary).filter((name) => name.startsWith('remora-scratch-'));

describe('a query', () => {
  it('is answered from another process', async () => {
    const { columns, rows, truncated } = await ask(
      'SELECT pid, count(*) AS n FROM sched_switch GROUP BY pid ORDER BY n DESC LIMIT 2',
    );
    expect(columns).toEqual(['pid', 'n']);
    expect(rows).toHaveLength(2);
    expect(truncated).toBe(false);
    expect(queryProcesses()).toEqual([]);
  });

  it('gives all its rows in order, and no more than are asked for', async () => {
    const { rows } = await ask('SELECT idx, ts FROM sched_switch WHERE cpu = 0');
    expect(rows.length).toBeGreaterThan(8000);
    const times = rows.map(([, ts]) => ts as number);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
    const some = await ask('SELECT idx, ts FROM sched_switch WHERE cpu = 0', { maxRows: 5000 });
    expect(some.rows).toEqual(rows.slice(0, 5000));
    expect(some.truncated).toBe(true);
    expect((await ask('SELECT idx, ts FROM sched_switch WHERE cpu = 0', { maxRows: rows.length })).truncated).toBe(
      false,
    );
  });

  it('waits for whoever takes the rows', async () => {
    let held = 0;
    let most = 0;
    const { rows } = await ask('SELECT idx FROM event LIMIT 30000', {
      async onRows(more) {
        held++;
        most = Math.max(most, held);
        await new Promise((next) => setTimeout(next, 5));
        held--;
        expect(more.length).toBeLessThanOrEqual(2000);
      },
    });
    expect(rows).toEqual([]);
    expect(most).toBe(1);
  });

  it('sees blobs as bytes', async () => {
    expect((await ask("SELECT x'00ff'")).rows).toEqual([[Uint8Array.of(0, 255)]]);
  });

  it('that is wrong says where', async () => {
    const { detail } = await errorOf(ask('SELECT nope FROM event'));
    expect(detail).toMatchObject({ code: 'bad-expression', position: 7 });
  });
});

describe('a query that runs too long is ended with its process', () => {
  it('by cancelling', async () => {
    const controller = new AbortController();
    const answer = errorOf(
      ask(ENDLESS, { signal: controller.signal, onColumns: () => void setTimeout(() => controller.abort(), 20) }),
    );
    expect((await answer).detail.code).toBe('cancelled');
    expect(queryProcesses()).toEqual([]);
  });

  it('before it began', async () => {
    expect((await errorOf(ask(ENDLESS, { signal: AbortSignal.abort() }))).detail.code).toBe('cancelled');
    const controller = new AbortController();
    const answer = errorOf(ask(ENDLESS, { signal: controller.signal }));
    controller.abort();
    expect((await answer).detail.code).toBe('cancelled');
    expect(queryProcesses()).toEqual([]);
  });

  it('by its time limit', async () => {
    const { detail } = await errorOf(ask(ENDLESS, { timeoutMs: 700 }));
    expect(detail.code).toBe('limit');
    expect(detail.message).toMatch(/longer than 0\.7 s/);
    expect(queryProcesses()).toEqual([]);
  });

  it('when its reader fails', async () => {
    const error = new Error('the pipe is closed');
    expect(await errorOf(ask('SELECT * FROM event', { onRows: () => Promise.reject(error) }))).toBe(error);
    expect(queryProcesses()).toEqual([]);
  });

  it('through the contract', async () => {
    const core = createEngine({ version: 'test', cacheFolder: folder });
    const client: EngineClient = new EngineClient((message) =>
      core.dispatch(message, (answer) => client.receive(answer)),
    );
    const { workspaceId } = await client.call('open', { paths: [sample] });
    expect(await client.call('sql', { workspaceId, query: 'SELECT count(*) FROM stream' })).toMatchObject({
      columns: ['count(*)'],
      rows: [[1]],
      truncated: false,
    });
    const controller = new AbortController();
    const answer = errorOf(client.call('sql', { workspaceId, query: ENDLESS }, { signal: controller.signal }));
    setTimeout(() => controller.abort(), 300);
    expect((await answer).detail.code).toBe('cancelled');
    // Closing cancels what runs.
    const closed = errorOf(client.call('sql', { workspaceId, query: ENDLESS }));
    await new Promise((next) => setTimeout(next, 300));
    await core.close();
    expect((await closed).detail.code).toBe('cancelled');
    expect(queryProcesses()).toEqual([]);
  });
});

describe('a workspace', () => {
  it('that is private is read from a copy, of which nothing is left', async () => {
    const before = scratchFolders();
    const own = await sessions.open({ paths: [sample], noCache: true });
    own.notes.put({
      id: 'n',
      kind: 'point',
      fromAbs: String(own.trace.originNs + 5n),
      toAbs: String(own.trace.originNs + 5n),
      text: 'hm',
      color: 'note-1',
      tags: ['a'],
    });
    try {
      const counted = await ask('SELECT count(*) FROM sched_switch', {}, own);
      expect(counted.rows).toEqual((await ask('SELECT count(*) FROM sched_switch')).rows);
      expect((await ask('SELECT id, start_ns, text, tags FROM annotation', {}, own)).rows).toEqual([
        ['n', 5, 'hm', '["a"]'],
      ]);
      expect((await errorOf(ask('SELECT nope', {}, own))).detail.code).toBe('bad-expression');
      const controller = new AbortController();
      const answer = errorOf(ask(ENDLESS, { signal: controller.signal, onColumns: () => controller.abort() }, own));
      expect((await answer).detail.code).toBe('cancelled');
      expect(scratchFolders()).toEqual(before);
    } finally {
      sessions.close(own.id);
    }
  });

  it('of a long text is read with what the engine learned of it, and leaves nothing where it was started', async () => {
    const path = join(folder, 'long.txt');
    const line = (i: number): string =>
      `dd-7 [000] ..... 12.${String(i).padStart(6, '0')}: sched_wakeup: comm=dd pid=7 prio=120 target_cpu=000\n`;
    appendFileSync(path, '# tracer: nop\n#\n');
    appendFileSync(path, Array.from({ length: 20_000 }, (_, i) => line(i)).join(''));
    const own = await sessions.open({ paths: [path] });
    expect((await ask('SELECT count(*) FROM sched_wakeup', {}, own)).rows).toEqual([[20_000]]);
    expect(existsSync(join(folder, 'surveys'))).toBe(true);
    expect(existsSync('surveys')).toBe(false);
    sessions.close(own.id);
  });

  it('whose recording has changed since says so', async () => {
    const path = join(folder, 'changed.dat');
    copyFileSync(sample, path);
    const own = await sessions.open({ paths: [path] });
    truncateSync(path, 2_000_000);
    const { detail } = await errorOf(ask('SELECT count(*) FROM event', {}, own));
    expect(detail.message).toContain(path);
    expect(detail.message).toMatch(/open it again/);
    sessions.close(own.id);
  });

  it('names its cgroups by the file that was given', async () => {
    const names = join(folder, 'names');
    writeFileSync(names, '4242 front\n');
    const own = await sessions.open({ paths: [sample], noCache: true, cgroups: names });
    expect((await ask('SELECT path FROM cgroup WHERE ino = 4242', {}, own)).rows).toEqual([['front']]);
    sessions.close(own.id);
  });
});
