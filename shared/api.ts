import * as z from 'zod';
import {
  type CaptureEnd,
  type CaptureEstimate,
  type CaptureInfo,
  type CaptureNews,
  type CaptureOptions,
  captureSettingsSchema,
  hostSchema,
} from './capture.ts';
import { chartSpecSchema, MOST_TASK_LANES, type SeriesSpec, seriesSpecSchema, taskChoiceSchema } from './chart.ts';
import type { ErrorDetail } from './errors.ts';
import type { Annotation, Episode, EpisodeTotal, EventDetail, EventRow, Finding, WorkspaceSummary } from './model.ts';
import type { RelNs } from './time.ts';

/**
 * The one contract between a front end (window, browser tab, command line) and the engine.
 * A request is `{id, method, params}`; the engine answers any number of `progress` messages and then exactly one
 * `result` or `error` with the same id. `cancel` ends a request early with error code `cancelled`. Notifications have
 * no id. Parameters are validated in the engine against the schemas below; results are plain data and typed arrays,
 * owned by the receiver. Times are ns relative to the workspace origin unless their name says otherwise.
 */
export const API_VERSION = 1;

const workspaceId = z.string().min(1).max(200);
const timeNs = z.number();
const window = { fromNs: timeNs, toNs: timeNs };
const indexingName = z.string().max(64);
const eventRef = z.strictObject({
  stream: z.int().nonnegative(),
  cpu: z.int().nonnegative(),
  index: z.int().nonnegative(),
});
const filter = z.string().max(4000).default('');

export const annotationSchema = z.lazy(() =>
  z.strictObject({
    id: z.string().min(1).max(100),
    kind: z.enum(['point', 'range']),
    fromNs: timeNs,
    toNs: timeNs,
    text: z.string().max(10_000),
    color: z.string().max(40),
    tags: z.array(z.string().max(100)).max(50),
  }),
);

/**
 * Parameters of every method. Each schema is made when its method is first called: all of them take longer than most commands need
 * to answer.
 */
