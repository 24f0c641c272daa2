import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  centreRow,
  lastTopRow,
  limitTopRow,
  listPx,
  ROW_PX,
  revealRow,
  scrollOfTopRow,
  topRowOfScroll,
  visibleRows,
} from '../../../renderer/panels/row-scroll.ts';

/** Chromium and Firefox clamp an element's height; the smaller of the two is Firefox's. */
const BROWSER_LIMIT_PX = 17_895_697;
const geometries = fc.record({
  total: fc.integer({ min: 0, max: 2_000_000_000 }),
  viewPx: fc.integer({ min: 1, max: 4000 }),
});

describe('row scroll', () => {
  it('stays below what browsers clamp, for any number of rows', () => {
    fc.assert(fc.property(geometries, (geometry) => listPx(geometry) < BROWSER_LIMIT_PX));
  });

  it('is exact to the pixel while the list fits', () => {
    const geometry = { total: 10_000, viewPx: 400 };
    expect(listPx(geometry)).toBe(10_000 * ROW_PX);
    expect(topRowOfScroll(12_345, geometry)).toBeCloseTo(12_345 / ROW_PX, 9);
  });

  it('reaches the first and the last row of five million and of two billion', () => {
    for (const total of [5_000_000, 2_000_000_000]) {
      const geometry = { total, viewPx: 410 };
      const scrollable = listPx(geometry) - geometry.viewPx;
      expect(visibleRows(topRowOfScroll(0, geometry), geometry).first).toBe(0);
      expect(visibleRows(topRowOfScroll(scrollable, geometry), geometry).last).toBe(total - 1);
      expect(visibleRows(lastTopRow(geometry), geometry).last).toBe(total - 1);
    }
  });

  it('places the scroll bar where the same position is read from it', () => {
    fc.assert(
      fc.property(geometries, fc.double({ min: 0, max: 1, noNaN: true }), (geometry, share) => {
        const topRow = share * lastTopRow(geometry);
        expect(topRowOfScroll(scrollOfTopRow(topRow, geometry), geometry)).toBeCloseTo(topRow, 4);
      }),
    );
  });

  it('never leaves the list', () => {
    fc.assert(
      fc.property(geometries, fc.double({ min: -1e12, max: 1e12, noNaN: true }), (geometry, position) => {
        const topRow = limitTopRow(position, geometry);
        expect(topRow).toBeGreaterThanOrEqual(0);
        expect(topRow).toBeLessThanOrEqual(lastTopRow(geometry));
        expect(visibleRows(topRow, geometry).last).toBeLessThan(Math.max(1, geometry.total));
      }),
    );
  });

  it('scrolls as little as needed to show a row', () => {
    const geometry = { total: 1000, viewPx: 10 * ROW_PX };
    expect(revealRow(104, 100, geometry)).toBe(100);
    expect(revealRow(99, 100, geometry)).toBe(99);
    expect(revealRow(110, 100, geometry)).toBe(101);
    expect(revealRow(999, 100, geometry)).toBe(990);
  });

  it('shows a row wholly after revealing or centring it', () => {
    const cases = fc.record({
      total: fc.integer({ min: 1, max: 1e9 }),
      rows: fc.integer({ min: 1, max: 100 }),
      row: fc.nat(1e9),
    });
    fc.assert(
      fc.property(cases, fc.nat(1e9), ({ total, rows, row }, from) => {
        const geometry = { total, viewPx: rows * ROW_PX };
        const wanted = row % total;
        for (const topRow of [revealRow(wanted, limitTopRow(from, geometry), geometry), centreRow(wanted, geometry)]) {
          expect(topRow).toBeLessThanOrEqual(wanted);
          expect(topRow + rows).toBeGreaterThanOrEqual(Math.min(wanted + 1, total));
        }
      }),
    );
  });

  it('shows rows that are only partly visible at both edges', () => {
    expect(visibleRows(7.5, { total: 1000, viewPx: 10 * ROW_PX })).toEqual({ first: 7, last: 17 });
    expect(visibleRows(7, { total: 1000, viewPx: 10 * ROW_PX })).toEqual({ first: 7, last: 16 });
  });

  it('has nothing to show of an empty list', () => {
    expect(visibleRows(0, { total: 0, viewPx: 400 })).toEqual({ first: 0, last: -1 });
  });
});
