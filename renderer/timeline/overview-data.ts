import { useEffect, useState } from 'react';
import type { LanesResult } from '../../shared/api.ts';
import { query, reportError } from '../state/connection.ts';

/** Events of the whole recording over time, all CPUs together: 0..1 of the busiest bucket, on a logarithmic scale. */
export interface Overview {
  /** Where the first bucket begins. */
  fromNs: number;
  resolutionNs: number;
  levels: Float32Array;
}

/** Two px a bucket: finer is not seen at the overview's height. */
const BUCKET_PX = 2;

/** Loads the overview once for a workspace (empty: none) and a width; null until it is there. */
export function useOverview(workspaceId: string, startNs: number, endNs: number, widthPx: number): Overview | null {
  const [loaded, setLoaded] = useState<{ workspaceId: string; overview: Overview } | null>(null);
  // Widths within a factor of two share their buckets: resizing loads nothing again.
  const resolutionNs =
    widthPx > 0 ? 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, ((endNs - startNs) * BUCKET_PX) / widthPx)))) : 0;
  useEffect(() => {
    if (resolutionNs === 0 || workspaceId === '') return;
    const controller = new AbortController();
    query(
      'lanes',
      { fromNs: startNs, toNs: endNs + 1, resolutionNs, slices: false },
      { signal: controller.signal },
    ).then(
      (result) => setLoaded({ workspaceId, overview: overviewOf(result) }),
      (error) => {
        if (!controller.signal.aborted) reportError(error);
      },
    );
    return () => controller.abort();
  }, [workspaceId, startNs, endNs, resolutionNs]);
  return loaded?.workspaceId === workspaceId ? loaded.overview : null;
}

/** Adds up the lanes of a result that covers the whole recording. */
export function overviewOf({
  lanes,
  fromNs,
  resolutionNs,
}: Pick<LanesResult, 'lanes' | 'fromNs' | 'resolutionNs'>): Overview {
  const buckets = Math.max(0, ...lanes.map((lane) => lane.density.length));
  const levels = new Float32Array(buckets);
  for (const { density } of lanes) for (let i = 0; i < density.length; i++) levels[i] += density[i];
  const most = Math.log2(1 + levels.reduce((max, count) => Math.max(max, count), 0));
  for (let i = 0; i < buckets; i++) levels[i] = most > 0 ? Math.log2(1 + levels[i]) / most : 0;
  return { fromNs, resolutionNs, levels };
}
