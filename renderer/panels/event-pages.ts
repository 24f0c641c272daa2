import type { RowsResult } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import type { EventRow } from '../../shared/model.ts';

/**
 * The event list as pages fetched on demand. Asking for rows cancels the pages that are on their way and no longer
 * wanted; pages that came are kept, the least recently seen ones are given up first.
 */
export const PAGE_ROWS = 200;
const MAX_PAGES = 100;

/** Rows that are asked for at an end of a list that grows: more than most windows show. */
const LEAST_AT_EDGE = 40;

/** A filtered list that is still being found is asked again after this long; the engine takes its own moment too. */
const ASK_AGAIN_MS = 100;

/** Where a list changes while somebody looks at it. */
export type ListEdge = 'start' | 'end';

export type FetchRows = (first: number | ListEdge, count: number, signal: AbortSignal) => Promise<RowsResult>;

interface AtEdge {
  edge: ListEdge;
  controller: AbortController;
  /** The list has grown since it was asked for. */
  again: boolean;
  /** Settles with the rows that are on their way. */
  next: Awaited;
}

interface Awaited {
  promise: Promise<void>;
  settle: () => void;
}

function awaited(): Awaited {
  let settle = (): void => {};
  const promise = new Promise<void>((resolve) => {
    settle = resolve;
  });
  return { promise, settle };
}

export class EventPages {
  /** Row behind the list's last, as far as it is known; null until the first page came. */
  total: number | null = null;
  /** The list's first row: a flight recorder gives up those before, the others keep their numbers. */
  firstRow = 0;
  /** How far a filter has looked; null when it is through. */
  scan: RowsResult['scan'] = null;

  readonly #fetch: FetchRows;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  /** In order of last use. */
  readonly #pages = new Map<number, (EventRow | undefined)[]>();
  readonly #underway = new Map<number, AbortController>();
  readonly #failed = new Set<number>();
  /** Pages that are here and have changed since: shown until they are here again. */
  readonly #stale = new Set<number>();
  #again: ReturnType<typeof setTimeout> | undefined;
  /** The first or last rows of a list that grows, where somebody looks at them; `stale`: it has grown since. */
  #edge: { first: number; rows: EventRow[]; stale: boolean } | null = null;
  #atEdge: AtEdge | null = null;

  constructor(fetch: FetchRows, onChange: () => void, onError: (error: unknown) => void) {
    this.#fetch = fetch;
    this.#onChange = onChange;
    this.#onError = onError;
  }

