import { useEffect, useState } from 'react';
import { createStore, type StoreApi } from 'zustand/vanilla';
import type { Progress, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { onCaptureEnd } from '../state/capture.ts';
import { query } from '../state/connection.ts';
import { ViewLoader } from '../timeline/view-loader.ts';

/** The values of one plot around the view. Series that fail say why; the others are drawn. */
export interface PlotData {
  /** Results of the series that could be computed, in the order of the panel; null until the first answer. */
  results: SeriesResult[] | null;
  errors: { expr: string; message: string }[];
}
const nothing: PlotData = { results: null, errors: [] };

export type PlotDataStore = StoreApi<PlotData>;

/** What decides the values of a series; the rest of its spec is how they look. */
const source = ({ expr, groupBy, where, unit }: SeriesSpec): string => JSON.stringify([expr, groupBy, where, unit]);

/** Loads `series` for whatever the view shows while the component lives. The store is the same in every render. */
export function usePlotData(series: readonly SeriesSpec[]): PlotDataStore {
  const [store] = useState(() => createStore<PlotData>(() => nothing));
  const sources = series.map(source).join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `sources` is all of `series` that matters here
  useEffect(() => {
    const loader = new ViewLoader<PlotData>(
      (window, signal) => {
        const bins = Math.round((window.toNs - window.fromNs) / window.resolutionNs);
        const asked = { fromNs: window.fromNs, toNs: window.toNs, bins };
        return loadAll(series, asked, signal, (results) => {
          // What is drawn already is better than a part of what comes.
          if (!signal.aborted && store.getState().results === null) store.setState({ results, errors: [] });
        });
      },
      (data) => store.setState(data),
      (error) => store.setState({ results: [], errors: [{ expr: '', message: toErrorDetail(error).message }] }),
    );
    const stopEnding = onCaptureEnd(() => loader.reload());
    return () => {
      stopEnding();
      loader.stop();
    };
  }, [sources, store]);
  return store;
}

async function loadAll(
  specs: readonly SeriesSpec[],
  window: { fromNs: number; toNs: number; bins: number },
  signal: AbortSignal,
  onFirstLook: (results: SeriesResult[]) => void,
): Promise<PlotData> {
  const answers = await Promise.allSettled(
    specs.map((spec) => {
      const onProgress = ({ firstLook }: Progress): void => {
        if (firstLook !== undefined) onFirstLook([firstLook]);
      };
      return query('series', { spec, ...window }, { signal, onProgress });
    }),
  );
  const data: PlotData = { results: [], errors: [] };
  for (const [index, answer] of answers.entries()) {
    if (answer.status === 'fulfilled') data.results?.push(answer.value);
    else if (toErrorDetail(answer.reason).code === 'cancelled') throw answer.reason;
    else data.errors.push({ expr: specs[index].expr, message: toErrorDetail(answer.reason).message });
  }
  return data;
}

/** Results with the looks that `series` have by now, which may have changed since they were asked for. */
export function withLooks(results: readonly SeriesResult[], series: readonly SeriesSpec[]): SeriesResult[] {
  const looks = new Map(series.map((spec) => [source(spec), spec]));
  return results.map((result) => ({ ...result, spec: looks.get(source(result.spec)) ?? result.spec }));
}