export const params = {
  hello: z.lazy(() => z.strictObject({})),
  /**
   * Opens recordings (several merge) or a `*.remora` workspace; long, reports progress. Who wants to see what is indexed so far calls
   * `stopIndexing`; `cancel` says that nobody wants an answer any more, and leaves nothing behind.
   */
  open: z.lazy(() =>
    z.strictObject({
      paths: z.array(z.string().min(1).max(4096)).min(1).max(64),
      workspace: z.string().max(4096).optional(),
      noCache: z.boolean().optional(),
      cgroups: z.string().max(4096).optional(),
      /** Page size of the traced machine, for converting pages; default: the recording's own knowledge, else 4096. */
      memoryPageBytes: z.int().positive().optional(),
      /** Whether progress shall begin with a `preview`: reading it costs some hundredths of a second. */
      preview: z.boolean().optional(),
      /** A name for this opening, for `stopIndexing`. */
      opening: indexingName.optional(),
    }),
  ),
  /**
   * The `open` or `indexRest` of that name answers soon, with what is indexed by then: see `WorkspaceSummary.partial`; an `open` that
   * has indexed nothing yet ends with error `cancelled`. The part is discarded when its workspace is closed.
   */
  stopIndexing: z.lazy(() => z.strictObject({ opening: indexingName })),
  /**
   * Goes on where indexing was stopped; answers, under the same id, with the whole, or with a larger part where it was stopped again.
   * After `cancel` the workspace is what it was, and what was indexed need not be indexed again.
   */
  indexRest: z.lazy(() => z.strictObject({ workspaceId, opening: indexingName.optional() })),
  close: z.lazy(() => z.strictObject({ workspaceId })),
  /** Folders and files of the engine's machine, for the browser mode's Open dialog. Empty path: the start folder. */
  listFolder: z.lazy(() => z.strictObject({ path: z.string().max(4096) })),
  /** Bytes dropped onto a browser tab: kept in the cache folder, immutable, found again by content. */
  upload: z.lazy(() => z.strictObject({ name: z.string().min(1).max(255), bytes: z.instanceof(Uint8Array) })),
  recentFiles: z.lazy(() => z.strictObject({})),
  /**
   * CPU lanes for a window; with a filter, the density is of what passes. Without `slices` nobody looks for who ran, which is most
   * of the work where the window is wide. See `LanesResult`.
   */
  lanes: z.lazy(() =>
    z.strictObject({
      workspaceId,
      ...window,
      resolutionNs: z.number().positive(),
      filter,
      slices: z.boolean().default(true),
    }),
  ),
  /**
   * Lanes of tasks for a window: those named, in their order, or the `most` that ran longest in it; where a stream has no
   * sched_switch, those with most events. Never idle. `not-found` where the workspace knows no such task; a pid that comes
   * with its stream is taken at its word. See `TaskLane`.
   */
  taskLanes: z.lazy(() =>
    z.strictObject({
      workspaceId,
      ...window,
      resolutionNs: z.number().positive(),
      tasks: z.array(taskChoiceSchema).min(1).max(MOST_TASK_LANES).optional(),
      most: z.int().positive().max(MOST_TASK_LANES).default(24),
    }),
  ),
  /**
   * `count` rows of the merged list from row `first`; `start` and `end`: the first and the last ones that are there, of a list that
   * grows, as it is when it is answered. A filtered list is scanned as far as it goes before it is answered; with `partial`, an answer comes after a moment with what
   * was found by then, and is to be asked for again.
   */
  rows: z.lazy(() =>
    z.strictObject({
      workspaceId,
      first: z.union([z.int().nonnegative(), z.enum(['start', 'end'])]),
      count: z.int().positive().max(5000),
      filter,
      partial: z.boolean().default(false),
    }),
  ),
  /** The row of the event nearest to a time, or of a given event. */
  findRow: z.lazy(() =>
    z.strictObject({
      workspaceId,
      filter,
      at: z.union([z.strictObject({ timeNs }), z.strictObject({ event: eventRef })]),
    }),
  ),
  /** All there is to know of one event. */
  eventDetail: z.lazy(() => z.strictObject({ workspaceId, event: eventRef })),
  /** The event of a CPU lane nearest to a time: `direction` 0 nearest, 1 first after, -1 last before. */
  nearestEvent: z.lazy(() =>
    z.strictObject({
      workspaceId,
      stream: z.int().nonnegative(),
      cpu: z.int().nonnegative(),
      timeNs,
      direction: z.union([z.literal(-1), z.literal(0), z.literal(1)]),
    }),
  ),
  /**
   * Values for a window. `auto`: samples where there are at most two a bin, else bins (and bins where they lie among millions
   * of other lines' samples); `raw` and `bins` ask for one of them. `limit` where single samples are more than memory is set aside for. See `SeriesResult`. The first use of a field that many events have tells a `firstLook` on the way.
   */
  series: z.lazy(() =>
    z.strictObject({
      workspaceId,
      spec: seriesSpecSchema,
      ...window,
      bins: z.int().positive().max(20_000),
      mode: z.enum(['auto', 'raw', 'bins']).default('auto'),
    }),
  ),
  episodes: z.lazy(() =>
    z.strictObject({
      workspaceId,
      by: z.enum(['cgroup', 'task', 'bdi', 'none']).default('cgroup'),
      gapMs: z.number().nonnegative().optional(),
      /** A filter that chooses among the events that episodes are made of. */
      where: z.string().max(2000).optional(),
    }),
  ),
  annotations: z.lazy(() => z.strictObject({ workspaceId })),
  /** Adds or replaces the annotation with this id. */
  putAnnotation: z.lazy(() => z.strictObject({ workspaceId, annotation: annotationSchema })),
  deleteAnnotation: z.lazy(() => z.strictObject({ workspaceId, id: z.string() })),
  /** The window's own state (viewport, plots, layout) as JSON text, kept in the workspace by name. */
  getView: z.lazy(() => z.strictObject({ workspaceId, name: z.string().min(1).max(100) })),
  putView: z.lazy(() =>
    z.strictObject({ workspaceId, name: z.string().min(1).max(100), json: z.string().max(1_000_000) }),
  ),
  /**
   * Answers one SQL query, read-only. Rows beyond `maxRows` are left out, which `truncated` tells; a query that takes longer
   * than `timeoutMs` ends with error `limit`, a cancelled one at once.
   */
  sql: z.lazy(() =>
    z.strictObject({
      workspaceId,
      query: z.string().max(100_000),
      maxRows: z.int().positive().max(100_000).default(10_000),
      timeoutMs: z.int().positive().max(3_600_000).default(60_000),
    }),
  ),
  exportChart: z.lazy(() =>
    z.strictObject({
      workspaceId,
      spec: chartSpecSchema,
      format: z.enum(['svg', 'png']),
      widthPx: z.int().min(200).max(20_000),
      /** Default: the sum of the panels' heights. */
      heightPx: z.int().min(100).max(20_000).optional(),
      theme: z.enum(['light', 'dark']),
    }),
  ),
  /**
   * What a machine (absent: the engine's) can capture, and what it lacks. Mounts tracefs where it is not and that is allowed.
   * With `elevate`, the person at the engine's machine may be asked for the rights.
   */
  captureOptions: z.lazy(() => z.strictObject({ host: hostSchema.optional(), elevate: z.boolean().optional() })),
  /** Captures for a moment, into nothing, to tell what it takes. Throws what `startCapture` would. */
  estimateCapture: z.lazy(() => z.strictObject({ settings: captureSettingsSchema })),
  /**
   * Starts a capture in a process of its own. A filter that the kernel refuses ends it with `bad-expression`, `position`
   * in that filter and `choice` its place among the events. A capture that nobody watches for a while is stopped.
   */
  startCapture: z.lazy(() => z.strictObject({ settings: captureSettingsSchema })),
  /** Runs as long as the capture does and tells `CaptureNews` as progress; cancelling it only stops the telling. */
  watchCapture: z.lazy(() => z.strictObject({ captureId: z.string().min(1).max(100) })),
  /** Answers when the recording is complete and indexed: `open` finds it so. */
  stopCapture: z.lazy(() => z.strictObject({ captureId: z.string().min(1).max(100) })),
  captures: z.lazy(() => z.strictObject({})),
  /** Removes tracing instances that a killed capture left behind; names those that somebody has open. */
  removeStaleInstances: z.lazy(() => z.strictObject({ host: hostSchema.optional() })),
} satisfies Record<string, z.ZodType>;

