import { describe, expect, it } from 'vitest';
import { chartFileName, chartOfWindow } from '../../../renderer/panels/chart-of-window.ts';
import { sortEpisodes } from '../../../renderer/panels/episode-columns.ts';
import { parseView } from '../../../renderer/state/view-memory.ts';
import { chartSpecSchema, seriesSpecSchema } from '../../../shared/chart.ts';
import type { Episode } from '../../../shared/model.ts';

const episode = (id: number, part: Partial<Episode>): Episode => ({
  id,
  stream: 0,
  cgroup: { ino: '7', path: 'web' },
  bdi: '8:0',
  task: { pid: 100 + id, comm: 'dd' },
  fromNs: id * 1000,
  toNs: id * 1000 + 500,
  events: 1,
  pauses: 1,
  pauseMs: 1,
  maxPauseMs: 1,
  sleptMs: null,
  minTaskRatelimitKiBps: 0,
  maxDirtyOverLimit: 0,
  domain: 'memcg',
  cause: '',
  ...part,
});
const ids = (episodes: Episode[]) => episodes.map(({ id }) => id);

describe('episode table', () => {
  const episodes = [
    episode(1, { pauseMs: 30, sleptMs: 2, cgroup: { ino: '9', path: 'web' } }),
    episode(2, { pauseMs: 200, cgroup: { ino: '8', path: 'backup' } }),
    episode(3, { pauseMs: 30, sleptMs: 0, cgroup: { ino: '5', path: '' } }),
  ];

  it('sorts numbers as numbers, ties in order of time', () => {
    expect(ids(sortEpisodes(episodes, { column: 'pauseMs', descending: false }))).toEqual([1, 3, 2]);
    expect(ids(sortEpisodes(episodes, { column: 'pauseMs', descending: true }))).toEqual([2, 1, 3]);
  });

  it('puts what is not known before every number', () => {
    expect(ids(sortEpisodes(episodes, { column: 'sleptMs', descending: false }))).toEqual([2, 3, 1]);
  });

  it('sorts cgroups by what they are called', () => {
    expect(ids(sortEpisodes(episodes, { column: 'cgroup', descending: false }))).toEqual([2, 3, 1]);
  });
});

describe('chart of the window', () => {
  const series = seriesSpecSchema.parse({ expr: 'writeback:balance_dirty_pages.dirty', groupBy: 'cgroup' });
  const plot = { key: 'a', spec: { kind: 'plot' as const, title: '', series: [series], scale: 'linear' as const } };

  it('holds the visible time and everything that is on screen, and is a valid chart spec', () => {
    const spec = chartOfWindow({
      title: 'sample',
      viewport: { fromNs: 5, toNs: 10 },
      hasCpus: true,
      hasEpisodes: true,
      tasks: [{ stream: 0, pid: 200, comm: 'dd' }],
      plots: [plot],
    });
    expect(chartSpecSchema.parse(spec)).toEqual(spec);
    expect(spec.window).toEqual({ fromNs: 5, toNs: 10 });
    expect(spec.panels).toEqual([
      { kind: 'lanes', by: 'episodes' },
      { kind: 'lanes', by: 'cpu' },
      { kind: 'lanes', by: 'task', tasks: [{ stream: 0, pid: 200 }] },
      plot.spec,
    ]);
    expect(spec.annotations).toBe(true);
  });

  it('is saved under a name that every file system takes', () => {
    expect(chartFileName('../etc/pass wd: "a"', 'svg')).toBe('etc-pass-wd-a.svg');
    expect(chartFileName('web & db · 1.5 s', 'png')).toBe('web-db-1.5-s.png');
    expect(chartFileName('…', 'png')).toBe('chart.png');
  });
});

describe('view kept in a workspace', () => {
  const view = { version: 1, viewport: { fromNs: 0, toNs: 9 }, plots: [], markers: { a: null, b: 3 }, tableFilter: '' };

  it('is read back', () => {
    expect(parseView(JSON.stringify(view))).toEqual(view);
    const withTasks = { ...view, tasks: [{ stream: 0, pid: 200, comm: 'dd' }] };
    expect(parseView(JSON.stringify(withTasks))).toEqual(withTasks);
  });

  it('is left out when it does not fit', () => {
    for (const json of [
      '',
      '{',
      'null',
      '[]',
      JSON.stringify({ ...view, version: 2 }),
      JSON.stringify({ ...view, viewport: { fromNs: 9, toNs: 9 } }),
      JSON.stringify({ ...view, plots: [{ kind: 'plot', series: [] }] }),
    ]) {
      expect(parseView(json)).toBeNull();
    }
  });
});
