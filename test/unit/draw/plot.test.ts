import { describe, expect, test } from 'vitest';
import type { SeriesLine, SeriesResult } from '../../../shared/api.ts';
import { type SeriesSpec, seriesSpecSchema } from '../../../shared/chart.ts';
import { identityColor, seriesColor } from '../../../shared/colors.ts';
import { textWidth } from '../../../shared/draw/font-metrics.ts';
import { layoutLegend } from '../../../shared/draw/legend.ts';
import { layoutPlot } from '../../../shared/draw/plot.ts';
import {
  lineKey,
  type PlotLine,
  plotLines,
  plotTitle,
  seriesNames,
  valueAt,
  valueRange,
} from '../../../shared/draw/plot-lines.ts';
import { drawLineMarks } from '../../../shared/draw/plot-marks.ts';
import type { Surface } from '../../../shared/draw/surface.ts';
import { SvgSurface } from '../../../shared/draw/svg-surface.ts';
import { themes } from '../../../shared/draw/theme.ts';
import { baselineY, valueAxis, valueToY } from '../../../shared/draw/value-axis.ts';
import { impossibleFrom } from '../../../shared/impossible.ts';

const theme = themes.light;
const event = 'writeback:balance_dirty_pages';
const spec = (field: string, more: Partial<SeriesSpec> = {}): SeriesSpec =>
  seriesSpecSchema.parse({ expr: `${event}.${field}`, ...more });

const raw = (group: string, points: [tNs: number, value: number][]): SeriesLine => ({
  group,
  key: group,
  samples: points.length,
  mode: 'raw',
  tNs: Float64Array.from(points, ([t]) => t),
  value: Float64Array.from(points, ([, value]) => value),
  event: {
    stream: new Uint16Array(points.length),
    cpu: new Uint16Array(points.length),
    index: new Float64Array(points.length),
  },
});

/** One bin of 10 ns at t = 0: samples 2, 8 and 5, in this order. */
const oneBin: SeriesLine = {
  group: '',
  key: '',
  samples: 3,
  mode: 'bins',
  tNs: Float64Array.of(0),
  min: Float64Array.of(2),
  max: Float64Array.of(8),
  mean: Float64Array.of(5),
  last: Float64Array.of(5),
  count: Uint32Array.of(3),
};

const result = (own: SeriesSpec, lines: SeriesLine[], unit = 'pages'): SeriesResult => ({
  spec: own,
  fromNs: 0,
  toNs: 100,
  binNs: 10,
  unit,
  lines,
  moreGroups: 0,
  outliers: 0,
});

describe('names', () => {
  test('leave the event out, and say filter and aggregate', () => {
    expect(
      seriesNames([
        spec('dirty'),
        { ...spec('pause'), where: 'pause > 0', aggregate: 'max' },
        { ...spec('x'), expr: `${event}.dirty / ${event}.limit` },
      ]),
    ).toEqual(['dirty', 'pause (max) where pause > 0', 'dirty / limit']);
  });

  test('keep the event where two events have the field', () => {
    expect(seriesNames([spec('dirty'), { ...spec('x'), expr: 'a:b.dirty' }])).toEqual([`${event}.dirty`, 'a:b.dirty']);
  });

  test('make a title', () => {
    expect(plotTitle('', [spec('dirty', { groupBy: 'cgroup' }), spec('limit', { groupBy: 'cgroup' })])).toBe(
      'dirty, limit by cgroup',
    );
    expect(plotTitle('Mine', [spec('dirty')])).toBe('Mine');
  });
});

