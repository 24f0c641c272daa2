import { CHART_SPEC_VERSION, type ChartSpec, type PanelSpec, type PlotPanelSpec, type SeriesSpec } from './chart.ts';
import { RemoraError } from './errors.ts';
import type { EventTypeInfo } from './model.ts';

/**
 * Charts in one click: the pictures that people who work on dirty-page throttling draw by hand, made of the events and
 * fields that a workspace has, under their old (`bdi_`) or new (`wb_`) names.
 */
export interface Preset {
  name: string;
  title: string;
  /** One line for lists. */
  description: string;
  panels(events: WorkspaceEvents): PanelSpec[];
}

/** What a preset may ask of a workspace. */
export interface WorkspaceEvents {
  /** `system:event.field` of the first of `fields` that `event` has as a number; null where it has none. */
  field(event: string, ...fields: string[]): string | null;
  /** True where `event` has a field of one of these names, of any kind. */
  has(event: string, ...fields: string[]): boolean;
}

const DIRTY = 'writeback:balance_dirty_pages';
const RATELIMIT = 'writeback:bdi_dirty_ratelimit';
const GLOBAL = 'writeback:global_dirty_state';

type Look = Partial<Omit<SeriesSpec, 'expr'>>;

const series = (expr: string | null, look: Look = {}): SeriesSpec[] =>
  expr === null
    ? []
    : [{ expr, groupBy: '', where: '', aggregate: 'last', style: 'step', axis: 'left', unit: '', ...look }];

/** A plot panel, or nothing where the workspace has none of its series. */
const plot = (title: string, all: SeriesSpec[], more: Partial<PlotPanelSpec> = {}): PanelSpec[] =>
  all.length === 0 ? [] : [{ kind: 'plot', title, series: all, scale: 'linear', ...more }];

/** Writeback state is kept per cgroup where the kernel says which, else per device. */
const byWriteback = (events: WorkspaceEvents, event: string): string =>
  events.has(event, 'cgroup_ino', 'cgroup') ? 'cgroup' : 'bdi';

function bandwidth(events: WorkspaceEvents): PanelSpec[] {
  const groupBy = byWriteback(events, RATELIMIT);
  const all = (...fields: string[]): SeriesSpec[] =>
    fields.flatMap((field) => series(events.field(RATELIMIT, field), { groupBy, unit: 'MB/s' }));
  return [
    ...plot(`Write bandwidth by ${groupBy}`, all('write_bw', 'avg_write_bw')),
    ...plot(`Rate limits by ${groupBy}`, all('dirty_ratelimit', 'balanced_dirty_ratelimit', 'task_ratelimit')),
  ];
}

function pages(events: WorkspaceEvents): PanelSpec[] {
  const groupBy = byWriteback(events, DIRTY);
  const all = (...fields: string[][]): SeriesSpec[] =>
    fields.flatMap((names) => series(events.field(DIRTY, ...names), { groupBy, unit: 'MB' }));
  return [
    ...plot(`Dirty memory against its limit by ${groupBy}`, all(['dirty'], ['setpoint'], ['limit'])),
    ...plot(
      `Dirty memory of the writeback context by ${groupBy}`,
      all(['wb_dirty', 'bdi_dirty'], ['wb_setpoint', 'bdi_setpoint']),
    ),
  ];
}

function pauses(events: WorkspaceEvents): PanelSpec[] {
  const points = (field: string, look: Look): SeriesSpec[] =>
    series(events.field(DIRTY, field), { style: 'points', ...look });
  return [
    ...plot(
      'Pauses and dirtied pages',
      [
        ...points('pause', { where: 'pause > 0' }),
        ...points('paused', { where: 'paused > 0' }),
        ...points('dirtied', { axis: 'right' }),
        ...points('dirtied_pause', { axis: 'right' }),
      ],
      { heightPx: 280 },
    ),
    ...plot(
      'Pauses by task',
      series(events.field(DIRTY, 'pause'), { groupBy: 'task', where: 'pause > 0', style: 'bars', aggregate: 'max' }),
    ),
  ];
}

/**
 * balance_dirty_pages() repeats `dirtied` in each round of its loop (`paused` > 0 from the second on), and keeps counting
 * where neither a pause nor a period was computed: what is left adds up to what the task dirtied.
 */
const COUNTED_ONCE = 'paused == 0 && (pause > 0 || period > 0)';

function dirtied(events: WorkspaceEvents): PanelSpec[] {
  const expr = events.has(DIRTY, 'period') && events.has(DIRTY, 'paused') ? events.field(DIRTY, 'dirtied') : null;
  return plot(
    'Dirtied between pauses by task',
    series(expr, { groupBy: 'task', where: COUNTED_ONCE, style: 'bars', aggregate: 'sum', unit: 'MB' }),
  );
}

