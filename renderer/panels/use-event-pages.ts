import { useEffect, useMemo, useReducer } from 'react';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { captureStore } from '../state/capture.ts';
import { query, reportError } from '../state/connection.ts';
import { EventPages, type ListEdge } from './event-pages.ts';

export interface ShownEdge {
  edge: ListEdge;
  rows: number;
}

/**
 * The pages of a workspace's filtered list. What is wrong with the filter goes to `setError`, null when it is new. `edgeShown`:
 * which end of a list that grows is on screen, and how many rows of it; null where it is neither.
 */
export function useEventPages(
  workspaceId: string,
  filter: string,
  setError: (error: ErrorDetail | null) => void,
  edgeShown: () => ShownEdge | null,
): EventPages {
  const [, redraw] = useReducer((count: number) => count + 1, 0);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another workspace has other pages
  const pages = useMemo(
    () =>
      new EventPages(
        (first, count, signal) => query('rows', { first, count, filter, partial: true }, { signal }),
        redraw,
        (error) => {
          const detail = toErrorDetail(error);
          if (detail.code === 'bad-expression') setError(detail);
          else reportError(error);
        },
      ),
    [workspaceId, filter],
  );
  useEffect(() => {
    setError(null);
    return () => pages.close();
  }, [pages, setError]);
  useGrowth(workspaceId, filter, pages, edgeShown);
  return pages;
}

/** Events come out of several ring buffers: after this long none comes any more that belongs before others. */
const SETTLED_MS = 2000;

/** Keeps the pages of a list up to date with a capture that is shown, and takes them anew when it has ended. */
function useGrowth(workspaceId: string, filter: string, pages: EventPages, edgeShown: () => ShownEdge | null): void {
  useEffect(() => {
    const lengths: { atMs: number; events: number }[] = [{ atMs: 0, events: 0 }];
    if (captureStore.getState().workspaceId === workspaceId) void pages.growAtEdge('end', 0, edgeShown()?.rows ?? 0);
    return captureStore.subscribe(({ shown, info, workspaceId: growing }, before) => {
      if (before.workspaceId === workspaceId && growing !== workspaceId) pages.grow(null, 0);
      if (growing !== workspaceId || shown === null || shown === before.shown) return;
      const atMs = performance.now();
      lengths.push({ atMs, events: shown.events });
      while (lengths.length > 1 && lengths[1].atMs < atMs - SETTLED_MS) lengths.shift();
      // How many of a filter's or a flight recorder's rows are certain is not known here: what is on screen is asked for again.
      const known = filter === '' && !info?.flightRecorder;
      const [total, stable] = known ? [shown.events, lengths[0].events] : [null, 0];
      const at = edgeShown();
      if (at !== null) void pages.growAtEdge(at.edge, stable, at.rows);
      else pages.grow(total, stable);
    });
  }, [workspaceId, filter, pages, edgeShown]);
}
