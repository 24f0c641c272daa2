import type { OpenPreview, Progress } from '../../shared/api.ts';
import type { Annotation, WorkspaceSummary } from '../../shared/model.ts';
import { bringBack, clearWorkspaceStores, putAside, setAside, takeAside } from './aside.ts';
import { call, currentHost, query, reportError } from './connection.ts';
import { addPreview, moveOrigin, originShift } from './estimate.ts';
import { whileBusy } from './idle.ts';
import { moveSelection } from './selection.ts';
import { StoppableIndexing } from './stoppable.ts';
import { annotationsStore, episodesStore, selectionStore, uiStore, workspaceStore } from './stores.ts';
import { flushView, forgetView, restoreView } from './view-memory.ts';
import { growBounds, hasMoved, moveViewport, resetViewport } from './viewport.ts';

/** What is open: opening, closing, and what the workspace keeps of the user. */

let opening: StoppableIndexing | null = null;

/** Opens recordings (several merge) or a workspace. Errors are shown, and leave what was open as it was. */
export function openFiles(paths: string[]): Promise<void> {
  return openWith(paths, async () => paths);
}

/** Opens files that were dropped onto the window; a browser tab sends their bytes to the engine first. */
export function openDropped(files: File[]): Promise<void> {
  return openWith(
    files.map((file) => file.name),
    () => Promise.all(files.map((file) => currentHost().pathOfDroppedFile(file))),
  );
}

async function openWith(names: string[], findPaths: () => Promise<string[]>): Promise<void> {
  if (names.length === 0) return;
  opening?.giveUp();
  const own = new StoppableIndexing((stopping) => {
    if (opening === own) workspaceStore.setState({ stopping });
  });
  opening = own;
  workspaceStore.setState({
    status: 'opening',
    opening: names,
    progress: null,
    stopping: 'no',
    error: null,
    estimate: null,
  });
  uiStore.setState({ dialog: 'none' });
  const onProgress = (progress: Progress) => {
    if (opening !== own) return;
    if (progress.preview) showPreview(progress.preview);
    workspaceStore.setState({ progress });
  };
  try {
    const paths = await whileBusy(findPaths());
    own.signal.throwIfAborted();
    own.begin();
    const summary = await call('open', { paths, preview: true, opening: own.name }, { signal: own.signal, onProgress });
    const { workspaceId } = summary;
    // One that is open here already is open twice now.
    const again = [workspaceStore.getState().summary, setAside()].some((known) => known?.workspaceId === workspaceId);
    if (opening !== own || again) await call('close', { workspaceId }).catch(() => undefined);
    if (opening === own) await showWorkspace(summary);
  } catch (error) {
    if (opening !== own) return;
    if (!own.signal.aborted) reportError(error);
    // Beside a part there is one aside that is not what this opening took the place of.
    if (workspaceStore.getState().summary === null) bringBack();
    const stillOpen = workspaceStore.getState().summary !== null;
    workspaceStore.setState({ status: stillOpen ? 'open' : 'empty', opening: [], progress: null, estimate: null });
  } finally {
    own.end();
    if (opening === own) opening = null;
  }
}

/** Shows what a recording looks like while it is being indexed, in place of what is open. */
function showPreview(preview: OpenPreview): void {
  const { estimate: before } = workspaceStore.getState();
  if (!before) putAside();
  const estimate = addPreview(before, preview);
  takeTimesOver(before?.originNs ?? null, estimate.originNs, estimate.durationNs);
  workspaceStore.setState({ estimate });
}

/** Whoever moved on the axis of a preview stays at that time on the one that replaces it. Tells whether anybody did. */
function takeTimesOver(fromOriginNs: string | null, originNs: string, durationNs: number): boolean {
  const shiftNs = fromOriginNs === null ? 0 : originShift(fromOriginNs, originNs);
  const moved = fromOriginNs !== null && hasMoved();
  moveSelection(shiftNs);
  if (moved) moveViewport(shiftNs, durationNs);
  else resetViewport(durationNs);
  return moved;
}

/** Shows a workspace that is open in the engine; `keepView`: it is the one on screen, whose capture has ended. */
export async function showWorkspace(summary: WorkspaceSummary, { keepView = false } = {}): Promise<void> {
  if (keepView) {
    const shiftNs = originShift(workspaceStore.getState().summary?.originNs ?? summary.originNs, summary.originNs);
    workspaceStore.setState({ summary });
    growBounds(0, summary.durationNs);
    // A flight recorder's times count from the first event that it has kept.
    if (shiftNs !== 0) {
      moveSelection(shiftNs);
      moveViewport(shiftNs, summary.durationNs);
    }
    await Promise.all([loadAnnotations(), loadEpisodes()]);
    return;
  }
  const { estimate } = workspaceStore.getState();
  await makeRoomFor(summary);
  if (!estimate) clearWorkspaceStores();
  forgetView();
  const moved = takeTimesOver(estimate?.originNs ?? null, summary.originNs, summary.durationNs);
  workspaceStore.setState({
    status: 'open',
    summary,
    opening: [],
    progress: null,
    estimate: estimate && moveOrigin(estimate, summary.originNs),
  });
  showTitle();
  if (summary.events === 0 && summary.warnings.length > 0) uiStore.setState({ bottomTab: 'warnings' });
  await Promise.all([restoreView({ keepTime: moved }), loadAnnotations(), loadEpisodes()]);
}

