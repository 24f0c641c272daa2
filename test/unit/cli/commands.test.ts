import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Annotation } from '../../../shared/model.ts';
import { writeLargeRecording } from '../../build/large.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';
import { projectRoot } from '../../cli.ts';

/** The command line from its sources, as users start it: arguments in; output, errors and exit code out. */
const sample = join(projectRoot, 'assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-cli-'));
const cache = join(folder, 'cache');
/** Another recording: the same file named twice is one. */
const second = join(folder, 'second.dat');
copyFileSync(sample, second);
afterAll(() => rmSync(folder, { recursive: true }));

interface Ended {
  code: number | null;
  out: string;
  err: string;
}

const run = (...args: string[]): Promise<Ended> => start({}, ...args).ended;

/** `variables`: of the environment. */
function start(variables: Record<string, string>, ...args: string[]): { child: ChildProcess; ended: Promise<Ended> } {
  // Says so on stderr where the process is ended before it ends by itself, which may take for ever: see runCommandLine.
  const env = { ...process.env, ...variables, REMORA_CACHE: cache, NODE_OPTIONS: '--trace-exit' };
  const child = spawn(process.execPath, [join(projectRoot, 'electron/cli.ts'), ...args], {
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
  const closed = new Promise<Ended>((resolve, reject) =>
    child.once('close', (code) => {
      if (ended.err.includes('Exited the environment')) reject(new Error(`process.exit was called: ${ended.err}`));
      else resolve({ ...ended, code });
    }),
  );
  return { child, ended: closed };
}

async function json<T>(...args: string[]): Promise<T> {
  const { code, out, err } = await run(...args, '--json');
  if (code !== 0) throw new Error(`exit ${code}: ${err}`);
  return JSON.parse(out) as T;
}

/** A file of the test's folder. */
function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}

describe('wrong usage ends with 2 and says what to do', () => {
  it.each([
    ['no command', []],
    ['an unknown command', ['fly']],
    ['no file', ['info']],
    ['an unknown option', ['info', sample, '--flie']],
    ['a number that is none', ['episodes', sample, '--gap', 'long']],
    ['an unknown choice', ['episodes', sample, '--by', 'moon']],
    ['a time that is none', ['series', sample, '--plot', 'sched:sched_switch.prev_prio', '--from', 'noon']],
    ['a plot that does not parse', ['series', sample, '--plot', 'writeback:balance_dirty_pages.dirty of cgroup']],
    ['a field that is not there', ['series', sample, '--plot', 'writeback:balance_dirty_pages.dirtiest']],
    ['a chart without content', ['chart', sample, '-o', join(folder, 'x.svg')]],
    ['a chart without a place', ['chart', sample, '--episodes']],
    ['a chart of unknown kind', ['chart', sample, '--episodes', '-o', join(folder, 'x.bmp')]],
    ['a preset that is none', ['chart', sample, '--preset', 'throttle', '-o', join(folder, 'x.svg')]],
    ['a filter for lanes', ['chart', sample, '--episodes', '--filter', 'pid == 1', '-o', join(folder, 'x.svg')]],
    ['lanes of the idle task', ['chart', sample, '--lanes', 'task:0', '-o', join(folder, 'x.svg')]],
    ['two recordings to report', ['report', sample, second]],
  ])('%s', async (_name, args) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).not.toBe('');
    expect(err).not.toMatch(/\n\s+at /);
  });

  it('help and version are no error', async () => {
    expect(await run('--help')).toMatchObject({ code: 0, out: expect.stringContaining('episodes') });
    expect(await run('--version')).toMatchObject({ code: 0, out: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) });
  });
});

describe('input that cannot be read ends with 1, on one line, and leaves nothing', () => {
  const head = readFileSync(sample).subarray(0, 12);
  it.each([
    ['a file that is not there', join(folder, 'nothing.dat')],
    ['a folder', projectRoot],
    ['an empty file', file('empty.dat', '')],
    ['no trace', file('note.dat', 'hello')],
    ['a version that does not exist', file('v99.dat', Buffer.concat([head.subarray(0, 10), Buffer.from('99\0\0')]))],
    ['garbage behind the head', file('garbage.dat', Buffer.concat([head, Buffer.alloc(5000, 0xa5)]))],
  ])('%s', async (_name, path) => {
    const own = mkdtempSync(join(folder, 'own-cache-'));
    const { code, out, err } = await run('info', path, '--workspace', join(own, 'x.remora'));
    expect([code, out]).toEqual([1, '']);
    expect(err.trimEnd().split('\n')).toEqual([expect.stringContaining(path)]);
    expect(readdirSync(own)).toEqual([]);
  });
});

