import fc from 'fast-check';
import { expect, it } from 'vitest';
import { valueAxis, valueToY } from '../../../shared/draw/value-axis.ts';

const range = (min: number, max: number) => ({ min, max, minPositive: Number.POSITIVE_INFINITY, notPositive: 0 });

it('a linear axis is labelled at both of its ends, whatever it holds', () => {
  const values = fc.tuple(
    fc.double({ min: -1e9, max: 1e9, noNaN: true }),
    fc.double({ min: 1e-3, max: 1e9, noNaN: true }),
  );
  fc.assert(
    fc.property(values, fc.integer({ min: 60, max: 800 }), ([min, span], heightPx) => {
      const axis = valueAxis(range(min, min + span), 'linear', ['step'], 8, 8 + heightPx);
      const ticks = axis.ticks.marks.map((mark) => mark.value);
      const tolerance = (axis.max - axis.min) * 1e-6;
      expect(Math.abs(ticks[0] - axis.min)).toBeLessThanOrEqual(tolerance);
      expect(Math.abs(ticks[ticks.length - 1] - axis.max)).toBeLessThanOrEqual(tolerance);
      const gaps = ticks.slice(1).map((value, index) => valueToY(axis, ticks[index]) - valueToY(axis, value));
      expect(Math.min(...gaps)).toBeGreaterThan(14);
    }),
  );
});

it('pauses of both signs beside counts have more than one label', () => {
  const axis = valueAxis(range(-412, 255), 'linear', ['step'], 8, 160);
  expect(axis.ticks.marks.map((mark) => mark.label)).toEqual(['−600', '−400', '−200', '0', '200', '400']);
});
