import { createStore } from 'zustand/vanilla';
import type { CpuLane, LanesResult } from '../../shared/api.ts';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { onCaptureEnd } from '../state/capture.ts';
import { query } from '../state/connection.ts';
import { workspaceStore } from '../state/stores.ts';
import { lanesByKey } from './layout.ts';
import { ViewLoader } from './view-loader.ts';

/** The lanes' data around the view. What was loaded last stays, and is drawn where it belongs, until better data is here. */
export interface LanesState {
  result: LanesResult | null;
  /** By `laneKey`. */
  lanes: Map<string, CpuLane>;
  error: ErrorDetail | null;
}
const nothing: LanesState = { result: null, lanes: new Map(), error: null };
export const lanesStore = createStore<LanesState>(() => nothing);

/** Loads lanes for whatever the view shows, until the returned function is called. */
export function keepLanesLoaded(): () => void {
  const loader = new ViewLoader<LanesResult>(
    (window, signal) => query('lanes', window, { signal }),
    (result) => lanesStore.setState({ result, lanes: lanesByKey(result), error: null }),
    (error) => lanesStore.setState({ error: toErrorDetail(error) }),
  );
  const stopWatching = workspaceStore.subscribe((state, before) => {
    if (state.summary?.workspaceId === before.summary?.workspaceId) return;
    lanesStore.setState(nothing);
    loader.reload();
  });
  const stopEnding = onCaptureEnd(() => loader.reload());
  return () => {
    stopWatching();
    stopEnding();
    loader.stop();
    lanesStore.setState(nothing);
  };
}
