import { spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterAll, describe, expect, it } from 'vitest';
import { projectRoot } from '../../cli.ts';

/** `remora sql` from its sources: arguments in; output, errors and exit code out. */
const sample = join(projectRoot, 'assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-sql-cli-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

function run(...args: string[]): Promise<Ended> {
  const env = { ...process.env, REMORA_CACHE: join(folder, 'cache') };
  const child = spawn(process.execPath, [join(projectRoot, 'electron/cli.ts'), 'sql', ...args], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended: Ended = { code: null, out: '', err: '' };
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    ended.out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    ended.err += text;
  });
  return new Promise((resolve) => child.once('close', (code) => resolve({ ...ended, code })));
}

const VALUES = `SELECT 1 AS a, 'x,"y"' AS b, NULL AS c, 9007199254740993 AS d, x'0aff' AS e, 1.5 AS f, 9e999 AS g`;

describe('prints', () => {
  it('one JSON document', async () => {
    const { code, out, err } = await run(sample, VALUES, '--json');
    expect([code, err]).toEqual([0, '']);
    expect(JSON.parse(out)).toEqual({
      columns: ['a', 'b', 'c', 'd', 'e', 'f', 'g'],
      rows: [[1, 'x,"y"', null, '9007199254740993', '0aff', 1.5, 'Infinity']],
      truncated: false,
    });
    expect(JSON.parse((await run(sample, 'SELECT pid FROM task WHERE 0', '--json')).out)).toEqual({
      columns: ['pid'],
      rows: [],
      truncated: false,
    });
  });

  it('CSV', async () => {
    expect((await run(sample, VALUES, '--csv')).out).toBe(
      'a,b,c,d,e,f,g\n1,"x,""y""",,9007199254740993,0aff,1.5,Infinity\n',
    );
  });

  it('a table, and what --limit left out on standard error', async () => {
    const { code, out, err } = await run(
      sample,
      'SELECT pid, comm FROM task ORDER BY pid',
      '--limit',
      '3',
      '--no-cache',
    );
    expect(code).toBe(0);
    expect(out.split('\n')).toEqual(['pid  comm', '  0  <idle>', '  2  kthreadd', '  9  kworker/u4:0', '']);
    expect(err).toMatch(/more than 3 rows/);
  });

  it('all rows, however many', async () => {
    const { out } = await run(sample, 'SELECT cpu, idx FROM event', '--csv');
    const lines = out.trimEnd().split('\n');
    expect(lines).toHaveLength(248_750);
    expect(new Set(lines).size).toBe(248_750);
  });
});

describe('ends with', () => {
  it.each([
    ['2 where the query is missing', [sample], 2, /missing query/],
    ['2 where the query does not parse', [sample, 'SELECT FROM'], 2, /near "FROM": syntax error \(at character 8\)/],
    ['2 where it is no query', [sample, 'DROP TABLE task'], 2, /only queries/],
    ['2 for an unknown option', [sample, 'SELECT 1', '--from', '3'], 2, /unknown option/],
    ['1 where there is no file', [join(folder, 'none.dat'), 'SELECT 1'], 1, /no such file/],
    [
      '1 where it takes too long',
      [
        sample,
        'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n',
        '--timeout',
        '0.5',
      ],
      1,
      /longer than 0\.5 s/,
    ],
  ])('%s', async (_what, args, exit, message) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([exit, '']);
    expect(err).toMatch(message);
  });

  it('0 where the reader has had enough', async () => {
    const env = { ...process.env, REMORA_CACHE: join(folder, 'cache') };
    const child = spawn(
      process.execPath,
      [join(projectRoot, 'electron/cli.ts'), 'sql', sample, 'SELECT * FROM event', '--csv'],
      { env, stdio: ['ignore', 'pipe', 'ignore'] },
    );
    child.stdout.once('data', () => child.stdout.destroy());
    expect(await new Promise((resolve) => child.once('exit', resolve))).toBe(0);
  });
});

describe('--materialize', () => {
  const out = join(folder, 'out.db');

  it('writes tables that other tools read, and answers a query too', async () => {
    const { code, out: printed, err } = await run(sample, 'SELECT count(*) FROM stream', '--materialize', out, '--csv');
    expect([code, printed]).toEqual([0, 'count(*)\n1\n']);
    expect(err).toContain(out);
    const database = new DatabaseSync(out, { readOnly: true });
    const all = (query: string): unknown[][] =>
      database
        .prepare(query)
        .all()
        .map((row) => Object.values(row));
    expect(all('PRAGMA integrity_check')).toEqual([['ok']]);
    expect(all('SELECT count(*), count(DISTINCT name) FROM event')).toEqual([[248_749, 44]]);
    expect(
      all('SELECT sum(pause), typeof(pause), typeof(bdi) FROM "writeback:balance_dirty_pages" WHERE pause > 0'),
    ).toEqual([[40_764, 'integer', 'text']]);
    expect(all('SELECT count(*) FROM episode')[0]?.[0]).toBeGreaterThan(0);
    database.close();
    expect(readdirSync(folder).filter((name) => name.includes('.tmp'))).toEqual([]);
  });

  it('replaces what it wrote, and nothing else', async () => {
    const before = statSync(out).ino;
    expect((await run(sample, '--materialize', out, '--quiet')).code).toBe(0);
    expect(statSync(out).ino).not.toBe(before);
    const note = join(folder, 'note.txt');
    writeFileSync(note, 'mine');
    const { code, err } = await run(sample, '--materialize', note);
    expect(code).toBe(1);
    expect(err).toMatch(/note\.txt: there is a file already/);
    expect(readFileSync(note, 'utf8')).toBe('mine');
    const workspace = join(
      folder,
      'cache',
      readdirSync(join(folder, 'cache')).find((name) => name.endsWith('.remora')) as string,
    );
    expect((await run(sample, '--materialize', workspace)).code).toBe(1);
    expect((await run(sample, '--materialize', join(folder, 'nowhere', 'out.db'))).code).toBe(1);
  });
});
