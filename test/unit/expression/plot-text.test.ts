import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { aggregates, type SeriesSpec, seriesStyles } from '../../../shared/chart.ts';
import { printExpression } from '../../../shared/expression/print.ts';
import { printFilter } from '../../../shared/filter/print.ts';
import { parsePlot, printPlot } from '../../../shared/plot-text.ts';
import { allUnits } from '../../../shared/units.ts';
import { anyFilter } from '../filter/generate.ts';
import { anyExpression } from './generate.ts';

const defaults: SeriesSpec = {
  expr: 'w:b.x',
  groupBy: '',
  where: '',
  aggregate: 'last',
  style: 'step',
  axis: 'left',
  unit: '',
};

function parse(text: string): SeriesSpec {
  const result = parsePlot(text);
  if (!result.ok) throw new Error(`${result.error.message} at ${result.error.position}`);
  return result.ast;
}

describe('a plot as text', () => {
  it('is an expression and its clauses', () => {
    const text =
      'writeback:balance_dirty_pages.dirty / writeback:balance_dirty_pages.limit  by cgroup  where bdi ~ "8:*"  as max  in MiB  axis right  style line';
    expect(parse(text)).toEqual({
      expr: 'writeback:balance_dirty_pages.dirty / limit',
      groupBy: 'cgroup',
      where: 'bdi ~ "8:*"',
      aggregate: 'max',
      unit: 'MiB',
      axis: 'right',
      style: 'line',
    });
  });
  it('needs no clause', () => expect(parse(' w:b.x ')).toEqual(defaults));
  it('takes clauses in any order', () => {
    expect(parse('w:b.x style bars in us where a==1||b==2 by cpu')).toEqual({
      ...defaults,
      style: 'bars',
      unit: 'µs',
      where: 'a == 1 || b == 2',
      groupBy: 'cpu',
    });
  });
  it('tells fields from keywords', () => {
    expect(parse('w:b.by + where by in in ms')).toEqual({
      ...defaults,
      expr: 'w:b.by + where',
      groupBy: 'in',
      unit: 'ms',
    });
    expect(parse('w:b.x by `odd name`').groupBy).toBe('odd name');
  });
  it.each([
    ['', 0, /a field, a number/],
    ['w:b.x / by cgroup', 11, /not “cgroup”/],
    ['w:b.x by', 8, /a field, cpu.* not the end/],
    ['w:b.x group cgroup', 6, /an operator or one of by, where, as, in, axis, style .* not “group”/],
    ['w:b.x by cpu by pid', 13, /second time/],
    ['w:b.x as p99', 9, /one of last, mean/],
    ['w:b.x in furlongs', 9, /a unit \(B, KiB/],
    ['w:b.x axis top', 11, /one of left, right/],
    ['w:b.x where', 11, /a filter is expected/],
    ['w:b.x where bdi ~', 17, /a number, a string/],
    ['w:b.x constructor 3', 6, /an operator or one of/],
  ])('says what is wrong with %j, and where', (text, position, message) => {
    const result = parsePlot(text);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.error.message).toMatch(message);
    expect(result.error.position).toBe(position);
  });
  it('parses what it prints', () => {
    const spec: fc.Arbitrary<SeriesSpec> = fc.record({
      expr: anyExpression.map(printExpression),
      groupBy: fc.constantFrom('', 'cpu', 'task', 'cgroup', 'bdi', 'odd name', '4k', 'by'),
      where: anyFilter.filter((filter) => !filter.clauses.some((clause) => clause.condition === null)).map(printFilter),
      aggregate: fc.constantFrom(...aggregates),
      style: fc.constantFrom(...seriesStyles),
      axis: fc.constantFrom('left' as const, 'right' as const),
      unit: fc.constantFrom('', ...allUnits),
    });
    fc.assert(
      fc.property(spec, (one) => {
        expect(parse(printPlot(one)), printPlot(one)).toEqual(one);
      }),
      { numRuns: 1000 },
    );
  });
});
