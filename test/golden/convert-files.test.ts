import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { projectRoot, remora, remoraJson, temporaryCache } from '../cli.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { pausesByCgroup, reportEvents } from '../oracle/report-text.ts';

/** `convert` and `check` as they are used: files against trace-cmd's text, damaged recordings, stops in the middle. */
const cache = temporaryCache();
afterAll(cache.remove);
const made = join(cache.folder, 'made');
mkdirSync(made);

const sample = corpusFile('sample-throttle.dat') ?? '';
const text =
  sample === '' ? '' : Buffer.from(corpusText('sample-throttle.dat.report.txt.gz') ?? '', 'latin1').toString('utf8');
const withSample = test.skipIf(sample === '');

function convert(...args: string[]): string {
  const output = join(made, args.at(-1) as string);
  const { status, stderr } = remora(['convert', ...args.slice(0, -1), '-o', output, '--quiet'], cache.env);
  expect(`${status} ${stderr}`).toBe('0 ');
  return output;
}

describe('files of sample-throttle.dat', () => {
  withSample('.txt is the report, byte for byte', () => {
    expect(readFileSync(convert(sample, 'all.txt'), 'utf8') === text).toBe(true);
  });

  withSample('.txt of a filter has the lines of the events that pass', () => {
    const lines = readFileSync(
      convert(sample, '--filter', 'balance_dirty_pages: pause > 0', 'pauses.txt'),
      'utf8',
    ).split('\n');
    const expected = text.split('\n').filter((line) => / balance_dirty_pages: .* pause=[1-9]/.test(line));
    expect(expected.length).toBeGreaterThan(1000);
    expect(lines.slice(1, -1)).toEqual(expected);
  });

  withSample('.csv has a line per event, as the report tells it', () => {
    const [header, ...lines] = readFileSync(convert(sample, 'all.csv'), 'utf8').trimEnd().split('\n');
    expect(header).toBe('time,cpu,task,pid,flags,event,info');
    const expected = reportEvents(text);
    expect(lines).toHaveLength(expected.length);
    const [first] = expected;
    expect(lines[0]).toContain(`,${first?.cpu},${first?.comm},${first?.pid},`);
    const count = (name: string): number => lines.filter((line) => line.split(',')[5] === name).length;
    for (const name of ['sched_switch', 'balance_dirty_pages', 'print'])
      expect(count(name)).toBe(expected.filter((event) => event.name === name).length);
  });

  withSample('.csv of one type has its fields', () => {
    const output = convert(sample, '--event', 'writeback:balance_dirty_pages', 'bdp.csv');
    const [header, ...lines] = readFileSync(output, 'utf8').trimEnd().split('\n');
    const columns = (header as string).split(',');
    const cell = (line: string, name: string): string => line.split(',')[columns.indexOf(name)] as string;
    const pauses = new Map<string, number>();
    for (const line of lines) {
      const [ino, pause] = [cell(line, 'cgroup_ino'), Number(cell(line, 'pause'))];
      if (pause > 0) pauses.set(ino, (pauses.get(ino) ?? 0) + pause);
    }
    const expected = [...pausesByCgroup(text)].map(([ino, { pauseMs }]) => [ino, pauseMs]);
    expect(Object.fromEntries(pauses)).toEqual(Object.fromEntries(expected));
  });

  withSample('.json has every event, the switches as slices, the counters and the episodes', () => {
    const { traceEvents } = JSON.parse(readFileSync(convert(sample, 'all.json'), 'utf8')) as {
      traceEvents: { ph: string; name: string; id?: string; dur?: number; args?: Record<string, number> }[];
    };
    const of = (ph: string) => traceEvents.filter((event) => event.ph === ph);
    expect(of('i')).toHaveLength(reportEvents(text).length);
    expect(of('X').length).toBeGreaterThan(10_000);
    expect(of('X').every(({ dur }) => (dur as number) > 0)).toBe(true);
    const episodes = remoraJson<{ episodes: { pauseMs: number }[] }>(['episodes', sample], cache.env).episodes;
    expect(of('b').map(({ args }) => args?.pause_ms)).toEqual(episodes.map(({ pauseMs }) => pauseMs));
    expect(of('e').map(({ id }) => id)).toEqual(of('b').map(({ id }) => id));
    const pauses = of('C').filter(({ name }) => name.endsWith('pause, ms'));
    expect(pauses).toHaveLength(reportEvents(text).filter(({ name }) => name === 'balance_dirty_pages').length);
  });

  withSample('.db has the tables of sql', () => {
    const output = convert(sample, 'all.db');
    expect(readFileSync(output).subarray(0, 15).toString()).toBe('SQLite format 3');
  });
});