/** Whoever looks at a part may want to go back: what was open stays so beside it. Of a whole it is closed. */
async function makeRoomFor({ workspaceId, partial }: WorkspaceSummary): Promise<void> {
  const { summary: open } = workspaceStore.getState();
  const other = open !== null && open.workspaceId !== workspaceId;
  if (partial) {
    if (other) putAside();
    else if (setAside()?.workspaceId === workspaceId) takeAside();
    return;
  }
  if (other) flushView();
  for (const before of [open, takeAside()]) {
    if (before === null || before.workspaceId === workspaceId) continue;
    await call('close', { workspaceId: before.workspaceId }).catch(() => undefined);
  }
}

function showTitle(): void {
  const { summary } = workspaceStore.getState();
  document.title = summary === null ? 'Remora' : `${workspaceName(summary)} — Remora`;
}

/** The engine was started anew and knows nothing of what was open: opens it again, which its index makes quick. */
export async function reopen(): Promise<void> {
  const aside = takeAside();
  const summary = workspaceStore.getState().summary ?? aside;
  if (!summary) return;
  workspaceStore.setState({ summary: null });
  await openFiles(summary.recordings.map((recording) => recording.path));
}

/** Ends indexing with what is there: the opening then shows it, as a part. Where that is nothing, what was open is shown again. */
export function cancelOpening(): void {
  opening?.stop();
}

/** A part of an index goes with that; what was open before it comes back. */
export async function closeWorkspace(): Promise<void> {
  const { summary } = workspaceStore.getState();
  if (!summary) return;
  flushView();
  clearWorkspaceStores();
  workspaceStore.setState({ status: 'empty', summary: null, error: null, estimate: null });
  if (bringBack()) workspaceStore.setState({ status: 'open' });
  showTitle();
  await call('close', { workspaceId: summary.workspaceId }).catch(reportError);
}

export async function loadEpisodes(): Promise<void> {
  try {
    episodesStore.setState(await query('episodes', { by: 'cgroup' }));
  } catch (error) {
    reportError(error);
  }
}

export async function loadAnnotations(): Promise<void> {
  try {
    annotationsStore.setState({ annotations: await query('annotations', {}) });
  } catch (error) {
    reportError(error);
  }
}

/** Adds or replaces a note, at once on screen and then in the workspace. */
export async function saveNote(note: Annotation): Promise<void> {
  const others = annotationsStore.getState().annotations.filter((other) => other.id !== note.id);
  annotationsStore.setState({ annotations: [...others, note].sort((a, b) => a.fromNs - b.fromNs) });
  try {
    await query('putAnnotation', { annotation: note });
  } catch (error) {
    reportError(error);
    await loadAnnotations();
  }
}

export async function deleteNote(id: string): Promise<void> {
  const { annotations } = annotationsStore.getState();
  annotationsStore.setState({ annotations: annotations.filter((note) => note.id !== id) });
  if (selectionStore.getState().annotationId === id) selectionStore.setState({ annotationId: null });
  try {
    await query('deleteAnnotation', { id });
  } catch (error) {
    reportError(error);
    await loadAnnotations();
  }
}

/** The last part of a path of either kind of separator. */
export function fileName(path: string): string {
  return path.split(/[\\/]/).filter(Boolean).at(-1) ?? path;
}

/** What a workspace is called: its recording, and how many more. */
export function workspaceName(summary: WorkspaceSummary): string {
  const [first, ...others] = summary.recordings;
  const name = first ? fileName(first.path) : 'Workspace';
  return others.length > 0 ? `${name} and ${others.length} more` : name;
}

/** What a stream is called: its instance, with its file where several are open. */
export function streamName(index: number, summary: WorkspaceSummary): string {
  const stream = summary.streams[index];
  if (!stream) return '';
  const instance = stream.name || 'top buffer';
  const recording = summary.recordings[stream.recording];
  if (summary.recordings.length < 2 || !recording) return instance;
  return stream.name ? `${fileName(recording.path)}: ${stream.name}` : fileName(recording.path);
}
