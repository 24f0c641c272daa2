import { beforeEach, describe, expect, it } from 'vitest';
import {
  changeSeries,
  commonUnits,
  eventTypeOf,
  groupChoices,
  ownUnit,
  removeSeries,
} from '../../../renderer/plot/actions.ts';
import { withLooks } from '../../../renderer/plot/plot-data.ts';
import { plotsStore } from '../../../renderer/state/stores.ts';
import { type PlotPanelSpec, panelSchema, seriesSpecSchema } from '../../../shared/chart.ts';
import type { EventTypeInfo, FieldInfo, WorkspaceSummary } from '../../../shared/model.ts';

const field = (name: string, unit = '', kind: FieldInfo['kind'] = 'number', common = false): FieldInfo => ({
  name,
  declaration: 'unsigned long',
  kind,
  signed: false,
  bytes: 8,
  common,
  unit,
});
const type = (index: number, system: string, name: string, fields: FieldInfo[]): EventTypeInfo => ({
  type: index,
  system,
  name,
  id: index,
  count: 1,
  fields,
});
const bdp = type(0, 'writeback', 'balance_dirty_pages', [
  field('common_pid', '', 'number', true),
  field('bdi', '', 'text'),
  field('dirty', 'pages'),
  field('limit', 'pages'),
  field('pause', 'ms'),
  field('cgroup_ino'),
  field('blob', '', 'bytes'),
]);
const sw = type(1, 'sched', 'sched_switch', [field('prev_prio'), field('pid')]);
const summary = { eventTypes: [bdp, sw] } as unknown as WorkspaceSummary;
const series = (expr: string, more = {}) => seriesSpecSchema.parse({ expr, ...more });
const dirty = series('writeback:balance_dirty_pages.dirty');
const limit = series('writeback:balance_dirty_pages.limit');
const pause = series('writeback:balance_dirty_pages.pause');

describe('what the controls offer', () => {
  it('finds the event type of an expression, with or without its system', () => {
    expect(eventTypeOf('writeback:balance_dirty_pages.dirty / limit', summary)).toBe(bdp);
    expect(eventTypeOf('sched_switch.prev_prio', summary)).toBe(sw);
    expect(eventTypeOf('other:balance_dirty_pages.dirty', summary)).toBeNull();
    expect(eventTypeOf('dirty +', summary)).toBeNull();
  });

  it('knows the unit of an expression', () => {
    expect(ownUnit('writeback:balance_dirty_pages.dirty', summary)).toBe('pages');
    expect(ownUnit('writeback:balance_dirty_pages.dirty / limit', summary)).toBe('ratio');
    expect(ownUnit('sched:sched_switch.prev_prio', summary)).toBe('');
  });

  it('offers units that fit all series', () => {
    expect(commonUnits([dirty, limit], summary)).toContain('MiB');
    expect(commonUnits([pause], summary)).toContain('s');
    expect(commonUnits([dirty, pause], summary)).toEqual([]);
    expect(commonUnits([series('sched:sched_switch.prev_prio')], summary)).toEqual([]);
  });

  it('groups by cgroup, task, pid, CPU and the fields of the shared event, each once', () => {
    expect(groupChoices([dirty, limit], summary)).toEqual([
      'cgroup',
      'task',
      'pid',
      'cpu',
      'bdi',
      'dirty',
      'limit',
      'pause',
      'cgroup_ino',
    ]);
    expect(groupChoices([series('sched:sched_switch.prev_prio')], summary)).toEqual([
      'task',
      'pid',
      'cpu',
      'prev_prio',
    ]);
    expect(groupChoices([dirty, series('sched:sched_switch.prev_prio')], summary)).toEqual(['task', 'pid', 'cpu']);
  });
});

describe('what the controls change', () => {
  const plot = { key: 'a', spec: panelSchema.parse({ kind: 'plot', series: [dirty, limit] }) as PlotPanelSpec };
  const other = { key: 'b', spec: panelSchema.parse({ kind: 'plot', series: [pause] }) as PlotPanelSpec };
  beforeEach(() => plotsStore.setState({ plots: [plot, other] }));
  const specs = () => plotsStore.getState().plots.map(({ spec }) => spec.series);

  it('is one plot alone, all of its series', () => {
    changeSeries(plot, { groupBy: 'cgroup' });
    expect(specs()).toEqual([
      [
        { ...dirty, groupBy: 'cgroup' },
        { ...limit, groupBy: 'cgroup' },
      ],
      [pause],
    ]);
  });

  it('takes the plot away with its last series', () => {
    removeSeries(plot, 0);
    expect(specs()).toEqual([[limit], [pause]]);
    removeSeries(other, 0);
    expect(specs()).toEqual([[limit]]);
  });
});

it('results take the looks that their series have now, and no others', () => {
  const result = (spec: typeof dirty) => ({
    spec,
    fromNs: 0,
    toNs: 1,
    binNs: 1,
    unit: '',
    lines: [],
    moreGroups: 0,
    outliers: 0,
  });
  const [a, b] = withLooks(
    [result(dirty), result(limit)],
    [
      { ...dirty, style: 'bars' },
      { ...limit, where: 'pid == 1', style: 'points' },
    ],
  );
  expect(a.spec.style).toBe('bars');
  expect(b.spec.style).toBe('step'); // another filter is another series: its data is still on its way
});
