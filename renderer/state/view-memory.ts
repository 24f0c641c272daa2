import * as z from 'zod';
import { MOST_TASK_LANES, panelSchema } from '../../shared/chart.ts';
import { query, reportError } from './connection.ts';
import { newPlotKey } from './plots.ts';
import { plotsStore, selectionStore, taskLanesStore, uiStore, viewportStore, workspaceStore } from './stores.ts';

/**
 * What the workspace remembers of the window: the visible time, the plots, the markers. Kept as JSON under one view
 * name, a moment after the last change; a view that does not fit (older version, damaged) is left out, never an error.
 */
const VIEW_NAME = 'window';
const QUIET_MS = 400;

const viewSchema = z.object({
  version: z.literal(1),
  viewport: z.object({ fromNs: z.number(), toNs: z.number() }),
  plots: z.array(panelSchema),
  markers: z.object({ a: z.number().nullable(), b: z.number().nullable() }),
  tableFilter: z.string().max(4000),
  /** Views from before there were lanes of tasks have none. */
  tasks: z
    .array(z.object({ stream: z.int().nonnegative(), pid: z.int().positive(), comm: z.string().max(100) }))
    .max(MOST_TASK_LANES)
    .optional(),
});

let timer: ReturnType<typeof setTimeout> | undefined;
/** The last JSON that was kept or restored; null until then, when nothing may be written over what is stored. */
let kept: string | null = null;

function currentView(): string {
  const { fromNs, toNs } = viewportStore.getState();
  const { markerA, markerB } = selectionStore.getState();
  const view: z.infer<typeof viewSchema> = {
    version: 1,
    viewport: { fromNs, toNs },
    plots: plotsStore.getState().plots.map((plot) => plot.spec),
    markers: { a: markerA, b: markerB },
    tableFilter: uiStore.getState().tableFilter,
    tasks: [...taskLanesStore.getState().tasks],
  };
  return JSON.stringify(view);
}

/** Writes at once what is waiting to be written. */
export function flushView(): void {
  clearTimeout(timer);
  timer = undefined;
  if (kept === null || workspaceStore.getState().summary === null) return;
  const json = currentView();
  if (json === kept) return;
  kept = json;
  query('putView', { name: VIEW_NAME, json }).catch(reportError);
}

/** For a workspace that has just been opened: nothing is written before its own view was looked for. */
export function forgetView(): void {
  clearTimeout(timer);
  timer = undefined;
  kept = null;
}

/** Writes the view a moment after it last changed, and when the window goes away. */
export function watchView(): () => void {
  const later = () => {
    if (kept === null) return;
    clearTimeout(timer);
    timer = setTimeout(flushView, QUIET_MS);
  };
  const stops = [viewportStore, plotsStore, taskLanesStore, selectionStore, uiStore].map((store) =>
    (store as { subscribe(listener: () => void): () => void }).subscribe(later),
  );
  window.addEventListener('pagehide', flushView);
  return () => {
    for (const stop of stops) stop();
    window.removeEventListener('pagehide', flushView);
  };
}

/** Brings back the view of the open workspace, if it has one; `keepTime` leaves the visible time as it is. */
export async function restoreView({ keepTime = false } = {}): Promise<void> {
  const json = await query('getView', { name: VIEW_NAME }).then(
    (view) => view.json,
    () => '',
  );
  const view = parseView(json);
  if (view) {
    if (!keepTime) viewportStore.setState(view.viewport);
    plotsStore.setState({
      plots: view.plots.filter((spec) => spec.kind === 'plot').map((spec) => ({ key: newPlotKey(), spec })),
    });
    const streams = workspaceStore.getState().summary?.streams.length ?? 0;
    taskLanesStore.setState({ tasks: (view.tasks ?? []).filter(({ stream }) => stream < streams) });
    const { markerA, markerB } = selectionStore.getState();
    selectionStore.setState({ markerA: markerA ?? view.markers.a, markerB: markerB ?? view.markers.b });
    uiStore.setState({ tableFilter: view.tableFilter });
  }
  kept = currentView();
}

export function parseView(json: string): z.infer<typeof viewSchema> | null {
  if (json === '') return null;
  try {
    const parsed = viewSchema.safeParse(JSON.parse(json));
    return parsed.success && parsed.data.viewport.toNs > parsed.data.viewport.fromNs ? parsed.data : null;
  } catch {
    return null;
  }
}