export interface FolderEntry {
  name: string;
  path: string;
  kind: 'folder' | 'recording' | 'workspace' | 'file';
  bytes: number;
  modifiedMs: number;
}

/**
 * Slices of one lane in struct-of-arrays form, ascending and non-overlapping: task `pid[i]` ran from `fromNs[i]` to
 * `toNs[i]`. Where many slices fall into one `resolutionNs` bucket, they are one entry: `pid` is the task that ran
 * longest in it, `merged[i]` 1 and `busy[i]` the share (0..1) of `fromNs[i]`..`toNs[i]` in which any task but idle ran.
 * The idle task has no slices.
 */
export interface LaneSlices {
  fromNs: Float64Array;
  toNs: Float64Array;
  pid: Int32Array;
  merged: Uint8Array;
  busy: Float32Array;
}

export interface CpuLane {
  stream: number;
  cpu: number;
  /** Null where the stream has no sched_switch on this CPU: density is all there is. */
  slices: LaneSlices | null;
  /** Events per bucket of `resolutionNs`, the first bucket starting at `LanesResult.fromNs`. */
  density: Uint32Array;
  /** Events lost to a full ring buffer or to damage: where, and how many (-1: not told), ascending. */
  lost: { atNs: RelNs; count: number }[];
}

export interface LanesResult {
  /** The window asked for, widened to whole buckets. */
  fromNs: RelNs;
  toNs: RelNs;
  resolutionNs: number;
  lanes: CpuLane[];
  /** Name of each pid that occurs in the slices. */
  comms: Record<number, string>;
}

