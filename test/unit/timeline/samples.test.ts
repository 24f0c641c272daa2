import { describe, expect, it } from 'vitest';
import { cropLine, eventOf, indexAt, lineUnder, nearestSample, shownIndex } from '../../../renderer/plot/samples.ts';
import { seriesSpecSchema } from '../../../shared/chart.ts';
import type { PlotLine } from '../../../shared/draw/plot-lines.ts';
import type { ValueAxis } from '../../../shared/draw/value-axis.ts';

const look = {
  series: 0,
  spec: seriesSpecSchema.parse({ expr: 'a:b.c' }),
  unit: '',
  impossibleFrom: Number.POSITIVE_INFINITY,
  name: 'c',
  group: '',
  color: '#000000',
  dash: [],
};

function raw(key: string, samples: [tNs: number, value: number][]): PlotLine {
  return {
    ...look,
    label: key,
    binNs: 0,
    line: {
      group: key,
      key,
      samples: samples.length,
      mode: 'raw',
      tNs: Float64Array.from(samples, ([tNs]) => tNs),
      value: Float64Array.from(samples, ([, value]) => value),
      event: {
        stream: Uint16Array.from(samples, () => 0),
        cpu: Uint16Array.from(samples, () => 3),
        index: Float64Array.from(samples, (_, index) => 100 + index),
      },
    },
  };
}

function bins(key: string, starts: number[], binNs: number): PlotLine {
  const values = Float64Array.from(starts, (_, index) => index);
  return {
    ...look,
    label: key,
    binNs,
    line: {
      group: key,
      key,
      samples: starts.length,
      mode: 'bins',
      tNs: Float64Array.from(starts),
      min: values,
      max: values,
      mean: values,
      last: values,
      count: Uint32Array.from(starts),
    },
  };
}

/** 100 px high, values 0 to 100: a value's y is 100 − value. */
const axis: ValueAxis = { scale: 'linear', min: 0, max: 100, top: 0, bottom: 100, ticks: { step: 50, marks: [] } };
const scale = { fromNs: 0, toNs: 1000, x: 0, widthPx: 1000 };

it('indexAt finds the last sample at or before a time', () => {
  const tNs = Float64Array.of(10, 20, 20, 30);
  expect([9, 10, 15, 20, 29, 30, 99].map((ns) => indexAt(tNs, ns))).toEqual([-1, 0, 0, 2, 2, 3, 3]);
  expect(indexAt(new Float64Array(0), 5)).toBe(-1);
});

describe('cropLine', () => {
  it('keeps what is in the window and one neighbour on both sides, in step with its events', () => {
    const line = raw('a', [
      [0, 0],
      [100, 1],
      [200, 2],
      [300, 3],
      [400, 4],
      [500, 5],
    ]);
    const cut = cropLine(line, { fromNs: 150, toNs: 350 });
    expect([...cut.line.tNs]).toEqual([100, 200, 300, 400]);
    expect(eventOf(cut, 0)).toEqual({ stream: 0, cpu: 3, index: 101 });
    expect(cut.line.tNs.buffer).toBe(line.line.tNs.buffer);
  });
  it('crops bins in all their columns', () => {
    const cut = cropLine(bins('a', [0, 100, 200, 300, 400], 100), { fromNs: 150, toNs: 250 });
    expect([...cut.line.tNs]).toEqual([100, 200, 300]);
    expect(cut.line.mode === 'bins' && [...cut.line.max]).toEqual([1, 2, 3]);
    expect(eventOf(cut, 0)).toBeNull();
  });
  it('keeps the last value before a window without samples', () => {
    expect([
      ...cropLine(
        raw('a', [
          [0, 0],
          [900, 1],
        ]),
        { fromNs: 100, toNs: 200 },
      ).line.tNs,
    ]).toEqual([0, 900]);
    expect([...cropLine(raw('a', []), { fromNs: 100, toNs: 200 }).line.tNs]).toEqual([]);
  });
});

describe('pointing', () => {
  const low = raw('low', [
    [100, 10],
    [300, 10],
    [500, 10],
  ]);
  const high = raw('high', [
    [100, 90],
    [310, 90],
    [500, 90],
  ]);
  const axisOf = () => axis;
  it('takes the mark that is nearest in both directions', () => {
    expect(nearestSample([low, high], scale, axisOf, 305, 12)).toMatchObject({ line: high, index: 1 });
    expect(nearestSample([low, high], scale, axisOf, 305, 88)).toMatchObject({ line: low, index: 1 });
    expect(nearestSample([low, high], scale, axisOf, 305, 50)).toBeNull();
  });
  it('else the line that passes nearest above or below', () => {
    expect(lineUnder([low, high], axisOf, 400, 60)).toMatchObject({ line: low, index: 1 }); // y 90 is 30 away, y 10 is 50
    expect(lineUnder([low, high], axisOf, 400, 30)).toMatchObject({ line: high, index: 1 });
    expect(lineUnder([low, high], axisOf, 50, 30)).toBeNull();
    expect(shownIndex(low, 299)).toBe(0);
  });
  it('leaves lines without an axis alone', () => {
    expect(nearestSample([low], scale, () => null, 300, 90)).toBeNull();
  });
});
