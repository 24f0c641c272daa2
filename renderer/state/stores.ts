import { createStore } from 'zustand/vanilla';
import type { Progress } from '../../shared/api.ts';
import type { PlotPanelSpec } from '../../shared/chart.ts';
import type { ErrorDetail } from '../../shared/errors.ts';
import type { Annotation, Episode, EpisodeTotal, EventRef, Finding, WorkspaceSummary } from '../../shared/model.ts';
import type { TimeRange } from '../../shared/time.ts';
import type { Estimate } from './estimate.ts';
import type { Stopping } from './stoppable.ts';

/**
 * The window's state: small, flat vanilla stores, one per concern. Components subscribe to slices of them; the
 * canvas reads the viewport by subscription and draws on animation frames, without re-rendering React.
 */

/** What is open, being opened, or went wrong. */
export interface WorkspaceState {
  /** False until the engine answers for the first time. */
  connected: boolean;
  status: 'empty' | 'opening' | 'open';
  /** Names of the files being opened, for the progress display. */
  opening: string[];
  progress: Progress | null;
  /** Whether the opening was told to stop with what is there. */
  stopping: Stopping;
  /** The last error, until dismissed; the window stays usable beside it. */
  error: ErrorDetail | null;
  summary: WorkspaceSummary | null;
  /** What is being opened looks like this; drawn until its lanes are there. */
  estimate: Estimate | null;
}
export const workspaceStore = createStore<WorkspaceState>(() => ({
  connected: false,
  status: 'empty',
  opening: [],
  progress: null,
  stopping: 'no',
  error: null,
  summary: null,
  estimate: null,
}));

/** Indexing of what an opening left out, while it goes on; null: it does not. */
export interface RestState {
  workspaceId: string | null;
  progress: Progress | null;
  stopping: Stopping;
}
export const noRest: RestState = { workspaceId: null, progress: null, stopping: 'no' };
export const restStore = createStore<RestState>(() => noRest);

/** Whether there is a time axis to move on: that of a workspace, or of what is being opened. */
export function hasTimeline(): boolean {
  const { summary, estimate } = workspaceStore.getState();
  return summary !== null || estimate !== null;
}

/** The visible window of time, shared by lanes, plots and table; `history` holds earlier views for Alt+Left. */
export interface ViewportState extends TimeRange {
  /** Bounds of the data: zooming out stops a little beyond them. */
  bounds: TimeRange;
  history: TimeRange[];
  /** The view moves along with data that grows: its end stays at the end of the data. */
  follow: boolean;
}
export const viewportStore = createStore<ViewportState>(() => ({
  fromNs: 0,
  toNs: 1,
  bounds: { fromNs: 0, toNs: 1 },
  history: [],
  follow: false,
}));

/** What the user points at. */
export interface SelectionState {
  /** The selected event: table row, lane cursor and detail panel follow it. */
  event: EventRef | null;
  eventTimeNs: number | null;
  /** A range of time, made by Shift+drag or an episode row: statistics, notes and zoom act on it. */
  range: TimeRange | null;
  hoverNs: number | null;
  /** A/B markers. */
  markerA: number | null;
  markerB: number | null;
  /** The marker that the next double click places. */
  activeMarker: 'A' | 'B';
  episodeId: number | null;
  annotationId: string | null;
}
const nothingSelected: SelectionState = {
  event: null,
  eventTimeNs: null,
  range: null,
  hoverNs: null,
  markerA: null,
  markerB: null,
  activeMarker: 'A',
  episodeId: null,
  annotationId: null,
};
export const selectionStore = createStore<SelectionState>(() => nothingSelected);

export function resetSelection(): void {
  selectionStore.setState(nothingSelected);
}

/** A plot under the lanes: its chart-spec panel and a key that React and the session know it by. */
export interface PlotPanel {
  key: string;
  spec: PlotPanelSpec;
}
export const plotsStore = createStore<{ plots: PlotPanel[] }>(() => ({ plots: [] }));

/** A task that has a lane of its own. */
export interface ShownTask {
  stream: number;
  pid: number;
  /** What it was called where it was chosen. */
  comm: string;
}
/** In the order in which they were added. */
export const taskLanesStore = createStore<{ tasks: readonly ShownTask[] }>(() => ({ tasks: [] }));

export const annotationsStore = createStore<{ annotations: Annotation[] }>(() => ({ annotations: [] }));

export interface EpisodesState {
  episodes: Episode[];
  totals: EpisodeTotal[];
  findings: Finding[];
}
export const episodesStore = createStore<EpisodesState>(() => ({ episodes: [], totals: [], findings: [] }));

export const bottomTabs = ['events', 'episodes', 'notes', 'warnings'] as const;
export type BottomTab = (typeof bottomTabs)[number];

/** Preferences and layout of the window. */
export interface UiState {
  /** `system` follows the desktop. */
  theme: 'system' | 'light' | 'dark';
  /** True: the wheel zooms as in KernelShark; false: it scrolls and Ctrl+wheel zooms. */
  wheelZooms: boolean;
  bottomTab: BottomTab;
  dialog: 'none' | 'open' | 'help' | 'palette' | 'export' | 'attach';
  /** Filter of the event table, in the filter language; empty: all events. */
  tableFilter: string;
  /** Kinds of lanes whose heading folds them away. */
  folded: readonly ('episodes' | 'cpus' | 'tasks')[];
  /** Sizes of the window's panels in percent: by group, by panel. */
  layout: Record<string, Record<string, number>>;
  /** The note being written or changed; kept in the workspace only when it is saved. */
  noteDraft: Annotation | null;
}
export const uiStore = createStore<UiState>(() => ({
  theme: 'system',
  wheelZooms: false,
  bottomTab: 'events',
  dialog: 'none',
  tableFilter: '',
  folded: [],
  layout: {},
  noteDraft: null,
}));
