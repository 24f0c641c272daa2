import { toErrorDetail } from '../../shared/errors.ts';
import type { TimeRange } from '../../shared/time.ts';

/** Which part of the data to ask the engine for, and when to ask again. */
export interface DataWindow extends TimeRange {
  /** Length of a bucket: a power of two, so that neighbouring zoom levels ask for the same buckets. */
  resolutionNs: number;
}

/** The engine's limit for a plot's bins is 20,000; lanes keep to the same. */
const MAX_BUCKETS = 16_384;

/** Largest power of two of ns that is at most a pixel; 1 ns at least. */
export function resolutionFor(view: TimeRange, widthPx: number): number {
  return 2 ** Math.max(0, Math.floor(Math.log2((view.toNs - view.fromNs) / Math.max(1, widthPx))));
}

/**
 * Three windows' width around `view`, cut to the data, in whole buckets of about a pixel. Moving by up to a window
 * needs nothing new then.
 */
export function windowFor(view: TimeRange, widthPx: number, bounds: TimeRange): DataWindow {
  const span = view.toNs - view.fromNs;
  let resolutionNs = resolutionFor(view, widthPx);
  while ((3 * span) / resolutionNs > MAX_BUCKETS) resolutionNs *= 2;
  const from = Math.max(bounds.fromNs, view.fromNs - span);
  const to = Math.min(bounds.toNs, view.toNs + span);
  const fromNs = Math.floor(from / resolutionNs) * resolutionNs;
  // The last event lies at the end of the bounds and belongs to the window.
  const toNs = Math.max(fromNs + resolutionNs, (Math.floor(to / resolutionNs) + 1) * resolutionNs);
  return { fromNs, toNs, resolutionNs };
}

/** Time that is to be here before what is seen. */
export const reserveOf = (view: TimeRange): number => view.fromNs - (view.toNs - view.fromNs) / 4;

/**
 * Whether `loaded` is as good for `view` as what `windowFor` would fetch: its resolution, and a quarter of a window of
 * reserve on both sides where there is data.
 */
export function suffices(loaded: DataWindow, view: TimeRange, widthPx: number, bounds: TimeRange): boolean {
  const wanted = windowFor(view, widthPx, bounds);
  if (loaded.resolutionNs !== wanted.resolutionNs) return false;
  const reserve = (view.toNs - view.fromNs) / 4;
  const from = Math.max(wanted.fromNs, reserveOf(view));
  const to = Math.min(wanted.toNs, view.toNs + reserve);
  return loaded.fromNs <= from && loaded.toNs >= to;
}

/** Whether `loaded` has what is not in the data any more where the view shows it. */
export const showsGone = (loaded: DataWindow, view: TimeRange, bounds: TimeRange): boolean =>
  view.fromNs < bounds.fromNs && loaded.fromNs + loaded.resolutionNs <= bounds.fromNs;

/** Whether data on its way for `window` is worth waiting for, although `view` wants other data by now. */
export function stillUseful(window: DataWindow, view: TimeRange, widthPx: number): boolean {
  const ratio = window.resolutionNs / resolutionFor(view, widthPx);
  return window.fromNs < view.toNs && window.toNs > view.fromNs && ratio <= 4 && ratio >= 1 / 4;
}

/**
 * One request at a time, the latest wish wins: while one is under way the newest wish waits, and starts when it ends.
 * `urgent` wishes end the one under way first. Results arrive in the order of the wishes; skipped wishes never do.
 */
export class LatestFetcher<Request, Data> {
  readonly #load: (request: Request, signal: AbortSignal) => Promise<Data>;
  readonly #onData: (data: Data, request: Request) => void;
  readonly #onError: (error: unknown, request: Request) => void;
  #current: { request: Request; controller: AbortController } | null = null;
  #next: Request | null = null;

  constructor(
    load: (request: Request, signal: AbortSignal) => Promise<Data>,
    onData: (data: Data, request: Request) => void,
    onError: (error: unknown, request: Request) => void,
  ) {
    this.#load = load;
    this.#onData = onData;
    this.#onError = onError;
  }

  /** The request under way. */
  get pending(): Request | null {
    return this.#current?.request ?? null;
  }

  want(request: Request, { urgent = false } = {}): void {
    if (this.#current && !urgent) {
      this.#next = request;
      return;
    }
    this.#current?.controller.abort();
    this.#next = null;
    void this.#start(request);
  }

  /** Ends the request under way and forgets the waiting one; nothing arrives after this. */
  cancel(): void {
    this.#current?.controller.abort();
    this.#current = null;
    this.#next = null;
  }

  async #start(request: Request): Promise<void> {
    const started = { request, controller: new AbortController() };
    this.#current = started;
    try {
      const data = await this.#load(request, started.controller.signal);
      if (this.#current === started) this.#settle(() => this.#onData(data, request));
    } catch (error) {
      if (this.#current !== started) return;
      const cancelled = toErrorDetail(error).code === 'cancelled';
      this.#settle(() => {
        if (!cancelled) this.#onError(error, request);
      });
    }
  }

  /** The next wish starts before the listener runs, so that `pending` is right when it looks. */
  #settle(deliver: () => void): void {
    this.#current = null;
    const next = this.#next;
    this.#next = null;
    if (next !== null) void this.#start(next);
    deliver();
  }
}
