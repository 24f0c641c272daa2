import { expect, it } from 'vitest';
import { overviewOf } from '../../../renderer/timeline/overview-data.ts';

const lane = (cpu: number, density: number[]) => ({
  stream: 0,
  cpu,
  slices: null,
  density: Uint32Array.from(density),
  lost: [],
});

it('adds CPUs up, the busiest moment being 1', () => {
  const { levels } = overviewOf({ fromNs: 0, resolutionNs: 8, lanes: [lane(0, [0, 1, 500]), lane(1, [0, 0, 523])] });
  expect(levels[0]).toBe(0);
  expect(levels[2]).toBe(1);
  expect(levels[1]).toBeCloseTo(1 / 10, 5); // log2(1 + 1) of log2(1 + 1023)
});

it('has nothing to show for a recording without events', () => {
  expect([...overviewOf({ fromNs: 0, resolutionNs: 8, lanes: [] }).levels]).toEqual([]);
  expect([...overviewOf({ fromNs: 0, resolutionNs: 8, lanes: [lane(0, [0, 0])] }).levels]).toEqual([0, 0]);
});