describe('Ctrl+C', () => {
  it('ends indexing with 130, leaves nothing of it, and the next run has all', async () => {
    const large = join(folder, 'large.dat');
    const events = writeLargeRecording(large, 6_000_000);
    const own = mkdtempSync(join(folder, 'own-cache-'));
    const workspace = join(own, 'x.remora');
    const { child, ended } = start({}, 'info', large, '--workspace', workspace);
    while (child.exitCode === null && !existsSync(workspace)) await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    expect(await ended).toEqual({ code: 130, out: '', err: '' });
    expect(readdirSync(own)).toEqual([]);
    const { streams } = await json<{ streams: { events: number }[] }>('info', large, '--workspace', workspace);
    expect(streams.map((stream) => stream.events)).toEqual([events]);
  });
});

describe('info', () => {
  it('tells of options that nobody knows', async () => {
    const abi = { littleEndian: true, longBytes: 8, subBufferBytes: 1024 } as const;
    const buffers = [{ name: '', clock: 'local', cpus: [[]] }];
    const options = [{ id: 777, data: Buffer.from('vendor\x01') }];
    const empty = { formats: [], comms: [], uname: '', kallsyms: '', printkFormats: '' };
    const path = file(
      'vendor.dat',
      buildTraceDat({ version: 7, compression: 'none', abi, buffers, options, ...empty }),
    );
    const { out } = await run('info', path);
    expect(out).toMatch(/option 777, unknown: 7 bytes at \d+: 76656e646f7201/);
    const { recording } = await json<{ recording: { options: unknown[] } }>('info', path);
    expect(recording.options).toContainEqual(expect.objectContaining({ id: 777, name: 'unknown-777', bytes: 7 }));
  });
  interface Info {
    recording: Record<string, unknown>;
    streams: {
      name: string;
      cpus: number[];
      events: number;
      originNs: string;
      durationNs: number;
      eventTypes: { count: number }[];
    }[];
    tasks: { pid: number; tgid: number; comm: string; events: number }[];
    cgroups: { ino: string; path: string }[];
    warnings: unknown[];
    selected?: { events: number };
  }

  it('prints the document of the command line', async () => {
    const { recording, streams, tasks, cgroups, warnings } = await json<Info>('info', sample);
    expect(recording).toMatchObject({
      path: sample,
      format: 'trace.dat',
      version: 7,
      compression: 'zstd',
      byteOrder: 'little',
      longBytes: 8,
    });
    const [stream] = streams;
    expect(stream).toMatchObject({
      name: '',
      cpus: [0, 1],
      originNs: expect.stringMatching(/^\d+$/),
      durationNs: expect.any(Number),
    });
    expect(stream?.eventTypes.reduce((sum, { count }) => sum + count, 0)).toBe(stream?.events);
    expect(tasks.reduce((sum, { events }) => sum + events, 0)).toBe(stream?.events);
    expect(cgroups).toContainEqual({ ino: '61', path: 'db' });
    expect(warnings).toEqual([]);
  });

  it('counts what a filter and a window let through', async () => {
    const { selected, streams } = await json<Info>('info', sample, '--filter', 'cpu == 0');
    const { selected: other } = await json<Info>('info', sample, '--filter', 'cpu == 1');
    expect((selected?.events ?? 0) + (other?.events ?? 0)).toBe(streams[0]?.events);
    const [early, late] = await Promise.all([
      json<Info>('info', sample, '--to', '+5s'),
      json<Info>('info', sample, '--from', '+5000000001ns'),
    ]);
    expect((early.selected?.events ?? 0) + (late.selected?.events ?? 0)).toBe(streams[0]?.events);
  });

  it('reads a workspace in place of its recording', async () => {
    const workspace = join(folder, 'kept.remora');
    const direct = await json<Info>('info', sample, '--workspace', workspace);
    expect(await json<Info>('info', workspace)).toEqual(direct);
  });
});