describe('lines', () => {
  const web = raw('web', [[0, 1]]);
  const db = raw('db', [[0, 1]]);

  test('series without groups take the palette in order', () => {
    const lines = plotLines([result(spec('a'), [raw('', [])]), result(spec('b'), [raw('', [])])], theme);
    expect(lines.map(({ label, color, dash }) => [label, color, dash])).toEqual([
      ['a', seriesColor(0, theme), []],
      ['b', seriesColor(1, theme), []],
    ]);
  });

  test('a group has one colour in all series of a panel; dashes tell series apart', () => {
    const by = { groupBy: 'cgroup' };
    const lines = plotLines([result(spec('dirty', by), [web, db]), result(spec('limit', by), [db, web])], theme);
    expect(lines.map(({ label }) => label)).toEqual(['dirty · web', 'dirty · db', 'limit · db', 'limit · web']);
    expect(lines[0].color).toBe(identityColor('web', theme));
    expect([lines[3].color, lines[2].color]).toEqual([lines[0].color, lines[1].color]);
    expect(lines[1].color).not.toBe(lines[0].color);
    expect([lines[0].dash, lines[1].dash]).toEqual([[], []]);
    expect(lines[2].dash.length).toBeGreaterThan(0);
  });

  test('of one group only, series differ by colour', () => {
    const by = { groupBy: 'bdi' };
    const lines = plotLines(
      [result(spec('write_bw', by), [raw('8:0', [])]), result(spec('avg_write_bw', by), [raw('8:0', [])])],
      theme,
    );
    expect(lines.map(({ color }) => color)).toEqual([seriesColor(0, theme), seriesColor(1, theme)]);
    expect(lines.map(({ dash }) => dash)).toEqual([[], []]);
  });

  test('without a label of their group still have one', () => {
    expect(plotLines([result(spec('dirty', { groupBy: 'cgroup' }), [raw('', [])])], theme)[0].label).toBe('(none)');
  });
});

describe('values', () => {
  const shown = (aggregate: SeriesSpec['aggregate']): number =>
    valueAt(plotLines([result(spec('a', { aggregate }), [oneBin])], theme)[0], 0);

  test('of a bin are what the aggregate says', () => {
    expect((['last', 'mean', 'min', 'max', 'sum', 'count'] as const).map(shown)).toEqual([5, 5, 2, 8, 15, 3]);
  });

  test('of totals have no unit of the field where they are counts, and 0 on their scale', () => {
    const [count] = plotLines([result(spec('a', { aggregate: 'count' }), [oneBin])], theme);
    const [sum] = plotLines([result(spec('a', { aggregate: 'sum' }), [oneBin])], theme);
    expect([count.unit, sum.unit]).toEqual(['', 'pages']);
    expect(valueRange([sum], { fromNs: 0, toNs: 10 })).toMatchObject({ min: 0, max: 15 });
  });

  test('that are impossible neither draw nor scale', () => {
    const underflow = raw('', [
      [0, 10],
      [10, 2 ** 64 - 2],
      [20, 30],
    ]);
    const [line] = plotLines([result(spec('dirty'), [underflow])], theme);
    expect(valueAt(line, 1)).toBeNaN();
    expect(valueRange([line], { fromNs: 0, toNs: 100 })).toEqual({ min: 10, max: 30, minPositive: 10, notPositive: 0 });
    const [bare] = plotLines([result(spec('hash'), [underflow], '')], theme);
    const [binned] = plotLines([result(spec('dirty'), [{ ...oneBin, max: Float64Array.of(2 ** 64) }])], theme);
    expect(valueRange([binned], { fromNs: 0, toNs: 10 })).toMatchObject({ min: 2, max: 5 });
    expect(valueRange([bare], { fromNs: 0, toNs: 100 })?.max).toBe(2 ** 64);
  });

  test('are impossible in any unit they are shown in', () => {
    expect(((2 ** 64 - 2) * 4096) / 1e6).toBeGreaterThan(impossibleFrom('MB'));
    expect(((2 ** 64 - 2) * 65536) / 2 ** 30).toBeGreaterThan(impossibleFrom('GiB'));
    expect((2 ** 64 - 2) / 1e3).toBeGreaterThan(impossibleFrom('s'));
    expect(impossibleFrom('pages')).toBeGreaterThan(2 ** 40);
    expect(impossibleFrom('')).toBe(Number.POSITIVE_INFINITY);
  });

  test('a range has the envelope, and the value before the window where it reaches in', () => {
    const window = { fromNs: 50, toNs: 100 };
    const points = raw('', [
      [0, 1000],
      [40, 7],
      [60, 3],
      [110, 9],
    ]);
    const range = (style: SeriesSpec['style']) =>
      valueRange(plotLines([result(spec('a', { style }), [points])], theme), window);
    expect(range('step')).toMatchObject({ min: 3, max: 7 });
    expect(range('points')).toMatchObject({ min: 3, max: 3 });
    expect(valueRange(plotLines([result(spec('a'), [oneBin])], theme), { fromNs: 0, toNs: 10 })).toMatchObject({
      min: 2,
      max: 8,
    });
    expect(
      valueRange(plotLines([result(spec('a', { aggregate: 'mean' }), [oneBin])], theme), { fromNs: 0, toNs: 10 }),
    ).toMatchObject({ min: 5, max: 5 });
    expect(
      valueRange(plotLines([result(spec('a', { aggregate: 'count' }), [oneBin])], theme), { fromNs: 0, toNs: 10 }),
    ).toMatchObject({ min: 0, max: 3 });
    expect(valueRange(plotLines([result(spec('a'), [raw('', [])])], theme), window)).toBeNull();
  });
});