function globalState(events: WorkspaceEvents): PanelSpec[] {
  const sizes = ['nr_dirty', 'nr_writeback', 'background_thresh', 'dirty_thresh', 'dirty_limit'];
  const rate = (field: string): string | null => {
    const found = events.field(GLOBAL, field);
    return found === null ? null : `rate(${found})`;
  };
  return [
    ...plot(
      'Dirty pages of the machine',
      sizes.flatMap((field) => series(events.field(GLOBAL, field), { unit: 'MB' })),
    ),
    ...plot(
      'Pages dirtied and written',
      ['nr_dirtied', 'nr_written'].flatMap((field) =>
        series(rate(field), { unit: 'MB/s', style: 'line', aggregate: 'mean' }),
      ),
    ),
  ];
}

function throttling(events: WorkspaceEvents): PanelSpec[] {
  const groupBy = byWriteback(events, DIRTY);
  const pause = series(events.field(DIRTY, 'pause'), { groupBy, where: 'pause > 0', style: 'bars', aggregate: 'max' });
  if (pause.length === 0) return [];
  return [
    { kind: 'lanes', by: 'episodes' },
    { kind: 'lanes', by: 'cpu' },
    ...plot(`Pauses by ${groupBy}`, pause),
    ...plot(
      `Dirty pages against their limit by ${groupBy}`,
      ['dirty', 'limit'].flatMap((field) => series(events.field(DIRTY, field), { groupBy })),
    ),
  ];
}

/** In the order in which a list should show them. */
export const presets: readonly Preset[] = [
  {
    name: 'throttling',
    title: 'Throttling',
    description: 'episodes per cgroup over the CPUs, pauses, dirty pages against their limit',
    panels: throttling,
  },
  {
    name: 'bandwidth',
    title: 'Write bandwidth and rate limits',
    description: 'write_bw, avg_write_bw; dirty, balanced and task rate limits in MB/s',
    panels: bandwidth,
  },
  {
    name: 'pages',
    title: 'Dirty memory',
    description: 'limit, setpoint, dirty, and those of the writeback context in MB',
    panels: pages,
  },
  {
    name: 'pauses',
    title: 'Pauses',
    description: 'pause and paused in ms with dirtied and dirtied_pause on a second axis; pauses by task',
    panels: pauses,
  },
  {
    name: 'dirtied',
    title: 'Dirtied by task',
    description: 'bytes that each task dirtied between its pauses, added up per pixel',
    panels: dirtied,
  },
  {
    name: 'global',
    title: 'Global dirty state',
    description: 'dirty, writeback, thresholds and limit in MB; dirtied and written in MB/s',
    panels: globalState,
  },
];

/** Panels that a preset has for a workspace; empty where its events were not recorded. */
export const presetPanels = (preset: Preset, eventTypes: readonly EventTypeInfo[]): PanelSpec[] =>
  preset.panels(workspaceEvents(eventTypes));

/**
 * The chart of a preset. Throws `not-found` where there is no preset of this name, or where the workspace has none of
 * its events.
 */
export function presetChart(name: string, eventTypes: readonly EventTypeInfo[]): ChartSpec {
  const preset = presets.find((candidate) => candidate.name === name);
  if (preset === undefined) {
    throw new RemoraError({
      code: 'bad-request',
      message: `There is no preset “${name}”; there are: ${presets.map((known) => known.name).join(', ')}`,
    });
  }
  const panels = presetPanels(preset, eventTypes);
  if (panels.length === 0)
    throw new RemoraError({
      code: 'not-found',
      message: `Nothing to show for the preset “${name}” (${preset.description}): its events were not recorded`,
    });
  return { version: CHART_SPEC_VERSION, title: preset.title, window: null, panels, annotations: true };
}

function workspaceEvents(eventTypes: readonly EventTypeInfo[]): WorkspaceEvents {
  const fieldsOf = (event: string) =>
    eventTypes
      .filter((type) => `${type.system}:${type.name}` === event && type.count > 0)
      .flatMap((type) => type.fields);
  return {
    has: (event, ...names) => fieldsOf(event).some((field) => names.includes(field.name)),
    field(event, ...names) {
      const numbers = new Set(
        fieldsOf(event)
          .filter((field) => field.kind === 'number')
          .map((field) => field.name),
      );
      const found = names.find((name) => numbers.has(name));
      return found === undefined ? null : `${event}.${found}`;
    },
  };
}
