import type { Method, ParsedParams, Result, SqlCell } from '../../shared/api.ts';
import { API_VERSION } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { Annotation } from '../../shared/model.ts';
import { toAbsNs, toRelNs } from '../../shared/time.ts';
import { samplePath } from '../installation.ts';
import { isUnfinished } from '../live/side-file.ts';
import { eventDetail } from '../query/event-detail.ts';
import { wholeBuckets } from '../query/levels.ts';
import { nearestIndex, rowOfEvent } from '../query/list.ts';
import { findCpu, type Trace, type TraceCpu } from '../query/trace.ts';
import type { StoredAnnotation } from '../store/workspace-store.ts';
import type { RequestContext } from './engine.ts';
import { listFolder, RecentFiles, storeUpload } from './files.ts';
import { completedOpening } from './first-opening.ts';
import type { Sessions } from './sessions.ts';

export const cancelledError = (): RemoraError =>
  new RemoraError({ code: 'cancelled', message: 'the request was cancelled' });

type Handlers = { [M in Method]: (params: ParsedParams<M>, context: RequestContext) => Result<M> | Promise<Result<M>> };

/** Every method of the contract: looks up the workspace and calls the query. */
export const handlers: Handlers = {
  hello: (_, { version }) => ({
    version,
    apiVersion: API_VERSION,
    pid: process.pid,
    node: process.versions.node,
    sample: samplePath,
  }),

  open: (asked, { sessions, captures, signal, onProgress }) =>
    stoppable(sessions, asked.opening, async (stop) => {
      const request = completedOpening(asked);
      for (const path of request.paths) {
        await captures.untilComplete(path);
        await untilWritten(path, AbortSignal.any([signal, stop]));
      }
      const session = await sessions.open({ ...request, signal, stop, onProgress });
      new RecentFiles(sessions.cacheFolder).add(request.paths);
      return session.summary;
    }),
  stopIndexing({ opening }, { sessions }) {
    sessions.indexing.get(opening)?.abort();
    return null;
  },
  indexRest: ({ workspaceId, opening }, { sessions, signal, onProgress }) =>
    stoppable(
      sessions,
      opening,
      async (stop) => (await sessions.indexRest(workspaceId, { signal, stop, onProgress })).summary,
    ),
  close({ workspaceId }, { sessions }) {
    sessions.close(workspaceId);
    return null;
  },
  listFolder: ({ path }) => listFolder(path),
  upload: ({ name, bytes }, { sessions }) => ({ path: storeUpload(sessions.cacheFolder, name, bytes) }),
  recentFiles: (_, { sessions }) => new RecentFiles(sessions.cacheFolder).list(),

  async lanes({ workspaceId, fromNs, toNs, resolutionNs, filter, slices }, { sessions, signal, onProgress }) {
    checkBuckets('lanes', fromNs, toNs, resolutionNs);
    const { lanes, rows } = sessions.get(workspaceId);
    const { from, to } = wholeBuckets(fromNs, toNs, resolutionNs);
    if (slices) await lanes.prepare(from, to, { signal, onProgress });
    return lanes.window(fromNs, toNs, resolutionNs, await rows.filtered(filter, { signal, onProgress }), slices);
  },
  taskLanes({ workspaceId, fromNs, toNs, resolutionNs, tasks, most }, { sessions }) {
    checkBuckets('taskLanes', fromNs, toNs, resolutionNs);
    return sessions.get(workspaceId).taskLanes.window(fromNs, toNs, resolutionNs, tasks ?? null, most);
  },
  rows: ({ workspaceId, first, count, filter, partial }, { sessions, signal, onProgress }) =>
    sessions.get(workspaceId).rows.page(filter, first, count, { signal, onProgress }, partial),
  findRow: ({ workspaceId, filter, at }, { sessions, signal, onProgress }) =>
    sessions.get(workspaceId).rows.find(filter, at, { signal, onProgress }),
  eventDetail({ workspaceId, event }, { sessions }) {
    const { trace, rows } = sessions.get(workspaceId);
    const cpu = cpuOf(trace, event.stream, event.cpu);
    if (event.index < cpu.dropped) {
      throw new RemoraError({ code: 'not-found', message: 'the flight recorder has given this event up' });
    }
    if (event.index >= cpu.events) {
      throw new RemoraError({
        code: 'not-found',
        message: `CPU ${event.cpu} has ${cpu.events} events, none with index ${event.index}`,
      });
    }
    return eventDetail(trace, rows, cpu, event.index, rowOfEvent(trace, cpu, event.index));
  },
  nearestEvent({ workspaceId, stream, cpu, timeNs, direction }, { sessions }) {
    const { trace, rows } = sessions.get(workspaceId);
    const lane = cpuOf(trace, stream, cpu);
    const index = nearestIndex(trace, lane, timeNs, direction);
    return index < 0 ? null : rows.row({ stream, cpu, index }, rowOfEvent(trace, lane, index));
  },
  async series({ workspaceId, spec, fromNs, toNs, bins, mode }, { sessions, signal, onProgress }) {
    const { series } = sessions.get(workspaceId);
    const firstLook = await series.firstLook(spec, fromNs, toNs, bins, { signal });
    if (firstLook !== null) {
      onProgress({ stage: 'Reading', unit: 'steps', done: 0, total: 1, firstLook });
      // It is on its way, and a cancel has been heard, before the long part begins.
      await new Promise(setImmediate);
      if (signal.aborted) throw cancelledError();
    }
    return series.window(spec, fromNs, toNs, bins, mode, { signal, onProgress });
  },
  episodes: ({ workspaceId, by, gapMs, where }, { sessions }) =>
    sessions.get(workspaceId).episodes.find(by, gapMs, where),

  annotations: ({ workspaceId }, { sessions }) => {
    const { trace, notes } = sessions.get(workspaceId);
    return notes.all().map((stored) => fromStored(trace, stored));
  },
  putAnnotation({ workspaceId, annotation }, { sessions }) {
    const { trace, notes } = sessions.get(workspaceId);
    if (annotation.toNs < annotation.fromNs) {
      throw new RemoraError({ code: 'bad-request', message: 'a note must not end before it begins' });
    }
    notes.put(toStored(trace, annotation));
    return annotation;
  },
  deleteAnnotation({ workspaceId, id }, { sessions }) {
    sessions.get(workspaceId).notes.delete(id);
    return null;
  },
  getView: ({ workspaceId, name }, { sessions }) => ({ json: sessions.get(workspaceId).trace.store.view(name) }),
  putView({ workspaceId, name, json }, { sessions }) {
    sessions.get(workspaceId).trace.store.putView(name, json);
    return null;
  },
  async sql({ workspaceId, query, maxRows, timeoutMs }, { sessions, signal }) {
    const { live, rest } = sessions.get(workspaceId);
    if (live) throw new RemoraError({ code: 'workspace', message: 'SQL is asked when the capture has been stopped' });
    if (rest !== null) {
      throw new RemoraError({ code: 'workspace', message: 'SQL is asked of a whole index: index the rest first' });
    }
    let columns: string[] = [];
    const rows: SqlCell[][] = [];
    const { runSql } = await import('./sql.ts');
    const outcome = await runSql(sessions.get(workspaceId), {
      query,
      maxRows,
      timeoutMs,
      signal,
      onColumns(names) {
        columns = names;
      },
      onRows(more) {
        for (const row of more) rows.push(row);
      },
    });
    return { columns, rows, ...outcome };
  },
  async exportChart(request, { sessions, call }) {
    // Drawing is loaded when a chart is asked for: every start would pay for it.
    const { exportChart } = await import('../export/chart-data.ts');
    return exportChart(call, sessions.get(request.workspaceId).summary, request);
  },
  captureOptions: async ({ host, elevate }, { captures }) => (await captures.get()).options(host, elevate === true),
  estimateCapture: async ({ settings }, { captures, signal }) => (await captures.get()).estimate(settings, signal),
  startCapture: async ({ settings }, { captures }) => (await captures.get()).start(settings),
  watchCapture: async ({ captureId }, { captures, signal, onProgress }) =>
    (await captures.get()).watch(captureId, signal, (capture) =>
      onProgress({ stage: 'Capturing', unit: 'events', done: 0, total: 0, events: capture.gauges.events, capture }),
    ),
  stopCapture: async ({ captureId }, { captures }) => (await captures.get()).stop(captureId),
  captures: async (_, { captures }) => (await captures.get()).list(),
  removeStaleInstances: async ({ host }, { captures }) =>
    (await captures.get()).processes.ask(host, (process) => process.stale(true)),
};

