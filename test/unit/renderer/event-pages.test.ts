import { describe, expect, it, vi } from 'vitest';
import { EventPages, PAGE_ROWS } from '../../../renderer/panels/event-pages.ts';
import type { RowsResult } from '../../../shared/api.ts';
import { RemoraError } from '../../../shared/errors.ts';

const TOTAL = 1_000_000;

/** A list of rows that know only their number; requests wait until they are let through. */
function slowList() {
  const requests: {
    first: number;
    aborted: boolean;
    answer: () => Promise<void>;
    fail: (error: Error) => Promise<void>;
  }[] = [];
  const fetch = (from: number | 'start' | 'end', count: number, signal: AbortSignal) =>
    new Promise<RowsResult>((resolve, reject) => {
      const first = from === 'end' ? TOTAL - count : from === 'start' ? 0 : from;
      const rows = Array.from({ length: Math.min(count, TOTAL - first) }, (_, index) => ({
        row: first + index,
      })) as RowsResult['rows'];
      const settled = () => new Promise<void>((done) => setTimeout(done, 0));
      const request = {
        first,
        aborted: false,
        answer: () => {
          resolve({ total: TOTAL, firstRow: 0, rows, scan: null });
          return settled();
        },
        fail: (error: Error) => {
          reject(error);
          return settled();
        },
      };
      signal.addEventListener('abort', () => {
        request.aborted = true;
        reject(new RemoraError({ code: 'cancelled', message: 'cancelled' }));
      });
      requests.push(request);
    });
  return { requests, fetch };
}

const fail = (error: unknown) => {
  throw error;
};

describe('event pages', () => {
  it('fetches the pages of the rows that are needed, once', async () => {
    const { requests, fetch } = slowList();
    let changes = 0;
    const pages = new EventPages(fetch, () => (changes += 1), fail);
    pages.need(PAGE_ROWS - 5, PAGE_ROWS + 5);
    pages.need(PAGE_ROWS - 5, PAGE_ROWS + 5);
    expect(requests.map((request) => request.first)).toEqual([0, PAGE_ROWS]);
    expect(pages.row(PAGE_ROWS)).toBeUndefined();
    for (const request of requests) await request.answer();
    expect(changes).toBe(2);
    expect(pages.total).toBe(TOTAL);
    expect(pages.row(PAGE_ROWS + 3)?.row).toBe(PAGE_ROWS + 3);
    pages.need(0, 0);
    expect(requests).toHaveLength(2);
  });

  it('cancels what is no longer wanted and keeps what still is', async () => {
    const { requests, fetch } = slowList();
    const pages = new EventPages(fetch, () => {}, fail);
    pages.need(0, PAGE_ROWS);
    pages.need(PAGE_ROWS, 2 * PAGE_ROWS);
    expect(requests.map((request) => request.aborted)).toEqual([true, false, false]);
    await requests[1].answer();
    expect(pages.row(PAGE_ROWS)?.row).toBe(PAGE_ROWS);
    expect(pages.row(0)).toBeUndefined();
    // Wanted again after it was cancelled: asked for again.
    pages.need(0, 0);
    expect(requests.at(-1)?.first).toBe(0);
  });

  it('gives up the page that was not looked at for longest', async () => {
    const { requests, fetch } = slowList();
    const pages = new EventPages(fetch, () => {}, fail);
    for (let page = 0; page < 150; page++) {
      pages.need(page * PAGE_ROWS, page * PAGE_ROWS);
      await requests.at(-1)?.answer();
      pages.need(0, 0);
    }
    expect(pages.row(0)?.row).toBe(0);
    expect(pages.row(PAGE_ROWS)).toBeUndefined();
    expect(pages.row(149 * PAGE_ROWS)?.row).toBe(149 * PAGE_ROWS);
  });

  it('asks again for a list that is still being found, until it is through', async () => {
    vi.useFakeTimers();
    const answers: RowsResult[] = [
      { total: 1, firstRow: 0, rows: [{ row: 0 }] as RowsResult['rows'], scan: { done: 10, total: 30 } },
      { total: 2, firstRow: 0, rows: [{ row: 0 }, { row: 1 }] as RowsResult['rows'], scan: { done: 20, total: 30 } },
      { total: 2, firstRow: 0, rows: [{ row: 0 }, { row: 1 }] as RowsResult['rows'], scan: null },
    ];
    const seen: unknown[] = [];
    const pages = new EventPages(
      () => Promise.resolve(answers.shift() as RowsResult),
      () => seen.push([pages.total, pages.scan?.done ?? 'through']),
      fail,
    );
    pages.need(0, 0);
    for (let i = 0; i < 5; i++) await vi.advanceTimersByTimeAsync(1000);
    vi.useRealTimers();
    expect(seen).toEqual([
      [1, 10],
      [2, 20],
      [2, 'through'],
    ]);
    expect(pages.row(1)?.row).toBe(1);
  });

  it('reports an error once and does not ask again', async () => {
    const { requests, fetch } = slowList();
    const errors: unknown[] = [];
    const pages = new EventPages(
      fetch,
      () => {},
      (error) => errors.push(error),
    );
    pages.need(0, 0);
    await requests[0].fail(new Error('broken'));
    pages.need(0, 0);
    expect(errors).toHaveLength(1);
    expect(requests).toHaveLength(1);
  });

  it('asks again for what may have changed when the list grows, and shows what it has until then', async () => {
    const { requests, fetch } = slowList();
    const pages = new EventPages(fetch, () => undefined, fail);
    const last = PAGE_ROWS * 3 - 1;
    pages.need(0, last);
    for (const request of requests) await request.answer();
    pages.grow(TOTAL + 10, PAGE_ROWS * 2 + 5);
    expect(pages.total).toBe(TOTAL + 10);
    pages.need(0, last);
    pages.need(0, last);
    expect(requests.slice(3).map((request) => request.first)).toEqual([PAGE_ROWS * 2]);
    expect(pages.row(last)?.row).toBe(last);
    await requests[3]?.answer();
    pages.need(0, last);
    expect(requests).toHaveLength(4);
  });

  it('shows the end of a growing list as it was until its new end is here', async () => {
    const { requests, fetch } = slowList();
    const pages = new EventPages(fetch, () => undefined, fail);
    pages.need(0, 10);
    await requests[0]?.answer();
    pages.total = 150;
    const grown = pages.growAtEdge('end', 150, 60);
    void pages.growAtEdge('end', 160, 60);
    void pages.growAtEdge('end', 170, 60);
    expect(requests.slice(1).map((request) => request.first)).toEqual([TOTAL - 60]);
    expect(pages.total).toBe(150);
    await requests[1]?.answer();
    expect(pages.total).toBe(TOTAL);
    expect(pages.row(TOTAL - 1)?.row).toBe(TOTAL - 1);
    pages.need(TOTAL - 60, TOTAL - 1);
    // It has grown meanwhile: asked for once more, and no page is.
    expect(requests.slice(2).map((request) => request.first)).toEqual([TOTAL - 60]);
    await requests[2]?.answer();
    await grown;
    expect(requests).toHaveLength(3);
    // Whoever looks at what is above needs pages.
    pages.need(TOTAL - 70, TOTAL - 50);
    expect(requests.length).toBeGreaterThan(3);
  });
});
