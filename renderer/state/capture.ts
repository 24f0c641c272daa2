import { createStore } from 'zustand/vanilla';
import type { CaptureEnd, CaptureGauges, CaptureGrowth, CaptureInfo, CaptureNews } from '../../shared/capture.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { setAside, takeAside } from './aside.ts';
import { type CaptureForm, settingsOf } from './capture-form.ts';
import { profilesStore, rememberLast } from './capture-profiles.ts';
import { call, currentHost, reportError } from './connection.ts';
import { loadEpisodes, openFiles, showWorkspace } from './session.ts';
import { uiStore, viewportStore, workspaceStore } from './stores.ts';
import { followEnd, growBounds, startFollowing } from './viewport.ts';

/** A capture that runs, and the view of it: what has come is shown as it comes, until the view is paused. */
export interface CaptureState {
  info: CaptureInfo | null;
  /** The workspace that grows; null before there are events. */
  workspaceId: string | null;
  gauges: CaptureGauges | null;
  /** How far the recording is, and how far it is shown. */
  growth: CaptureGrowth | null;
  shown: CaptureGrowth | null;
  paused: boolean;
  stopping: boolean;
  /** How the last one ended, until dismissed. */
  end: CaptureEnd | null;
}

const nothing: CaptureState = {
  info: null,
  workspaceId: null,
  gauges: null,
  growth: null,
  shown: null,
  paused: false,
  stopping: false,
  end: null,
};
export const captureStore = createStore<CaptureState>(() => nothing);

/** Gauges are for reading: numbers that change faster are not read. */
const GAUGES_MS = 250;
/** The view grows at most this often: with every report of a capture. */
const GROW_MS = 40;
/** How long what else shows the growth waits for those who ask for something first. */
const TOGETHER_MS = 50;
/** What of a live capture is on screen at first. */
const FIRST_SPAN_NS = 5e9;

let gaugesMs = Number.NEGATIVE_INFINITY;
let grownMs = Number.NEGATIVE_INFINITY;
/** The newest summary, kept while the view is paused. */
let latestSummary: WorkspaceSummary | null = null;
let watching: AbortController | null = null;

/** Calls back when a capture that was shown has ended: its last events are there, and all can be asked for again. */
export function onCaptureEnd(listener: () => void): () => void {
  return captureStore.subscribe((state, before) => {
    if (before.workspaceId !== null && state.workspaceId === null) listener();
  });
}

type GrowthListener = (growth: CaptureGrowth) => Promise<void> | undefined;
const growthListeners = new Set<GrowthListener>();

/**
 * Calls back before the window shows that the recording has grown, and waits for a moment for what the listener asks for, so that one frame
 * shows it all: two of them are half as much work again. Returns a function that ends the subscription.
 */
export function onGrowth(listener: GrowthListener): () => void {
  growthListeners.add(listener);
  return () => growthListeners.delete(listener);
}

export const isCapturing = (): boolean => captureStore.getState().info !== null;

/** Whether the window shows the capture that runs. */
export function showsCapture(): boolean {
  const { info, workspaceId } = captureStore.getState();
  return info !== null && workspaceId !== null && workspaceStore.getState().summary?.workspaceId === workspaceId;
}

/** Starts a capture and shows it. Rejects with what the kernel or the capture process refuses. */
export async function attach(form: CaptureForm, settings: Parameters<typeof start>[0]): Promise<void> {
  await start(settings);
  rememberLast(form);
}

async function start(settings: Extract<ReturnType<typeof settingsOf>, { ok: true }>['settings']): Promise<void> {
  const info = await call('startCapture', { settings });
  uiStore.setState({ dialog: 'none' });
  workspaceStore.setState({ error: null });
  void watch(info);
}

/** The same settings again, into a recording of its own. */
export async function attachAgain(): Promise<void> {
  const { last } = profilesStore.getState();
  if (last === null) return uiStore.setState({ dialog: 'attach' });
  try {
    const options = await call('captureOptions', last.host === '' ? {} : { host: last.host });
    const made = settingsOf({ ...last, path: options.path }, options);
    // What is missing is said in the dialog, where it can be put right.
    if (options.problem !== null || !made.ok) return uiStore.setState({ dialog: 'attach' });
    await start(made.settings);
  } catch (error) {
    reportError(error);
  }
}

/** Takes up a capture that the engine runs: one that was started here, or before the page was loaded again. */
export async function resumeCapture(): Promise<boolean> {
  try {
    const [info] = await call('captures', {});
    if (info === undefined) return false;
    void watch(info);
    return true;
  } catch (error) {
    reportError(error);
    return false;
  }
}

async function watch(info: CaptureInfo): Promise<void> {
  watching?.abort();
  const controller = new AbortController();
  watching = controller;
  latestSummary = null;
  throttling = { count: 0, changedMs: 0, askedMs: 0, asking: false };
  gaugesMs = Number.NEGATIVE_INFINITY;
  captureStore.setState({ ...nothing, info });
  try {
    // Not through `call`: a capture is no work that a window waits for.
    const end = await currentHost().engine.call(
      'watchCapture',
      { captureId: info.captureId },
      {
        signal: controller.signal,
        onProgress: ({ capture }) => {
          if (capture && watching === controller) takeNews(capture);
        },
      },
    );
    if (watching === controller) await finish(end);
  } catch (error) {
    if (watching !== controller) return;
    watching = null;
    captureStore.setState(nothing);
    viewportStore.setState({ follow: false });
    // An engine that ended, or a connection that was lost: what is there is looked at again when it is back.
    if (toErrorDetail(error).code !== 'engine-gone') reportError(error);
  }
}