/** Where one task ran. Like `LaneSlices`, with the CPU it was on in place of the task; a merged entry names the CPU it was longest on. */
export interface TaskLaneSlices {
  fromNs: Float64Array;
  toNs: Float64Array;
  cpu: Int32Array;
  merged: Uint8Array;
  /** Share of `fromNs[i]`..`toNs[i]` in which the task ran. */
  busy: Float32Array;
}

/** Kinds of `TaskLaneWaits`: woken up and not yet running; switched out while it could have gone on. */
export const WAIT_WAKEUP = 0;
export const WAIT_PREEMPTED = 1;

/** When one task could have run and had no CPU; never while it runs. A merged entry has the kind that took longest in it. */
export interface TaskLaneWaits {
  fromNs: Float64Array;
  toNs: Float64Array;
  kind: Uint8Array;
  merged: Uint8Array;
}

export interface TaskLane {
  stream: number;
  pid: number;
  comm: string;
  /** Null where the stream has no sched_switch: density is all there is. */
  slices: TaskLaneSlices | null;
  /** Wake-ups only where sched_wakeup was recorded. Null where `slices` is. */
  waits: TaskLaneWaits | null;
  /** The task's own events per bucket, the first bucket starting at `TaskLanesResult.fromNs`. */
  density: Uint32Array;
  /** How long it ran in the window asked for, ns; null where `slices` is. */
  ranNs: number | null;
}

export interface TaskLanesResult {
  /** The window asked for, widened to whole buckets. */
  fromNs: RelNs;
  toNs: RelNs;
  resolutionNs: number;
  lanes: TaskLane[];
  /** Tasks that were in the window too, and have no lane because there were more than `most`. */
  moreTasks: number;
  /** By stream: events lost on any of its CPUs in the window, ascending. What a task did in there is not known. */
  lost: Record<number, CpuLane['lost']>;
}

export interface RowsResult {
  /** Number of the row behind the last of the (filtered) list; as far as it is known while `scan` is not null. */
  total: number;
  /** Number of the first row: above 0 where a flight recorder has given up those before. Rows keep their numbers. */
  firstRow: number;
  rows: EventRow[];
  /** Of a partial answer: events looked at so far, and in all. The rows found are the final beginning of the list. */
  scan: { done: number; total: number } | null;
}

/**
 * One line of a plot. `raw`: every sample in the window, plus the last one before it and the first one after it,
 * so that lines reach the edges. `bins`: one entry per non-empty bin, ascending.
 */
export type SeriesLine = {
  /** Label of the group: the value, a task `comm-pid`, a cgroup path, `CPU 3`; empty without groupBy. */
  group: string;
  /** Stable identity of the group for colours: independent of the window. */
  key: string;
  samples: number;
} & (RawSamples | BinnedSamples);

export interface RawSamples {
  mode: 'raw';
  tNs: Float64Array;
  value: Float64Array;
  event: EventLocator;
}

export interface BinnedSamples {
  mode: 'bins';
  /** Start of the bin. */
  tNs: Float64Array;
  min: Float64Array;
  max: Float64Array;
  mean: Float64Array;
  last: Float64Array;
  count: Uint32Array;
}

/** Where the samples come from, index by index. */
export interface EventLocator {
  stream: Uint16Array;
  cpu: Uint16Array;
  index: Float64Array;
}

export interface SeriesResult {
  spec: SeriesSpec;
  fromNs: RelNs;
  toNs: RelNs;
  binNs: number;
  /** Unit of the values as returned (the spec's, else the field's own); see shared/units.ts. */
  unit: string;
  /** In order of first appearance in the whole workspace, so that colours are stable; at most 64. */
  lines: SeriesLine[];
  /** Groups left out because there were more than 64. */
  moreGroups: number;
  /**
   * Impossible values in this window: quantities of 2^63 and more, which are counters that went below zero. Raw samples
   * keep them, bins leave them out; scales should ignore them.
   */
  outliers: number;
}

export interface EpisodesResult {
  episodes: Episode[];
  totals: EpisodeTotal[];
  findings: Finding[];
}

