import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  formatValue,
  linearTicks,
  logTicks,
  niceAxis,
  niceStep,
  type Ticks,
  timeTicks,
} from '../../../shared/draw/ticks.ts';

const labels = (ticks: Ticks): string[] => ticks.marks.map((mark) => mark.label).filter((label) => label !== '');

describe('linear ticks', () => {
  test.each([
    [0, 1, 6, ['0', '0.2', '0.4', '0.6', '0.8', '1.0']],
    [0.1, 0.35, 6, ['0.10', '0.15', '0.20', '0.25', '0.30', '0.35']],
    [-3, 7, 6, ['−2', '0', '2', '4', '6']],
    [0, 1_200_000, 6, ['0', '0.2M', '0.4M', '0.6M', '0.8M', '1.0M', '1.2M']],
    [99_000, 101_000, 6, ['99.0k', '99.5k', '100.0k', '100.5k', '101.0k']],
    [0, 1.8e19, 6, ['0', '5e18', '1e19', '1.5e19']],
  ])('%d to %d', (min, max, count, expected) => {
    expect(labels(linearTicks(min, max, count))).toEqual(expected);
  });

  test('are few, inside, ascending and told apart by their labels', () => {
    const range = fc
      .tuple(
        fc.double({ min: -1e12, max: 1e12, noNaN: true }),
        fc.double({ min: 1e-3, max: 1e12, noNaN: true }),
        fc.integer({ min: 2, max: 12 }),
      )
      .filter(([min, span]) => span > Math.abs(min) * 1e-9);
    fc.assert(
      fc.property(range, ([min, span, count]) => {
        const { marks, step } = linearTicks(min, min + span, count);
        expect(marks.length).toBeLessThanOrEqual(count + 1);
        expect(new Set(marks.map((mark) => mark.label)).size).toBe(marks.length);
        for (const [index, mark] of marks.entries()) {
          expect(mark.value).toBeGreaterThanOrEqual(min - step * 1e-6);
          expect(mark.value).toBeLessThanOrEqual(min + span + step * 1e-6);
          if (index > 0) expect(mark.value).toBeGreaterThan(marks[index - 1].value);
        }
      }),
    );
  });

  test('an empty or impossible span still gives a step', () => {
    expect(niceStep(0, 5)).toBe(1);
    expect(niceStep(Number.POSITIVE_INFINITY, 5)).toBe(1);
  });

  test('an axis is widened to whole steps, a single value to a span around it', () => {
    const ends = (min: number, max: number, count: number): [number, number] => {
      const axis = niceAxis(min, max, count);
      return [axis.min, axis.max];
    };
    expect(ends(0, 1_234_567, 6)).toEqual([0, 1_500_000]);
    expect(ends(-3, 7, 6)).toEqual([-4, 8]);
    expect(ends(0.1, 0.35, 6)).toEqual([0.1, 0.35]);
    expect(ends(5, 5, 5)).toEqual([2, 8]);
    expect(ends(0, 0, 5)).toEqual([-1, 1]);
    expect(labels(niceAxis(-412, 255, 4).ticks)).toEqual(['−600', '−400', '−200', '0', '200', '400']);
  });

  test('one prefix for all values of an axis', () => {
    expect([0, 5_000, 250_000].map((value) => formatValue(value, 5_000, 250_000))).toEqual(['0', '5k', '250k']);
    expect(formatValue(-1500, 500, 2000)).toBe('−1500');
  });
});

describe('log ticks', () => {
  test.each([
    [1, 1000, 6, ['1', '10', '100', '1k']],
    [3, 80, 6, ['5', '10', '20', '50']],
    [0.01, 100, 6, ['0.01', '0.1', '1', '10', '100']],
    [1, 1e12, 6, ['1', '100', '10k', '1M', '100M', '10G', '1T']],
    [5, 9, 6, ['5', '6', '7', '8', '9']],
  ])('%d to %d', (min, max, count, expected) => {
    expect(labels(logTicks(min, max, count))).toEqual(expected);
  });

  test('digits between the labels are minor marks', () => {
    expect(
      logTicks(1, 100, 3)
        .marks.filter((mark) => mark.label === '')
        .map((mark) => mark.value),
    ).toEqual([2, 3, 4, 5, 6, 7, 8, 9, 20, 30, 40, 50, 60, 70, 80, 90]);
  });
});