describe('series', () => {
  interface Line {
    group: string;
    unit: string;
    originNs: string;
    samples: [number, number][];
    bins: { t0: number; t1: number; min: number; max: number; mean: number; last: number; count: number }[];
  }
  const plot = ['--plot', 'writeback:balance_dirty_pages.pause by cgroup where pause > 0'];

  it('has the same samples raw and in bins', async () => {
    const { series } = await json<{ series: Line[] }>('series', sample, ...plot);
    const { series: binned } = await json<{ series: Line[] }>('series', sample, ...plot, '--bins', '7');
    expect(series.map(({ group }) => group).sort()).toEqual(['backup', 'db', 'web']);
    for (const [i, line] of series.entries()) {
      const bins = binned[i]?.bins ?? [];
      expect(bins.reduce((sum, { count }) => sum + count, 0)).toBe(line.samples.length);
      for (const { t0, t1, min, max, count } of bins) {
        const inside = line.samples
          .filter(([t]) => t >= t0 && t < t1 + (t1 === bins.at(-1)?.t1 ? 1 : 0))
          .map(([, value]) => value);
        expect([inside.length, Math.min(...inside), Math.max(...inside)]).toEqual([count, min, max]);
      }
    }
  });

  it('cuts at the window and narrows by the filter', async () => {
    const all = (await json<{ series: Line[] }>('series', sample, ...plot)).series.flatMap(({ samples }) => samples);
    const { series } = await json<{ series: Line[] }>('series', sample, ...plot, '--from', '+4s', '--to', '+5s');
    const wanted = all.filter(([t]) => t >= 4e9 && t <= 5e9);
    expect(series.flatMap(({ samples }) => samples)).toEqual(wanted);
    expect(wanted.length).toBeGreaterThan(10);
    const { series: long } = await json<{ series: Line[] }>('series', sample, ...plot, '--filter', 'pause >= 50');
    expect(long.flatMap(({ samples }) => samples)).toEqual(all.filter(([, pause]) => pause >= 50));
  });

  it('prints as many samples as there are, however little memory there is for them', async () => {
    const large = join(folder, 'large.dat');
    writeLargeRecording(large, 150_000);
    for (const spec of ['delta(sample:tick.value)', 'sample:tick.value by task where value < 40']) {
      const asked = ['series', large, '--plot', spec];
      const much = await run(...asked);
      const little = await start({ REMORA_MEMORY_MIB: '0.1' }, ...asked).ended;
      expect(much.out.split('\n').length).toBeGreaterThan(5000);
      expect(little).toEqual(much);
      expect(await start({ REMORA_MEMORY_MIB: '0.1' }, ...asked, '--json').ended).toEqual(
        await run(...asked, '--json'),
      );
    }
  }, 60_000);

  it('prints CSV without --json', async () => {
    const { out } = await run('series', sample, ...plot);
    const lines = out.trimEnd().split('\n');
    expect(lines[0]).toBe('expr,group,unit,t_ns,value');
    const { series } = await json<{ series: Line[] }>('series', sample, ...plot);
    expect(lines.length - 1).toBe(series.reduce((sum, { samples }) => sum + samples.length, 0));
  });
});