describe('value axis', () => {
  const range = (min: number, max: number) => ({
    min,
    max,
    minPositive: min > 0 ? min : Number.POSITIVE_INFINITY,
    notPositive: 0,
  });
  const ends = (min: number, max: number, style: SeriesSpec['style'] = 'step', scale: 'linear' | 'log' = 'linear') => {
    const axis = valueAxis(range(min, max), scale, [style], 0, 200);
    return [axis.min, axis.max];
  };

  test('starts at 0 where that is near, or where size is what is read', () => {
    expect(ends(300, 950)).toEqual([0, 1000]);
    expect(ends(19_000, 19_900)).toEqual([19_000, 20_000]);
    expect(ends(19_000, 19_900, 'bars')).toEqual([0, 20_000]);
    expect(ends(-40, 80)).toEqual([-50, 100]);
    expect(ends(5, 5)).toEqual([0, 5]);
  });

  test('log axes have whole decades, and fall back to linear without positive values', () => {
    expect(ends(3, 95_000, 'step', 'log')).toEqual([1, 100_000]);
    expect(ends(100, 100, 'step', 'log')).toEqual([10, 1000]);
    const axis = valueAxis(
      { min: -5, max: 0, minPositive: Number.POSITIVE_INFINITY, notPositive: 2 },
      'log',
      ['step'],
      0,
      200,
    );
    expect(axis.scale).toBe('linear');
  });

  test('maps values to heights', () => {
    const linear = valueAxis(range(-50, 100), 'linear', ['bars'], 10, 160);
    expect([valueToY(linear, 100), valueToY(linear, -50), baselineY(linear)]).toEqual([10, 160, 110]);
    const log = valueAxis(range(1, 100), 'log', ['step'], 0, 200);
    expect(valueToY(log, 10)).toBeCloseTo(100);
    expect(valueToY(log, 0)).toBeNaN();
  });
});

describe('legend', () => {
  const surface: Pick<Surface, 'measure'> = {
    measure: (text, style) => textWidth(text, style.sizePx, { bold: style.weight === 600 }),
  };
  const texts = (lines: ReturnType<typeof plotLines>, widthPx: number, maxRows: number): string[][] =>
    layoutLegend(surface, 'Title', lines, [{ text: 'a note', severity: 'note' }], widthPx, maxRows, theme).rows.map(
      (row) => row.map(({ text }) => text),
    );

  test('names groups and series, not each pair of them', () => {
    const by = { groupBy: 'cgroup' };
    const groups = [raw('web', []), raw('db', [])];
    const lines = plotLines([result(spec('dirty', by), groups), result(spec('limit', by), groups)], theme);
    expect(texts(lines, 900, 3)).toEqual([['Title', 'web', 'db', 'dirty', 'limit', 'a note']]);
  });

  test('units and sides are told where they differ', () => {
    const lines = plotLines(
      [result(spec('dirty'), [raw('', [])]), result(spec('pause', { axis: 'right' }), [raw('', [])], 'ms')],
      theme,
    );
    expect(texts(lines, 900, 3)).toEqual([['Title', 'dirty (pages)', 'pause (ms, right axis)', 'a note']]);
  });

  test('breaks rows, and says how many names do not fit', () => {
    const many = Array.from({ length: 40 }, (_, index) => raw(`task-${index}`, []));
    const rows = texts(plotLines([result(spec('dirty', { groupBy: 'task' }), many)], theme), 400, 2);
    expect(rows).toHaveLength(2);
    expect(rows[1].at(-1)).toBe('a note');
    const shown = rows.flat().filter((text) => text.startsWith('task-')).length;
    expect(rows[1].at(-2)).toBe(`+${40 - shown} more`);
    expect(shown).toBeGreaterThan(4);
  });
});