function takeNews({ gauges, growth, summary }: CaptureNews): void {
  const now = performance.now();
  if (now - gaugesMs >= GAUGES_MS) {
    gaugesMs = now;
    captureStore.setState({ gauges });
  }
  if (growth === null) return;
  if (summary) latestSummary = summary;
  const state = captureStore.getState();
  captureStore.setState({ growth });
  if (state.workspaceId === null) {
    if (latestSummary) void showLive(latestSummary, growth);
    return;
  }
  if (state.paused || !showsCapture()) return;
  if (now - grownMs >= GROW_MS) void grow(growth);
}

/** Shows that the recording is this long by now. */
async function grow(growth: CaptureGrowth): Promise<void> {
  grownMs = performance.now();
  const asked = watching;
  const all = Promise.all([...growthListeners].map((listener) => listener(growth)));
  await Promise.race([all, new Promise((late) => setTimeout(late, TOGETHER_MS))]);
  // It has grown since.
  const { growth: now, paused } = captureStore.getState();
  if (watching !== asked || now === null || paused || !showsCapture()) return;
  captureStore.setState({ shown: now });
  growBounds(now.fromNs, now.durationNs);
  if (viewportStore.getState().follow) followEnd();
  const { summary } = workspaceStore.getState();
  if (latestSummary && summary && latestSummary !== summary) {
    workspaceStore.setState({ summary: latestSummary });
    void lookForEpisodes(latestSummary);
  }
}

let lastWorkspaceId = '';

/** Whether what is on screen is of a capture, which may have gone with the engine. */
export const showedCapture = (): boolean => workspaceStore.getState().summary?.workspaceId === lastWorkspaceId;

async function showLive(summary: WorkspaceSummary, growth: CaptureGrowth): Promise<void> {
  lastWorkspaceId = summary.workspaceId;
  captureStore.setState({ workspaceId: summary.workspaceId, shown: growth });
  await showWorkspace(summary);
  growBounds(growth.fromNs, viewportStore.getState().bounds.toNs);
  startFollowing(FIRST_SPAN_NS);
}

/** Throttling events that were there last, when they became more, and when episodes were asked for. */
let throttling = { count: 0, changedMs: 0, askedMs: 0, asking: false };
const EPISODES_MS = 1000;
/** The engine limits how much time it takes for episodes: its answer may be some seconds old. */
const EPISODES_LATE_MS = 15_000;

/** Episodes are looked for while there are new throttling events, and for a while after the last. */
async function lookForEpisodes(summary: WorkspaceSummary): Promise<void> {
  const type = summary.eventTypes.find(({ system, name }) => system === 'writeback' && name === 'balance_dirty_pages');
  const count = type?.count ?? 0;
  const now = performance.now();
  if (count !== throttling.count) throttling = { ...throttling, count, changedMs: now };
  if (count === 0 || throttling.asking || now - throttling.changedMs > EPISODES_LATE_MS) return;
  if (now - throttling.askedMs < EPISODES_MS) return;
  throttling = { ...throttling, asking: true, askedMs: now };
  await loadEpisodes();
  throttling = { ...throttling, asking: false };
}

/** Back to what happens now, after another recording was opened beside the capture. */
export async function showCapture(): Promise<void> {
  const { growth } = captureStore.getState();
  if (latestSummary && growth) await showLive(latestSummary, growth);
}

export function pauseView(paused: boolean): void {
  captureStore.setState({ paused });
  const { growth } = captureStore.getState();
  if (!paused && growth && showsCapture()) void grow(growth);
}

/** Stays at what is captured now, or holds still. */
export function follow(on: boolean): void {
  if (on) pauseView(false);
  viewportStore.setState({ follow: on });
  if (on) followEnd();
}

/** Stops the capture; `finish` shows the recording that it leaves. */
export async function stopCapture(): Promise<void> {
  const { info, stopping } = captureStore.getState();
  if (info === null || stopping) return;
  captureStore.setState({ stopping: true });
  try {
    await call('stopCapture', { captureId: info.captureId });
  } catch (error) {
    captureStore.setState({ stopping: false });
    reportError(error);
  }
}

async function finish(end: CaptureEnd): Promise<void> {
  watching = null;
  const shown = showsCapture();
  const nothingElse = workspaceStore.getState().status === 'empty';
  const ended = captureStore.getState().workspaceId;
  captureStore.setState({ ...nothing, end });
  viewportStore.setState({ follow: false });
  if (!shown && !nothingElse) return letGoOf(ended);
  try {
    const summary = await call('open', { paths: [end.path] });
    await showWorkspace(summary, { keepView: shown });
  } catch (error) {
    reportError(error);
  }
}

/** What was put aside of a capture that goes on is not what its recording is. */
async function letGoOf(workspaceId: string | null): Promise<void> {
  if (workspaceId === null || setAside()?.workspaceId !== workspaceId) return;
  takeAside();
  await call('close', { workspaceId }).catch(reportError);
}

export function dismissEnd(): void {
  captureStore.setState({ end: null });
}

export function openEnded(): void {
  const { end } = captureStore.getState();
  dismissEnd();
  if (end) void openFiles([end.path]);
}
