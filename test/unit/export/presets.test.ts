import { describe, expect, test } from 'vitest';
import { chartSpecSchema, type PanelSpec } from '../../../shared/chart.ts';
import { parseExpression } from '../../../shared/expression/parse.ts';
import type { EventTypeInfo } from '../../../shared/model.ts';
import { presetChart, presetPanels, presets } from '../../../shared/presets.ts';

const eventType = (event: string, fields: string, count = 1): EventTypeInfo => ({
  type: 0,
  system: event.split(':')[0],
  name: event.split(':')[1],
  id: 1,
  count,
  fields: fields.split(' ').map((name) => ({
    name,
    declaration: name === 'bdi' ? 'char bdi[32]' : 'unsigned long',
    kind: name === 'bdi' ? 'text' : 'number',
    signed: false,
    bytes: 8,
    common: false,
    unit: '',
  })),
});

const common =
  'bdi limit setpoint dirty dirty_ratelimit task_ratelimit dirtied dirtied_pause paused pause period think';
const old = [
  eventType('writeback:balance_dirty_pages', `${common} bdi_setpoint bdi_dirty`),
  eventType(
    'writeback:bdi_dirty_ratelimit',
    'bdi write_bw avg_write_bw dirty_rate dirty_ratelimit task_ratelimit balanced_dirty_ratelimit',
  ),
  eventType(
    'writeback:global_dirty_state',
    'nr_dirty nr_writeback nr_unstable background_thresh dirty_thresh dirty_limit nr_dirtied nr_written',
  ),
];
const recent = [eventType('writeback:balance_dirty_pages', `${common} wb_setpoint wb_dirty cgroup_ino`)];

const expressions = (panels: PanelSpec[]): string[] =>
  panels.flatMap((panel) => (panel.kind === 'plot' ? panel.series.map((series) => series.expr) : []));

describe.each(presets)('preset $name', (preset) => {
  test('is a valid chart whose expressions parse', () => {
    const chart = presetChart(preset.name, old);
    expect(chartSpecSchema.parse(chart)).toEqual(chart);
    for (const expr of expressions(chart.panels)) expect(parseExpression(expr), expr).toMatchObject({ ok: true });
  });

  test('without its events there is nothing, and it says so', () => {
    expect(presetPanels(preset, [])).toEqual([]);
    expect(() => presetChart(preset.name, [eventType('writeback:balance_dirty_pages', common, 0)])).toThrow(
      /were not recorded/,
    );
  });
});

test('old and new names of the writeback context, and the grouping each kernel can tell', () => {
  const pages = (events: EventTypeInfo[]) => presetChart('pages', events).panels;
  expect(expressions(pages(old))).toContain('writeback:balance_dirty_pages.bdi_dirty');
  expect(expressions(pages(recent))).toContain('writeback:balance_dirty_pages.wb_dirty');
  const groups = (panels: PanelSpec[]) =>
    new Set(panels.flatMap((panel) => (panel.kind === 'plot' ? panel.series.map((series) => series.groupBy) : [])));
  expect(groups(pages(old))).toEqual(new Set(['bdi']));
  expect(groups(pages(recent))).toEqual(new Set(['cgroup']));
});

test('only numeric fields that were recorded', () => {
  const few = [eventType('writeback:balance_dirty_pages', 'bdi dirty pause')];
  expect(expressions(presetChart('pages', few).panels)).toEqual(['writeback:balance_dirty_pages.dirty']);
  expect(() => presetChart('dirtied', few)).toThrow(/were not recorded/);
});

test('an unknown name lists the known ones', () => {
  expect(() => presetChart('nope', old)).toThrow(/throttling, bandwidth, pages, pauses, dirtied, global/);
});
