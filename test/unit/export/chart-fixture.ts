import type { Engine, SeriesLine, SeriesResult } from '../../../shared/api.ts';
import { type ChartSpec, chartSpecSchema, type SeriesSpec } from '../../../shared/chart.ts';
import type { Annotation, Episode, WorkspaceSummary } from '../../../shared/model.ts';

/** A workspace of one second that two cgroups write in, as the engine would answer for it. Times in ms below. */
const ms = (value: number): number => value * 1e6;

export const summary: WorkspaceSummary = {
  workspaceId: 'w1',
  workspacePath: '',
  recordings: [
    {
      path: '/traces/writers.dat',
      bytes: 4096,
      format: 'trace.dat',
      version: 6,
      compression: 'none',
      byteOrder: 'little',
      longBytes: 8,
      pageBytes: 4096,
      uname: '',
      options: [],
    },
  ],
  streams: [
    {
      index: 0,
      recording: 0,
      name: '',
      clock: 'local',
      timeUnit: 'ns',
      cpus: [0, 1],
      events: 8,
      lost: 3,
      gaps: 0,
      originNs: '55008142000',
      fromNs: 0,
      toNs: ms(1000),
      eventTypes: [],
    },
  ],
  eventTypes: [],
  tasks: [],
  cgroups: [],
  warnings: [],
  originNs: '55008142000',
  durationNs: ms(1000),
  events: 12345,
  reopened: false,
};

export const notes: Annotation[] = [
  { id: 'n1', kind: 'range', fromNs: ms(200), toNs: ms(600), text: 'web is throttled', color: 'note-2', tags: [] },
  {
    id: 'n2',
    kind: 'point',
    fromNs: ms(950),
    toNs: ms(950),
    text: 'the backup ends\n& dirty falls <fast>',
    color: 'note-1',
    tags: [],
  },
];

const episode = (id: number, path: string, fromMs: number, toMs: number, pauseMs: number): Episode => ({
  id,
  stream: 0,
  cgroup: { ino: String(40 + id), path },
  bdi: '8:0',
  task: { pid: 100 + id, comm: 'dd' },
  fromNs: ms(fromMs),
  toNs: ms(toMs),
  events: 3,
  pauses: 3,
  pauseMs,
  maxPauseMs: 80,
  sleptMs: null,
  minTaskRatelimitKiBps: 12,
  maxDirtyOverLimit: 0.9,
  domain: 'memcg',
  cause: '',
});

const episodes = [
  episode(1, 'backup', 100, 300, 40),
  episode(2, 'web', 250, 620, 340),
  episode(3, 'backup', 800, 900, 90),
];

const samples: Record<string, [group: string, points: [ms: number, value: number][]][]> = {
  dirty: [
    [
      'backup',
      [
        [50, 1200],
        [120, 3400],
        [300, 5000],
        [640, 4100],
        [980, 600],
      ],
    ],
    [
      'web',
      [
        [200, 90],
        [250, 800],
        [610, 760],
      ],
    ],
  ],
  limit: [
    [
      'backup',
      [
        [50, 19869],
        [980, 19800],
      ],
    ],
    [
      'web',
      [
        [200, 19860],
        [610, 19850],
      ],
    ],
  ],
  pause: [
    [
      '',
      [
        [110, 40],
        [260, 80],
        [340, -12],
        [520, 80],
        [810, 28],
      ],
    ],
  ],
  rate: [
    [
      '',
      [
        [50, 100],
        [200, 95_000],
        [400, 0],
        [600, 12],
        [990, 3_000],
      ],
    ],
  ],
};

const units: Record<string, string> = { dirty: 'pages', limit: 'pages', pause: 'ms', rate: 'KiB/s' };

function seriesResult(spec: SeriesSpec, fromNs: number, toNs: number): SeriesResult {
  const field = spec.expr.split('.')[1];
  const lines = (samples[field] ?? []).map(([group, points]): SeriesLine => {
    const n = points.length;
    return {
      group,
      key: spec.groupBy === '' ? '' : `${spec.groupBy}:${group}`,
      samples: n,
      mode: 'raw',
      tNs: Float64Array.from(points, ([at]) => ms(at)),
      value: Float64Array.from(points, ([, value]) => value),
      event: { stream: new Uint16Array(n), cpu: new Uint16Array(n), index: new Float64Array(n) },
    };
  });
  return {
    spec,
    fromNs,
    toNs,
    binNs: ms(1),
    unit: units[field] ?? '',
    lines,
    moreGroups: 0,
    outliers: field === 'dirty' ? 2 : 0,
  };
}

/** Answers what a chart asks for; every request is kept in `asked`. */
export function chartEngine(annotations: Annotation[] = notes): {
  call: Engine['call'];
  asked: [method: string, params: unknown][];
} {
  const asked: [string, unknown][] = [];
  const answer = (method: string, params: Record<string, unknown>): unknown => {
    asked.push([method, params]);
    const [fromNs, toNs] = [params.fromNs as number, params.toNs as number];
    if (method === 'series') return seriesResult(params.spec as SeriesSpec, fromNs, toNs);
    if (method === 'episodes') return { episodes, totals: [], findings: [] };
    if (method === 'annotations') return annotations;
    if (method !== 'lanes') throw new Error(`unexpected ${method}`);
    return {
      fromNs,
      toNs,
      resolutionNs: ms(20),
      comms: { 101: 'dd', 102: 'postgres' },
      lanes: [
        {
          stream: 0,
          cpu: 0,
          slices: {
            fromNs: Float64Array.of(ms(100), ms(400)),
            toNs: Float64Array.of(ms(380), ms(420)),
            pid: Int32Array.of(101, 102),
            merged: Uint8Array.of(0, 1),
            busy: Float32Array.of(1, 0.5),
          },
          density: Uint32Array.from({ length: 50 }, (_, bucket) => bucket % 7),
          lost: [{ atNs: ms(700), count: 3 }],
        },
        {
          stream: 0,
          cpu: 1,
          slices: null,
          density: Uint32Array.from({ length: 50 }, (_, bucket) => (bucket * bucket) % 5),
          lost: [],
        },
      ],
    };
  };
  return {
    call: (async (method: string, params: Record<string, unknown>) => answer(method, params)) as Engine['call'],
    asked,
  };
}

const event = 'writeback:balance_dirty_pages';

/** One panel of each kind, both axes, both scales. */
export const everyPanel: ChartSpec = chartSpecSchema.parse({
  version: 1,
  panels: [
    { kind: 'lanes', by: 'episodes' },
    { kind: 'lanes', by: 'cpu' },
    {
      kind: 'plot',
      series: [
        { expr: `${event}.dirty`, groupBy: 'cgroup' },
        { expr: `${event}.limit`, groupBy: 'cgroup' },
      ],
    },
    { kind: 'plot', title: 'Pauses', series: [{ expr: `${event}.pause`, style: 'bars' }] },
    {
      kind: 'plot',
      scale: 'log',
      series: [
        { expr: `${event}.rate`, style: 'line' },
        { expr: `${event}.pause`, style: 'points', axis: 'right' },
      ],
    },
  ],
});