/** Does what `stopIndexing` can stop by its name, if it has one. */
async function stoppable<T>(
  { indexing }: Sessions,
  name: string | undefined,
  work: (stop: AbortSignal) => Promise<T>,
): Promise<T> {
  const stop = new AbortController();
  if (name !== undefined) indexing.set(name, stop);
  try {
    return await work(stop.signal);
  } finally {
    if (name !== undefined) indexing.delete(name);
  }
}

const WRITTEN_MS = 3000;
const LOOK_MS = 50;

/**
 * A capture whose engine ended completes its recording by itself, which takes a moment. One that goes on is opened as it is: a
 * recording is valid at every moment, and its table says how far it is.
 */
async function untilWritten(path: string, signal: AbortSignal): Promise<void> {
  if (!isUnfinished(path)) return;
  const { isBeingWritten } = await import('../live/recover.ts');
  const until = performance.now() + WRITTEN_MS;
  while (isUnfinished(path) && isBeingWritten(path) && performance.now() < until && !signal.aborted)
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
}

/** An answer has an entry per bucket: a window at too fine a resolution is refused. */
function checkBuckets(method: Method, fromNs: number, toNs: number, resolutionNs: number): void {
  if (toNs >= fromNs && (toNs - fromNs) / resolutionNs <= 100_000) return;
  throw new RemoraError({
    code: 'bad-request',
    message: `${method}: the window is empty or has over 100,000 buckets`,
  });
}

function cpuOf(trace: Trace, stream: number, cpu: number): TraceCpu {
  const found = findCpu(trace, stream, cpu);
  if (found === undefined) throw new RemoraError({ code: 'not-found', message: `stream ${stream} has no CPU ${cpu}` });
  return found;
}

const fromStored = (trace: Trace, { fromAbs, toAbs, ...rest }: StoredAnnotation): Annotation => ({
  ...rest,
  fromNs: toRelNs(BigInt(fromAbs), trace.originNs),
  toNs: toRelNs(BigInt(toAbs), trace.originNs),
});

const toStored = (trace: Trace, { fromNs, toNs, ...rest }: Annotation): StoredAnnotation => ({
  ...rest,
  fromAbs: String(toAbsNs(fromNs, trace.originNs)),
  toAbs: String(toAbsNs(toNs, trace.originNs)),
});