describe('marks', () => {
  const scale = { x: 0, widthPx: 100, fromNs: 0, toNs: 100 };
  const axis = valueAxis({ min: 0, max: 10, minPositive: 1, notPositive: 0 }, 'linear', ['step'], 0, 100);
  const twoBins: SeriesLine = {
    ...oneBin,
    tNs: Float64Array.of(0, 40),
    min: Float64Array.of(2, 5),
    max: Float64Array.of(2, 5),
    mean: Float64Array.of(2, 5),
    last: Float64Array.of(2, 5),
    count: Uint32Array.of(1, 1),
  };
  const pathsOf = (own: SeriesSpec, line: SeriesLine): string[] => {
    const surface = new SvgSurface(100, 100, { title: '', description: '', background: '#ffffff' });
    drawLineMarks(surface, plotLines([result(own, [line])], theme)[0], scale, axis, theme);
    return [...surface.toSvg().matchAll(/ d="([^"]*)"/g)].map((match) => match[1]);
  };

  test('a value holds until the next bin that has one, a total only in its bin', () => {
    expect(pathsOf(spec('a'), twoBins)).toEqual(['M0 80h40v-30h10']);
    expect(pathsOf(spec('a', { aggregate: 'sum' }), twoBins)).toEqual(['M0 80h10v20h30v-50h10v50']);
  });

  test('an impossible sample is a gap', () => {
    const samples = raw('', [
      [0, 1],
      [20, 2 ** 64 - 2],
      [50, 4],
      [90, 4],
    ]);
    expect(pathsOf(spec('a', { style: 'line' }), samples)).toContain('M0 90h0M50 60h40');
  });

  test('bars grow from 0, as wide as their bin', () => {
    expect(pathsOf(spec('a', { style: 'bars' }), twoBins)[0]).toBe('M0 80h9v20h-9zM40 50h9v50h-9z');
  });

  test('the envelope has one outline where bins touch, and the ends of binned points are points', () => {
    const touching = { ...twoBins, tNs: Float64Array.of(0, 10), max: Float64Array.of(4, 6) };
    expect(pathsOf(spec('a'), touching)[0]).toBe('M0 60h10v-20h10v10h-10v30h-10z');
    expect(pathsOf(spec('a', { style: 'points' }), touching)).toEqual([
      'M0 80h0M10 50h0M0 80h0M10 50h0M0 60h0M10 40h0',
    ]);
  });
});

describe('lines that are switched off', () => {
  const own = spec('dirty', { groupBy: 'cgroup' });
  const results = [
    result(own, [
      raw('a', [[0, 10]]),
      raw('b', [
        [0, 1000],
        [50, 2000],
      ]),
      raw('c', [[20, 30]]),
    ]),
  ];
  const layout = (hidden?: string[]) => {
    const panel = { kind: 'plot' as const, title: '', series: [own], scale: 'linear' as const, hidden };
    const surface = new SvgSurface(800, 300, { title: '', description: '', background: '' });
    return layoutPlot(surface, panel, results, { fromNs: 0, toNs: 100, unit: 'ns' }, 700, 200, theme);
  };

  test('are neither drawn nor in the legend nor on the axis, and the others keep their colours', () => {
    const all = layout();
    const [a, b, c] = all.lines;
    const some = layout([lineKey(b as PlotLine)]);
    expect(some.lines).toEqual([a, c]);
    expect(some.left?.axis.ticks.marks.every(({ label }) => !label.includes('000'))).toBe(true);
    expect(JSON.stringify(some.legend)).toContain('1 line switched off');
    expect(JSON.stringify(all.legend)).not.toContain('switched off');
  });
});