  /** Makes sure that these rows (both inclusive) are here or on their way. */
  need(first: number, last: number): void {
    const firstPage = Math.floor(Math.max(0, first) / PAGE_ROWS);
    const lastPage = Math.floor(Math.max(0, last) / PAGE_ROWS);
    for (const [page, controller] of this.#underway) {
      if (page >= firstPage && page <= lastPage) continue;
      this.#underway.delete(page);
      controller.abort();
    }
    if (this.#edge?.stale === false && first >= this.#edge.first && last < this.#edge.first + this.#edge.rows.length)
      return;
    for (let page = firstPage; page <= lastPage; page++) {
      const rows = this.#pages.get(page);
      if (rows) {
        this.#pages.delete(page);
        this.#pages.set(page, rows);
      }
      if ((!rows || this.#stale.has(page)) && !this.#underway.has(page) && !this.#failed.has(page))
        void this.#load(page);
    }
  }

  /**
   * The list has grown: of its rows only the first `stable` are certain to be where they were, and the others are asked for
   * again when they are needed. `total`: its length by now; null: not known, the next page that comes tells.
   */
  grow(total: number | null, stable: number): void {
    if (total !== null) this.total = total;
    this.#outdate(stable);
    if (this.#edge !== null) this.#edge.stale = true;
    this.#onChange();
  }

  /** A row, or undefined while it is not here. */
  row(index: number): EventRow | undefined {
    const page = Math.floor(index / PAGE_ROWS);
    const ofPage = this.#pages.get(page)?.[index % PAGE_ROWS];
    const ofEdge = this.#edge?.rows[index - this.#edge.first];
    const preferEdge = this.#edge?.stale === false || this.#stale.has(page);
    return preferEdge ? (ofEdge ?? ofPage) : (ofPage ?? ofEdge);
  }

  /**
   * The same for whoever looks at an end of the list, at its first or last `count` rows, which stay as they are until the new ones
   * are here: else there would never be anything to see of a list that changes faster than pages come. One request at a time.
   * Resolves with the next rows that are here.
   */
  growAtEdge(edge: ListEdge, stable: number, count: number): Promise<void> {
    if (this.#atEdge?.edge === edge) {
      this.#atEdge.again = true;
      return this.#atEdge.next.promise;
    }
    this.#atEdge?.controller.abort();
    const asking = { edge, controller: new AbortController(), again: false, next: awaited() };
    this.#atEdge = asking;
    const { promise } = asking.next;
    void this.#askAtEdge(asking, stable, count);
    return promise;
  }

  async #askAtEdge(asking: AtEdge, stable: number, count: number): Promise<void> {
    const { edge } = asking;
    try {
      do {
        asking.again = false;
        const result = await this.#fetch(edge, Math.max(count, LEAST_AT_EDGE), asking.controller.signal);
        if (this.#atEdge !== asking) return;
        const { total, firstRow, rows, scan } = result;
        this.#outdate(stable);
        this.#edge = { first: edge === 'end' ? total - rows.length : firstRow, rows, stale: false };
        this.total = total;
        this.firstRow = firstRow;
        this.scan = scan;
        this.#onChange();
        asking.next.settle();
        asking.next = awaited();
      } while (asking.again);
    } catch (error) {
      if (toErrorDetail(error).code !== 'cancelled') this.#onError(error);
    } finally {
      asking.next.settle();
      if (this.#atEdge === asking) this.#atEdge = null;
    }
  }

  #outdate(stable: number): void {
    const first = Math.floor(stable / PAGE_ROWS);
    for (const page of this.#pages.keys()) if (page >= first) this.#stale.add(page);
  }

  #limit(): void {
    for (const oldest of this.#pages.keys()) {
      if (this.#pages.size <= MAX_PAGES) break;
      this.#pages.delete(oldest);
      this.#stale.delete(oldest);
    }
  }

  /** Gives up everything that is on its way. */
  close(): void {
    this.#atEdge?.controller.abort();
    this.#atEdge = null;
    clearTimeout(this.#again);
    for (const controller of this.#underway.values()) controller.abort();
    this.#underway.clear();
  }

  async #load(page: number): Promise<void> {
    const controller = new AbortController();
    this.#underway.set(page, controller);
    try {
      const result = await this.#fetch(page * PAGE_ROWS, PAGE_ROWS, controller.signal);
      if (this.#underway.get(page) !== controller) return;
      this.total = result.total;
      this.firstRow = result.firstRow;
      this.scan = result.scan;
      // A page in which the list begins has nothing before.
      const missing = Math.max(0, (result.rows[0]?.row ?? 0) - page * PAGE_ROWS);
      this.#pages.set(page, [...new Array<undefined>(missing), ...result.rows]);
      this.#stale.delete(page);
      this.#limit();
      this.#underway.delete(page);
      this.#onChange();
      // Found rows stay where they are: only the end of the list, and with it this page, can still grow.
      if (result.scan !== null) {
        clearTimeout(this.#again);
        this.#again = setTimeout(() => {
          // One that is on its way would be given up for this one, again and again.
          if (!this.#underway.has(page)) void this.#load(page);
        }, ASK_AGAIN_MS);
      }
    } catch (error) {
      if (this.#underway.get(page) !== controller) return;
      this.#underway.delete(page);
      if (toErrorDetail(error).code === 'cancelled') return;
      // Asking again at every frame would repeat the error at every frame.
      this.#failed.add(page);
      this.#onError(error);
    }
  }
}
