import type { WorkspaceSummary } from '../../shared/model.ts';
import { call } from './connection.ts';
import {
  annotationsStore,
  episodesStore,
  plotsStore,
  resetSelection,
  selectionStore,
  taskLanesStore,
  uiStore,
  viewportStore,
  workspaceStore,
} from './stores.ts';
import { flushView } from './view-memory.ts';

/**
 * A workspace that stays open in the engine while the window shows what is being opened in its place, or a part of that. It
 * comes back as it was where nothing comes of it, and when the part is closed.
 */
let aside: { summary: WorkspaceSummary; bringBack(): void } | null = null;

/** What is put aside; null where nothing is. */
export const setAside = (): WorkspaceSummary | null => aside?.summary ?? null;

/** Empties the window for something else; what is open is put aside, and what was aside is closed. */
export function putAside(): void {
  const { summary } = workspaceStore.getState();
  if (summary) {
    const before = takeAside();
    if (before) call('close', { workspaceId: before.workspaceId }).catch(() => undefined);
    flushView();
    const viewport = viewportStore.getState();
    const selection = selectionStore.getState();
    const plots = plotsStore.getState();
    const tasks = taskLanesStore.getState();
    const annotations = annotationsStore.getState();
    const episodes = episodesStore.getState();
    const { tableFilter, noteDraft } = uiStore.getState();
    const bringBack = () => {
      viewportStore.setState(viewport);
      selectionStore.setState(selection);
      plotsStore.setState(plots);
      taskLanesStore.setState(tasks);
      annotationsStore.setState(annotations);
      episodesStore.setState(episodes);
      uiStore.setState({ tableFilter, noteDraft });
      workspaceStore.setState({ summary });
    };
    aside = { summary, bringBack };
    workspaceStore.setState({ summary: null });
  }
  clearWorkspaceStores();
}

/** Shows again what was put aside; tells whether anything was. */
export function bringBack(): boolean {
  const was = aside;
  aside = null;
  was?.bringBack();
  return was !== null;
}

/** What was put aside will not come back: hands it over to be closed. */
export function takeAside(): WorkspaceSummary | null {
  const summary = aside?.summary ?? null;
  aside = null;
  return summary;
}

/** Forgets all that belongs to one workspace. */
export function clearWorkspaceStores(): void {
  resetSelection();
  plotsStore.setState({ plots: [] });
  taskLanesStore.setState({ tasks: [] });
  uiStore.setState({ tableFilter: '', noteDraft: null });
  annotationsStore.setState({ annotations: [] });
  episodesStore.setState({ episodes: [], totals: [], findings: [] });
}