describe('episodes', () => {
  interface Episodes {
    episodes: {
      id: number;
      startNs: number;
      endNs: number;
      cgroup: { path: string };
      task: { pid: number };
      pauses: number;
      pauseMs: number;
    }[];
    totals: { key: string; episodes: number; pauses: number; pauseMs: number }[];
  }
  const sum = (numbers: number[]): number => numbers.reduce((total, n) => total + n, 0);

  it.each(['cgroup', 'task', 'bdi', 'none'])('totals by %s add up to the episodes', async (by) => {
    const { episodes, totals } = await json<Episodes>('episodes', sample, '--by', by);
    expect(episodes.length).toBeGreaterThan(0);
    expect(sum(totals.map((total) => total.episodes))).toBe(episodes.length);
    expect(sum(totals.map(({ pauses }) => pauses))).toBe(sum(episodes.map(({ pauses }) => pauses)));
    expect(sum(totals.map(({ pauseMs }) => pauseMs))).toBe(sum(episodes.map(({ pauseMs }) => pauseMs)));
  });

  it('of a window are those that touch it', async () => {
    const { episodes: all } = await json<Episodes>('episodes', sample);
    const { episodes, totals } = await json<Episodes>('episodes', sample, '--from', '+1s', '--to', '+3.5s');
    expect(episodes).toEqual(all.filter(({ startNs, endNs }) => endNs >= 1e9 && startNs <= 3.5e9));
    expect(episodes.length).toBeLessThan(all.length);
    expect(sum(totals.map((total) => total.episodes))).toBe(episodes.length);
  });

  it('of filtered events are made of those alone', async () => {
    const { episodes: all, totals: allTotals } = await json<Episodes>('episodes', sample);
    const { cgroup, task } = all[0];
    const ofCgroup = await json<Episodes>('episodes', sample, '--filter', `cgroup == "${cgroup.path}"`);
    const sameCgroup = all.filter((episode) => episode.cgroup.path === cgroup.path);
    expect(ofCgroup.episodes).toEqual(sameCgroup.map((episode, id) => ({ ...episode, id })));
    expect(ofCgroup.totals).toEqual(allTotals.filter(({ key }) => key === cgroup.path));
    const ofTask = await json<Episodes>('episodes', sample, '--filter', `pid == ${task.pid}`);
    expect(ofTask.episodes.map(({ id, ...rest }) => rest)).toEqual(
      all.filter((episode) => episode.task.pid === task.pid).map(({ id, ...rest }) => rest),
    );
    expect(await json<Episodes>('episodes', sample, '--filter', 'pause > 100000')).toMatchObject({ episodes: [] });
  });

  it('CSV has a line for each', async () => {
    const { out } = await run('episodes', sample, '--csv');
    const { episodes } = await json<Episodes>('episodes', sample);
    expect(out.trimEnd().split('\n').length - 1).toBe(episodes.length);
  });
});

describe('chart', () => {
  const panels = ['--episodes', '--lanes', 'cpu', '--plot', 'writeback:balance_dirty_pages.dirty by cgroup'];

  it('draws SVG and PNG of the size asked for', async () => {
    const [svg, png] = [join(folder, 'chart.svg'), join(folder, 'chart.PNG')];
    expect(
      (await run('chart', sample, ...panels, '-o', svg, '--title', 'Dirty & <paused>', '--size', '1000x700')).code,
    ).toBe(0);
    const text = readFileSync(svg, 'utf8');
    expect(text).toMatch(/^<svg[^>]* width="1000"[^>]* height="700"/);
    expect(text).toContain('Dirty &amp; &lt;paused&gt;');
    expect((await run('chart', sample, ...panels, '-o', png, '--size', '1000x700')).code).toBe(0);
    const bytes = readFileSync(png);
    expect([bytes.subarray(1, 4).toString(), bytes.readUInt32BE(16), bytes.readUInt32BE(20)]).toEqual([
      'PNG',
      1000,
      700,
    ]);
  });

  it('draws lanes of the tasks that ran longest, or of those named', async () => {
    const out = join(folder, 'tasks.svg');
    expect((await run('chart', sample, '--lanes', 'cpu,task', '-o', out)).code).toBe(0);
    const longest = readFileSync(out, 'utf8');
    expect(longest).toContain('<title>dd-200</title>');
    expect(longest).not.toContain('<title>&lt;idle&gt;-0</title>');
    expect((await run('chart', sample, '--lanes', 'task:bash,task:15', '-o', out)).code).toBe(0);
    const named = [...readFileSync(out, 'utf8').matchAll(/<title>([^<]*-\d+)<\/title>/g)].map(([, title]) => title);
    expect(named).toEqual(['bash-188', 'rcu_preempt-15']);
    const { code, err } = await run('chart', sample, '--lanes', 'task:nobody', '-o', out);
    expect([code, err.trimEnd().split('\n').at(-1)]).toEqual([
      1,
      expect.stringContaining('no task is called “nobody”'),
    ]);
  });

  it('draws the notes of a file, and keeps them out of the workspace', async () => {
    const note: Annotation = {
      id: 'n',
      kind: 'point',
      fromNs: 5e9,
      toNs: 5e9,
      text: 'the disk filled up',
      color: 'note-1',
      tags: [],
    };
    const notes = file('notes.json', JSON.stringify([note]));
    const out = join(folder, 'notes.svg');
    expect((await run('chart', sample, ...panels, '-o', out, '--annotations', notes)).code).toBe(0);
    expect(readFileSync(out, 'utf8')).toContain('the disk filled up');
    expect((await run('chart', sample, ...panels, '-o', out)).code).toBe(0);
    expect(readFileSync(out, 'utf8')).not.toContain('the disk filled up');
  });

  it('draws presets that it lists, and a spec', async () => {
    const { out } = await run('chart', '--list');
    const names = out
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line) => line.split(' ')[0] as string);
    expect(names).toEqual(expect.arrayContaining(['bandwidth', 'pages', 'pauses', 'dirtied', 'global']));
    const target = join(folder, 'preset.svg');
    for (const name of ['bandwidth', 'dirtied'])
      expect(await run('chart', sample, '--preset', name, '-o', target, '--quiet')).toMatchObject({ code: 0, err: '' });
    const { spec } = await json<{ spec: unknown }>('chart', sample, '--preset', 'pages', '-o', target);
    const preset = readFileSync(target, 'utf8');
    expect((await run('chart', sample, '--spec', file('spec.json', JSON.stringify(spec)), '-o', target)).code).toBe(0);
    expect(readFileSync(target, 'utf8')).toBe(preset);
  });

  it('leaves no half of a file where it cannot write', async () => {
    const { code, err } = await run('chart', sample, ...panels, '-o', join(folder, 'missing', 'x.svg'));
    expect(code).toBe(1);
    expect(err.trim()).toMatch(/missing\/x\.svg cannot be written: there is no folder \S+\/missing\.$/);
  });

  it('filters the events of every plot', async () => {
    const target = join(folder, 'filtered.svg');
    const args = ['chart', sample, '--preset', 'pages', '--plot', 'sched_switch.prev_prio where prev_prio < 100'];
    const { spec } = await json<{ spec: { panels: { series?: { where: string }[] }[] } }>(
      ...[...args, '--filter', 'cpu == 1', '-o', target],
    );
    const filters = spec.panels.flatMap(({ series = [] }) => series.map(({ where }) => where));
    expect(filters.length).toBeGreaterThan(1);
    expect(new Set(filters)).toEqual(new Set(['cpu == 1', 'prev_prio < 100 && cpu == 1']));
  });
});

