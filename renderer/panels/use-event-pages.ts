import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { captureStore, onGrowth } from '../state/capture.ts';
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
  const redraw = useRedraw();
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

/** A function that renders the component again, with what else has changed by the end of the task: it is not put off as other updates are. */
function useRedraw(): () => void {
  const changes = useRef({ count: 0, tell: () => {} });
  const subscribe = useCallback((tell: () => void) => {
    changes.current.tell = tell;
    return () => {
      changes.current.tell = () => {};
    };
  }, []);
  useSyncExternalStore(subscribe, () => changes.current.count);
  return useCallback(() => {
    changes.current.count += 1;
    changes.current.tell();
  }, []);
}

/** Events come out of several ring buffers: after this long none comes any more that belongs before others. */
const SETTLED_MS = 2000;

/** Keeps the pages of a list up to date with a capture that is shown, and takes them anew when it has ended. */
function useGrowth(workspaceId: string, filter: string, pages: EventPages, edgeShown: () => ShownEdge | null): void {
  useEffect(() => {
    const lengths: { atMs: number; events: number }[] = [{ atMs: 0, events: 0 }];
    if (captureStore.getState().workspaceId === workspaceId) void pages.growAtEdge('end', 0, edgeShown()?.rows ?? 0);
    const stopWatching = captureStore.subscribe(({ workspaceId: growing }, before) => {
      if (before.workspaceId === workspaceId && growing !== workspaceId) pages.grow(null, 0);
    });
    const stopGrowing = onGrowth(({ events }) => {
      const { info, workspaceId: growing } = captureStore.getState();
      if (growing !== workspaceId) return;
      const atMs = performance.now();
      lengths.push({ atMs, events });
      while (lengths.length > 1 && lengths[1].atMs < atMs - SETTLED_MS) lengths.shift();
      // How many of a filter's or a flight recorder's rows are certain is not known here: what is on screen is asked for again.
      const known = filter === '' && !info?.flightRecorder;
      const [total, stable] = known ? [events, lengths[0].events] : [null, 0];
      const at = edgeShown();
      if (at !== null) return pages.growAtEdge(at.edge, stable, at.rows);
      pages.grow(total, stable);
    });
    return () => {
      stopWatching();
      stopGrowing();
    };
  }, [workspaceId, filter, pages, edgeShown]);
}
