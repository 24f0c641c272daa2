import { viewportStore, workspaceStore } from '../state/stores.ts';
import { type DataWindow, LatestFetcher, reserveOf, showsGone, stillUseful, suffices, windowFor } from './fetch.ts';
import { geometryStore, timeWidthPx } from './geometry.ts';

/**
 * Keeps data loaded for whatever the view shows. What was loaded last stays good until the view leaves its reserve or
 * its resolution; what failed is not asked for again before the view wants something else.
 */
export class ViewLoader<Data> {
  readonly #fetcher: LatestFetcher<DataWindow, Data>;
  readonly #stops: (() => void)[];
  #loaded: DataWindow | null = null;
  #failed: DataWindow | null = null;

  constructor(
    load: (window: DataWindow, signal: AbortSignal) => Promise<Data>,
    onData: (data: Data, window: DataWindow) => void,
    onError: (error: unknown) => void,
  ) {
    this.#fetcher = new LatestFetcher(
      load,
      (data, window) => {
        this.#loaded = window;
        this.#failed = null;
        onData(data, window);
        this.look();
      },
      (error, window) => {
        this.#failed = window;
        onError(error);
      },
    );
    const look = () => this.look();
    this.#stops = [viewportStore.subscribe(look), geometryStore.subscribe(look)];
    this.look();
  }

  /** Asks for data if the view needs other than what is here or on its way. */
  look(): void {
    const widthPx = timeWidthPx(geometryStore.getState());
    if (widthPx <= 0 || !workspaceStore.getState().summary) return;
    const { fromNs, toNs, follow, ...viewport } = viewportStore.getState();
    const view = { fromNs, toNs };
    // Where the view moves along, what it leaves behind is not asked for again and again.
    const bounds = follow
      ? { ...viewport.bounds, fromNs: Math.max(viewport.bounds.fromNs, reserveOf(view)) }
      : viewport.bounds;
    const good = (window: DataWindow | null): boolean =>
      window !== null && suffices(window, view, widthPx, bounds) && !showsGone(window, view, bounds);
    const { pending } = this.#fetcher;
    if (good(this.#loaded) || good(pending) || good(this.#failed)) return;
    this.#fetcher.want(windowFor(view, widthPx, bounds), {
      urgent: pending !== null && !stillUseful(pending, view, widthPx),
    });
  }

  /** Loads again whatever the view shows, what is asked for has changed; what is here stays until then. */
  reload(): void {
    this.#fetcher.cancel();
    this.#loaded = null;
    this.#failed = null;
    this.look();
  }

  stop(): void {
    for (const stop of this.#stops) stop();
    this.#fetcher.cancel();
  }
}