describe('report', () => {
  it('is the same with a filter that lets everything through, and shorter with another', async () => {
    const { out: all } = await run('report', sample);
    expect((await run('report', sample, '-F', 'cpu >= 0')).out).toBe(all);
    const [header, ...lines] = all.trimEnd().split('\n');
    const wanted = [header, ...lines.filter((line) => / sched_switch: /.test(line) && line.includes('[001]'))];
    expect((await run('report', sample, '-F', 'sched/sched_switch', '--cpu', '1')).out).toBe(`${wanted.join('\n')}\n`);
  });

  it('has the same lines as JSON', async () => {
    const { out } = await run('report', sample);
    expect(await json('report', sample)).toEqual({ lines: out.trimEnd().split('\n') });
    const { out: none } = await run('report', sample, '--filter', 'cpu == 77');
    expect(await json('report', sample, '--filter', 'cpu == 77')).toEqual({ lines: [none.trimEnd()] });
  });
});

describe('a closed pipe', () => {
  it('is no error', async () => {
    const child = spawn(process.execPath, [join(projectRoot, 'electron/cli.ts'), 'report', sample], {
      env: { ...process.env, REMORA_CACHE: cache },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint += text;
    });
    child.stdout.once('data', () => child.stdout.destroy());
    const code = await new Promise((resolve) => child.once('close', resolve));
    expect([code, complaint]).toEqual([0, '']);
  });
});

describe('what cannot be meant', () => {
  it.each([
    ['info', sample, '--filter', 'balance_dirty_page: pause > 0'],
    ['report', sample, '-F', 'balance_dirty_page'],
    ['series', sample, '--plot', 'balance_dirty_pages.pause', '--filter', 'writeback:balance_dirty_page'],
    ['episodes', sample, '--filter', 'balance_dirty_page'],
  ])('a filter that names no event of the recording: %s', async (...args) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toContain('no event “balance_dirty_page”: did you mean writeback:balance_dirty_pages');
  });

  it('is told apart from an event that did not happen', async () => {
    // Its format is in the recording, and no such event.
    const { code, out } = await run('info', sample, '--filter', 'balance_dirty_pages: pause > 123456', '--quiet');
    expect(code).toBe(0);
    expect(out).toContain('Selected: 0 events');
  });

  it.each([['serve'], ['open']])('how files are opened, without any: %s', async (command) => {
    const { code, err } = await run(command, '--page-bytes', '65536');
    expect(code).toBe(2);
    expect(err).toContain('name one');
  });
});