describe('nothing is half-written', () => {
  const big = corpusFile('vm61-throttle-v2.dat') ?? '';

  test.skipIf(big === '').each(['out.csv', 'out.json', 'out.parquet', 'out.txt', 'folder'])(
    'Ctrl+C while %s is written leaves nothing behind',
    async (name) => {
      const folder = join(made, `stopped-${name}`);
      mkdirSync(folder);
      const child = spawn(
        process.execPath,
        [join(projectRoot, 'dist/cli.js'), 'convert', big, '-o', join(folder, name)],
        {
          env: cache.env,
          stdio: 'ignore',
        },
      );
      const ended = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
      let code: number | null | undefined;
      void ended.then((value) => {
        code = value;
      });
      // It has begun to write when there is something hidden.
      while (code === undefined && readdirSync(folder).length === 0)
        await new Promise((resolve) => setTimeout(resolve, 5));
      child.kill('SIGINT');
      expect(await ended).toBe(130);
      expect(readdirSync(folder)).toEqual([]);
    },
  );

  withSample('a folder that cannot be written to is said, and nothing is left', () => {
    writeFileSync(join(made, 'plain'), 'a file');
    for (const output of ['plain/out.csv', 'plain/folder']) {
      const { status, stderr } = remora(['convert', sample, '-o', join(made, output)], cache.env);
      expect(status).toBe(1);
      expect(stderr).toMatch(/plain\/\S+ cannot be written: .*ENOTDIR/);
    }
    expect(readFileSync(join(made, 'plain'), 'utf8')).toBe('a file');
  });

  withSample.each([
    ['an ending that means nothing', ['-o', 'x.xls'], /\.parquet, \.csv, \.json, \.txt, \.db/],
    ['the recording itself', ['-o', sample], /is the recording itself/],
    [
      'an option that would be passed over',
      ['-o', 'x.json', '--event', 'sched_switch'],
      /--event means nothing for \.json/,
    ],
    [
      'a filter for tables that are written whole',
      ['-o', 'x.db', '--filter', 'pid == 1'],
      /--filter means nothing for \.db/,
    ],
    ['an event that is not there', ['-o', 'x.csv', '--event', 'no_such'], /no_such: no such event was recorded/],
    ['a filter that does not parse', ['-o', 'x.csv', '--filter', 'pid =='], /filter/],
    ['a day that is none', ['-o', 'x', '--day', '2026-02-30'], /2026-03-01/],
    ['no output', [], /--output/],
  ])('%s is wrong usage', (_name, args, message) => {
    const { status, stderr } = remora(['convert', sample, ...args], cache.env);
    expect(stderr).toMatch(message);
    expect(status).toBe(2);
    expect(existsSync(join(process.cwd(), 'x.csv'))).toBe(false);
  });
});

interface CheckJson {
  ok: boolean;
  files: {
    file: string;
    ok: boolean;
    events: number;
    lost: number;
    problems: { file: string; offset: number; section: string; message: string; expected?: string; found?: string }[];
  }[];
}

describe('check', () => {
  const intact = readdirSync(join(corpusFile('.') ?? made)).filter(
    (name) => name.endsWith('.dat') || name.startsWith('raw-'),
  );

  test.skipIf(sample === '')('finds every recording of the corpus whole, with the events that info counts', () => {
    const paths = intact.map((name) => corpusFile(name) as string);
    const { ok, files } = remoraJson<CheckJson>(['check', ...paths], cache.env);
    expect(files.flatMap(({ problems }) => problems)).toEqual([]);
    expect(ok).toBe(true);
    for (const name of ['host-lost.dat', 'small-v6.dat', 'host-subbuf16k.dat', 'sample-throttle.dat']) {
      const { events } = files[intact.indexOf(name)] as CheckJson['files'][number];
      const report = corpusText(`${name}.report.txt.gz`) as string;
      expect(events).toBe(reportEvents(report).length);
    }
    const dropped = [
      ...(corpusText('host-lost.dat.report.txt.gz') as string).matchAll(/^CPU:\d+ \[(\d+) EVENTS DROPPED\]/gm),
    ];
    const lost = dropped.reduce((sum, match) => sum + Number(match[1]), 0);
    expect(lost).toBeGreaterThan(50_000);
    expect(files[intact.indexOf('host-lost.dat')]?.lost).toBe(lost);
  });

  const small = corpusFile('small-v6.dat');
  const packed = corpusFile('host-v7-zstd.dat');
  const damaged = (name: string, from: string, change: (bytes: Buffer) => Buffer | undefined): string => {
    const bytes = readFileSync(from);
    const path = join(made, name);
    writeFileSync(path, change(bytes) ?? bytes);
    return path;
  };

  test.skipIf(small === null || packed === null)('tells damage, and ends with 3; with 1 where nothing is left', () => {
    const cases: [path: string, status: number, section: RegExp][] = [
      [damaged('cut.dat', small as string, (bytes) => bytes.subarray(0, bytes.length - 20_000)), 3, /^cpu \d data$/],
      [
        damaged('zeros.dat', small as string, (bytes) => bytes.fill(0, bytes.length - 8192, bytes.length - 4096)),
        3,
        /^cpu 1 data$/,
      ],
      [damaged('symbols.dat', small as string, (bytes) => bytes.fill(0, 2_000_000, 2_000_100)), 3, /^kallsyms$/],
      [
        damaged('packed-cut.dat', packed as string, (bytes) => bytes.subarray(0, (bytes.length * 9) / 10)),
        3,
        /data$|options/,
      ],
      [damaged('head.dat', small as string, (bytes) => bytes.subarray(0, 300)), 1, /./],
      [damaged('none.dat', small as string, () => Buffer.from('not a trace')), 1, /./],
    ];
    for (const [path, status, section] of cases) {
      const found = remora(['check', path], cache.env);
      expect(`${path} ${found.status}`).toBe(`${path} ${status}`);
      expect(found.stdout + found.stderr).toContain(path);
      if (status !== 3) continue;
      const { ok, files } = remoraJson<CheckJson>(['check', path], cache.env);
      expect(ok).toBe(false);
      const problems = files[0]?.problems ?? [];
      expect(problems.some((problem) => section.test(problem.section))).toBe(true);
      for (const problem of problems) expect(problem.file).toBe(path);
    }
    // One that cannot be read does not keep the others from being checked.
    const both = remora(['check', join(made, 'none.dat'), small as string], cache.env);
    expect(both.status).toBe(1);
    expect(both.stdout).toContain('No damage.');
    expect(both.stderr).toContain('none.dat');
  });
});
