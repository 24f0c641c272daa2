import { describe, expect, it } from 'vitest';
import {
  type DataWindow,
  LatestFetcher,
  resolutionFor,
  stillUseful,
  suffices,
  windowFor,
} from '../../../renderer/timeline/fetch.ts';
import { RemoraError } from '../../../shared/errors.ts';

const bounds = { fromNs: 0, toNs: 1e9 };

describe('windowFor', () => {
  it('asks for three windows in whole power-of-two buckets of at most a pixel', () => {
    const view = { fromNs: 400_000_000, toNs: 500_000_000 };
    const window = windowFor(view, 1000, bounds);
    expect(window.resolutionNs).toBe(65_536); // a pixel is 100,000 ns
    expect(window.fromNs % 65_536).toBe(0);
    expect(window.fromNs).toBeLessThanOrEqual(300_000_000);
    expect(window.fromNs).toBeGreaterThan(300_000_000 - 65_536);
    expect(window.toNs).toBeGreaterThanOrEqual(600_000_000);
    expect(window.toNs).toBeLessThan(600_000_000 + 2 * 65_536);
  });

  it('stays within the data, and holds its last event', () => {
    const window = windowFor({ fromNs: -1e7, toNs: 1.01e9 }, 1000, bounds);
    expect(window.fromNs).toBe(0);
    expect(window.toNs).toBeGreaterThan(bounds.toNs);
    expect(window.toNs - bounds.toNs).toBeLessThanOrEqual(window.resolutionNs);
  });

  it('never has buckets below a nanosecond or more than the engine takes', () => {
    expect(windowFor({ fromNs: 500, toNs: 510 }, 2000, bounds).resolutionNs).toBe(1);
    const wide = windowFor({ fromNs: 4e8, toNs: 5e8 }, 20_000, bounds);
    expect((wide.toNs - wide.fromNs) / wide.resolutionNs).toBeLessThanOrEqual(16_384 + 2);
  });

  it('has a bucket where there is no time at all', () => {
    const window = windowFor({ fromNs: 0, toNs: 10 }, 1000, { fromNs: 0, toNs: 0 });
    expect(window.toNs).toBeGreaterThan(window.fromNs);
  });
});

describe('suffices', () => {
  const view = { fromNs: 4e8, toNs: 5e8 };
  const loaded = windowFor(view, 1000, bounds);
  it('lets the view move without asking again, until the reserve is used up', () => {
    expect(suffices(loaded, view, 1000, bounds)).toBe(true);
    expect(suffices(loaded, { fromNs: 4.7e8, toNs: 5.7e8 }, 1000, bounds)).toBe(true);
    expect(suffices(loaded, { fromNs: 4.8e8, toNs: 5.8e8 }, 1000, bounds)).toBe(false);
    expect(suffices(loaded, { fromNs: 3.2e8, toNs: 4.2e8 }, 1000, bounds)).toBe(false);
  });
  it('asks again for another resolution', () => {
    expect(suffices(loaded, { fromNs: 4.4e8, toNs: 4.5e8 }, 1000, bounds)).toBe(false);
    expect(suffices(loaded, { fromNs: 4.01e8, toNs: 5e8 }, 1000, bounds)).toBe(true);
  });
  it('wants no reserve where there is no data', () => {
    const all = { fromNs: -2e7, toNs: 1.02e9 };
    expect(suffices(windowFor(all, 1000, bounds), all, 1000, bounds)).toBe(true);
    const end = { fromNs: 9.5e8, toNs: 1.02e9 };
    expect(suffices(windowFor(end, 1000, bounds), end, 1000, bounds)).toBe(true);
  });
});

describe('stillUseful', () => {
  const pending: DataWindow = { fromNs: 0, toNs: 3e8, resolutionNs: 65_536 };
  it('waits for what will be seen at about the right resolution', () => {
    expect(stillUseful(pending, { fromNs: 2.5e8, toNs: 3.5e8 }, 1000)).toBe(true);
    expect(stillUseful(pending, { fromNs: 4e8, toNs: 5e8 }, 1000)).toBe(false);
    expect(stillUseful(pending, { fromNs: 1e8, toNs: 1.01e8 }, 1000)).toBe(false);
  });
});

it('resolutionFor is the largest power of two within a pixel', () => {
  expect(resolutionFor({ fromNs: 0, toNs: 1024_000 }, 1000)).toBe(1024);
  expect(resolutionFor({ fromNs: 0, toNs: 2047_000 }, 1000)).toBe(1024);
  expect(resolutionFor({ fromNs: 0, toNs: 10 }, 1000)).toBe(1);
});

/** A fetcher whose loads are answered by hand. */
function setUp() {
  const loads: {
    request: string;
    signal: AbortSignal;
    resolve: (data: string) => void;
    reject: (error: unknown) => void;
  }[] = [];
  const arrived: string[] = [];
  const errors: unknown[] = [];
  const fetcher = new LatestFetcher<string, string>(
    (request, signal) => new Promise((resolve, reject) => loads.push({ request, signal, resolve, reject })),
    (data) => arrived.push(data),
    (error) => errors.push(error),
  );
  const settled = () => new Promise((resolve) => setImmediate(resolve));
  return { fetcher, loads, arrived, errors, settled };
}

describe('LatestFetcher', () => {
  it('has one request under way; of the wishes meanwhile only the latest is granted', async () => {
    const { fetcher, loads, arrived, settled } = setUp();
    fetcher.want('a');
    fetcher.want('b');
    fetcher.want('c');
    expect(loads.map((load) => load.request)).toEqual(['a']);
    loads[0].resolve('A');
    await settled();
    expect(arrived).toEqual(['A']);
    expect(loads.map((load) => load.request)).toEqual(['a', 'c']);
    expect(fetcher.pending).toBe('c');
    loads[1].resolve('C');
    await settled();
    expect(arrived).toEqual(['A', 'C']);
    expect(fetcher.pending).toBeNull();
  });

  it('ends the one under way for an urgent wish, and drops what it may still answer', async () => {
    const { fetcher, loads, arrived, settled } = setUp();
    fetcher.want('a');
    fetcher.want('b', { urgent: true });
    expect(loads[0].signal.aborted).toBe(true);
    loads[1].resolve('B');
    loads[0].resolve('A');
    await settled();
    expect(arrived).toEqual(['B']);
  });

  it('tells errors, but not cancellation, and goes on', async () => {
    const { fetcher, loads, arrived, errors, settled } = setUp();
    fetcher.want('a');
    fetcher.want('b');
    loads[0].reject(new RemoraError({ code: 'cancelled', message: '' }));
    await settled();
    loads[1].reject(new Error('broken'));
    await settled();
    expect(errors.map(String)).toEqual(['Error: broken']);
    fetcher.want('c');
    loads[2].resolve('C');
    await settled();
    expect(arrived).toEqual(['C']);
  });

  it('is silent after cancel', async () => {
    const { fetcher, loads, arrived, errors, settled } = setUp();
    fetcher.want('a');
    fetcher.want('b');
    fetcher.cancel();
    loads[0].resolve('A');
    await settled();
    expect(loads).toHaveLength(1);
    expect([...arrived, ...errors]).toEqual([]);
  });
});
