import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Columns, isDense } from '../../../shared/draw/columns.ts';
import { RecordingSurface } from './recording-surface.ts';

const grid = { widthPx: 1, phasePx: 0 };
const scale = { fromNs: 0, toNs: 10, x: 0, widthPx: 9.5 };

/** What each column covers, `-` where nothing. */
const shown = ({ low, high }: Columns): string[] =>
  [...low].map((from, index) => (from > high[index] ? '-' : `${from}..${high[index]}`));

describe('Columns', () => {
  it('covers what a line passes in each column, from edge to edge', () => {
    const columns = new Columns(scale, grid);
    columns.line(2, 10, 4.5, 60);
    expect(shown(columns)).toEqual(['-', '-', '10..30', '30..50', '50..60', '-', '-', '-', '-', '-']);
  });

  it('joins lines of one column, whichever way they go', () => {
    const columns = new Columns(scale, grid);
    columns.line(1.1, 50, 1.2, 20);
    columns.line(1.2, 20, 1.9, 40);
    columns.line(1.9, 40, 1.9, 70);
    expect(shown(columns)[1]).toBe('20..70');
  });

  it('lifts the pen for NaN and leaves out what is out of sight', () => {
    const columns = new Columns(scale, grid);
    columns.line(1, Number.NaN, 2, 5);
    columns.line(2, 5, 3, Number.NaN);
    columns.line(-1e9, 7, -5, 7);
    columns.line(50, 7, 1e9, 7);
    expect(new Set(shown(columns))).toEqual(new Set(['-']));
    columns.line(-1e9, 7, 1e9, 7);
    expect(new Set(shown(columns))).toEqual(new Set(['7..7']));
  });

  it('never misses a point of a polyline', () => {
    const point = fc.tuple(fc.double({ min: 0, max: 9, noNaN: true }), fc.double({ min: 0, max: 100, noNaN: true }));
    fc.assert(
      fc.property(fc.array(point, { minLength: 2, maxLength: 40 }), (points) => {
        const sorted = points.toSorted(([a], [b]) => a - b);
        const columns = new Columns(scale, grid);
        for (let at = 1; at < sorted.length; at++) columns.line(...sorted[at - 1], ...sorted[at]);
        for (const [x, y] of sorted) {
          const column = Math.floor(x);
          expect(columns.low[column]).toBeLessThanOrEqual(y + 1e-6);
          expect(columns.high[column]).toBeGreaterThanOrEqual(y - 1e-6);
        }
      }),
    );
  });

  it('starts its columns where the device has them', () => {
    const columns = new Columns({ ...scale, widthPx: 1.5 }, { widthPx: 0.5, phasePx: 0.25 });
    columns.block(0.3, 0.7, 1, 2);
    const surface = new RecordingSurface();
    columns.draw(surface, '#000');
    expect(surface.of('rect')).toMatchObject([{ x: 0.25, width: 0.5 }]);
    expect(shown(columns)).toEqual(['-', '1..2', '-', '-']);
  });

  it('draws equal neighbours as one rectangle and the rest column by column', () => {
    const columns = new Columns(scale, grid);
    columns.line(0, 5, 3, 5);
    columns.block(4, 5.9, 10, 20);
    columns.block(7, 7.5, 30, 35);
    const surface = new RecordingSurface();
    columns.draw(surface, '#123456', { padPx: 1 });
    expect(surface.of('rect')).toMatchObject([
      { x: 0, y: 4, width: 4, height: 2 },
      { x: 4, y: 9, width: 2, height: 12 },
      { x: 7, y: 29, width: 1, height: 7 },
    ]);
  });

  it('leaves dashes out where a line is flat, never where it jumps', () => {
    const dashed = (fill: (columns: Columns) => void): number => {
      const columns = new Columns(scale, grid);
      fill(columns);
      const surface = new RecordingSurface();
      columns.draw(surface, '#000', { padPx: 1, dash: [2, 3], flatPx: 2 });
      return surface.of('rect').length;
    };
    // Columns 0 to 9: on, on, off, off, off, on, on, off, off, off.
    expect(dashed((columns) => columns.line(0, 5, 9.4, 5))).toBe(2);
    expect(
      dashed((columns) => {
        for (let x = 0; x < 10; x++) columns.block(x, x + 0.5, 10 * x, 10 * x + 9);
      }),
    ).toBe(10);
  });
});

it('is dense from a third of the columns on', () => {
  expect(isDense(3, scale, grid)).toBe(false);
  expect(isDense(4, scale, grid)).toBe(true);
  expect(isDense(4, scale, { widthPx: 0.5, phasePx: 0 })).toBe(false);
  expect(isDense(1, scale, { ...grid, crowded: true })).toBe(true);
});
