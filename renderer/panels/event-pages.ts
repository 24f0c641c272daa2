import type { RowsResult } from '../../shared/api.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import type { EventRow } from '../../shared/model.ts';

/**
 * The event list as pages fetched on demand. Asking for rows cancels the pages that are on their way and no longer
 * wanted; pages that came are kept, the least recently seen ones are given up first.
 */
export const PAGE_ROWS = 200;
const MAX_PAGES = 100;

/** A filtered list that is still being found is asked again after this long; the engine takes its own moment too. */
const ASK_AGAIN_MS = 100;

export type FetchRows = (first: number, count: number, signal: AbortSignal) => Promise<RowsResult>;

/** First row of the page before the last: with the last one it fills any window. */
const endPage = (total: number): number => Math.max(0, Math.ceil(total / PAGE_ROWS) - 2) * PAGE_ROWS;

export class EventPages {
  /** Length of the list as far as it is known; null until the first page came. */
  total: number | null = null;
  /** How far a filter has looked; null when it is through. */
  scan: RowsResult['scan'] = null;

  readonly #fetch: FetchRows;
  readonly #onChange: () => void;
  readonly #onError: (error: unknown) => void;
  /** In order of last use. */
  readonly #pages = new Map<number, EventRow[]>();
  readonly #underway = new Map<number, AbortController>();
  readonly #failed = new Set<number>();
  /** Pages that are here and have changed since: shown until they are here again. */
  readonly #stale = new Set<number>();
  #again: ReturnType<typeof setTimeout> | undefined;
  #atEnd: AbortController | null = null;

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
    const first = Math.floor(stable / PAGE_ROWS);
    for (const page of this.#pages.keys()) if (page >= first) this.#stale.add(page);
    this.#onChange();
  }

  /** A row, or undefined while it is not here. */
  row(index: number): EventRow | undefined {
    return this.#pages.get(Math.floor(index / PAGE_ROWS))?.[index % PAGE_ROWS];
  }

  /**
   * The same for whoever looks at the end of the list, which stays as it is until its new end is here: else there would never be
   * anything to see of a list that grows faster than pages come. One request at a time.
   */
  async growAtEnd(total: number | null, stable: number): Promise<void> {
    if (this.#atEnd !== null) return;
    const controller = new AbortController();
    this.#atEnd = controller;
    try {
      let length = total ?? this.total ?? 0;
      let first = endPage(length);
      let result = await this.#fetch(first, PAGE_ROWS * 2, controller.signal);
      if (total === null && result.total > first + PAGE_ROWS * 2) {
        length = result.total;
        first = endPage(length);
        result = await this.#fetch(first, PAGE_ROWS * 2, controller.signal);
      }
      if (this.#atEnd !== controller) return;
      const { rows } = result;
      for (const page of this.#pages.keys()) if (page >= Math.floor(stable / PAGE_ROWS)) this.#stale.add(page);
      for (let at = 0; at < rows.length; at += PAGE_ROWS) {
        const page = (first + at) / PAGE_ROWS;
        this.#pages.delete(page);
        this.#pages.set(page, rows.slice(at, at + PAGE_ROWS));
        this.#stale.delete(page);
      }
      this.#limit();
      this.total = first + rows.length;
      this.scan = result.scan;
      this.#onChange();
    } catch (error) {
      if (toErrorDetail(error).code !== 'cancelled') this.#onError(error);
    } finally {
      if (this.#atEnd === controller) this.#atEnd = null;
    }
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
    this.#atEnd?.abort();
    this.#atEnd = null;
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
      this.scan = result.scan;
      this.#pages.set(page, result.rows);
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