describe('time ticks', () => {
  test.each([
    [0, 13.5e9, ['0 s', '2 s', '4 s', '6 s', '8 s', '10 s', '12 s']],
    [5e9, 5.01e9, ['5.000 s', '5.002 s', '5.004 s', '5.006 s', '5.008 s', '5.010 s']],
    [3.2e7, 3.3e7, ['32.0 ms', '32.2 ms', '32.4 ms', '32.6 ms', '32.8 ms', '33.0 ms']],
    [1234, 1300, ['1.24 µs', '1.25 µs', '1.26 µs', '1.27 µs', '1.28 µs', '1.29 µs', '1.30 µs']],
    [-1e9, 2e9, ['−1.0 s', '−0.5 s', '0.0 s', '0.5 s', '1.0 s', '1.5 s', '2.0 s']],
    [0, 3600e9, ['0 s', '500 s', '1000 s', '1500 s', '2000 s', '2500 s', '3000 s', '3500 s']],
  ])('%d to %d ns', (from, to, expected) => {
    const ticks = timeTicks(from, to, 8);
    expect(labels(ticks)).toEqual(expected);
    expect(ticks.base).toBeNull();
  });

  test('deep in a recording, labels count from a base', () => {
    const ticks = timeTicks(100_123_456_700, 100_123_457_000, 6);
    expect(ticks.base).toEqual({ ns: 100_123_456_000, label: '100.123456 s' });
    expect(labels(ticks)).toEqual(['+700 ns', '+750 ns', '+800 ns', '+850 ns', '+900 ns', '+950 ns', '+1000 ns']);
  });

  test('counts have prefixes in place of units of time', () => {
    expect(labels(timeTicks(0, 13e9, 6, 'cycles'))).toEqual(['0 G', '5 G', '10 G']);
    expect(labels(timeTicks(0, 12, 6, 'counts'))).toEqual(['0', '2', '4', '6', '8', '10', '12']);
    const deep = timeTicks(100_123_456_700, 100_123_457_000, 3, 'cycles');
    expect(deep.base).toEqual({ ns: 100_123_456_000, label: '100.123456 G' });
    expect(labels(deep)).toEqual(['+700', '+800', '+900', '+1000']);
  });

  test('never a step below 1 ns', () => {
    expect(timeTicks(1e9, 1e9 + 2, 10).marks.map((mark) => mark.value)).toEqual([1e9, 1e9 + 1, 1e9 + 2]);
  });

  test('labels of one axis differ, are short, and mean the time they stand at', () => {
    const ns = { s: 1e9, ms: 1e6, µs: 1e3, ns: 1 } as const;
    const window = fc.tuple(
      fc.integer({ min: 0, max: 10_000_000_000_000 }),
      fc.integer({ min: 2, max: 10_000_000_000_000 }),
      fc.integer({ min: 3, max: 15 }),
    );
    fc.assert(
      fc.property(window, ([from, span, count]) => {
        const ticks = timeTicks(from, from + span, count);
        expect(new Set(labels(ticks)).size).toBe(ticks.marks.length);
        for (const { value, label } of ticks.marks) {
          expect(label.length).toBeLessThanOrEqual(13);
          const [number, unit] = label.replace('−', '-').split(' ');
          expect(Math.abs((ticks.base?.ns ?? 0) + Number(number) * ns[unit as keyof typeof ns] - value)).toBeLessThan(
            ticks.step * 0.01,
          );
        }
      }),
      { numRuns: 1000 },
    );
  });
});