/** A value of a result: integers beyond 2^53 are their decimal digits. */
export type SqlCell = number | string | Uint8Array | null;

export interface SqlResult {
  columns: string[];
  rows: SqlCell[][];
  /** There were more rows than asked for. */
  truncated: boolean;
  elapsedMs: number;
}

export interface Results {
  hello: { version: string; apiVersion: number; pid: number; node: string; sample: string };
  open: WorkspaceSummary;
  stopIndexing: null;
  indexRest: WorkspaceSummary;
  close: null;
  listFolder: { path: string; parent: string; entries: FolderEntry[] };
  upload: { path: string };
  recentFiles: { path: string; openedMs: number }[];
  lanes: LanesResult;
  taskLanes: TaskLanesResult;
  rows: RowsResult;
  findRow: { row: number; timeNs: RelNs; total: number };
  eventDetail: EventDetail;
  nearestEvent: EventRow | null;
  series: SeriesResult;
  episodes: EpisodesResult;
  annotations: Annotation[];
  putAnnotation: Annotation;
  deleteAnnotation: null;
  getView: { json: string };
  putView: null;
  sql: SqlResult;
  exportChart: { bytes: Uint8Array; mime: string };
  captureOptions: CaptureOptions;
  estimateCapture: CaptureEstimate;
  startCapture: CaptureInfo;
  watchCapture: CaptureEnd;
  stopCapture: CaptureEnd;
  captures: CaptureInfo[];
  removeStaleInstances: { removed: string[]; kept: string[] };
}

export type Method = keyof typeof params;
/** What a caller passes: defaults may be left out. */
export type Params<M extends Method> = z.input<(typeof params)[M]>;
/** What the engine receives after validation. */
export type ParsedParams<M extends Method> = z.output<(typeof params)[M]>;
export type Result<M extends Method> = Results[M];

export interface Progress {
  /** What is going on, in words for the user: `Indexing`. */
  stage: string;
  done: number;
  /** In the same unit as `done`; 0 while unknown. */
  total: number;
  unit: 'bytes' | 'events' | 'steps';
  /** Events found so far, while indexing. */
  events?: number;
  /** There is something to look at if indexing is stopped now: see `stopIndexing`. */
  stoppable?: boolean;
  /** Told once, before indexing begins: enough to draw by. */
  preview?: OpenPreview;
  /** Told once, while a series of many events is computed for the first time: a part of its samples, to draw by. */
  firstLook?: SeriesResult;
  /** Of a capture that runs. */
  capture?: CaptureNews;
}

/**
 * What a recording looks like before it is indexed, from sub-buffer headers alone (a time and a fill each): where its
 * events are, by CPU. An estimate; the index replaces it.
 */
export interface OpenPreview {
  /** Absolute time of the first sub-buffer. */
  originNs: string;
  durationNs: RelNs;
  lanes: {
    /** Instance name; empty for the top buffer. */
    stream: string;
    cpu: number;
    /** Bytes of event data per bucket; the buckets cut `durationNs` into equal parts. */
    bytes: Float64Array;
  }[];
}

export type ToEngine =
  | { kind: 'request'; id: number; method: Method; params: unknown }
  | { kind: 'cancel'; id: number };

export type FromEngine =
  | { kind: 'result'; id: number; result: unknown }
  | { kind: 'error'; id: number; error: ErrorDetail }
  | { kind: 'progress'; id: number; progress: Progress }
  | { kind: 'notice'; notice: Notice };

/** What the engine or its host says without being asked. */
export type Notice =
  | { kind: 'engine-restarted'; reason: string }
  /** The host asks the front end to open these (second instance, file association, menu). */
  | { kind: 'open-files'; paths: string[] }
  /** A menu entry of the desktop shell names a command of the renderer's registry. */
  | { kind: 'command'; command: string };

export interface CallOptions {
  signal?: AbortSignal;
  onProgress?: (progress: Progress) => void;
}

/** A connection to an engine, however it is reached. */
export interface Engine {
  call<M extends Method>(method: M, params: Params<M>, options?: CallOptions): Promise<Result<M>>;
}
