import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { cgroupLabel, parseCgroupLines } from '../derive/cgroups.ts';
import { findCgroups, listCgroups } from '../query/cgroups.ts';
import { EpisodeQueries } from '../query/episodes.ts';
import { Lanes } from '../query/lanes.ts';
import { LargeLanes } from '../query/large-lanes.ts';
import { LargeSeries } from '../query/large-series.ts';
import { LiveTaskLanes, numberParts } from '../query/live-window.ts';
import { RowQueries } from '../query/rows.ts';
import { Samples } from '../query/samples.ts';
import { TaskLanes } from '../query/task-lanes.ts';
import type { Trace } from '../query/trace.ts';
import { fileError } from './file-source.ts';
import type { ImportOptions } from './import.ts';
import type { NotesFile } from './notes-file.ts';
import { type OpenedTrace, type OpenRequest, openTrace, type RestOfIndex } from './open.ts';
import { anyOf } from './signals.ts';

/** An open workspace with what its queries keep. */
export interface Session {
  id: string;
  trace: Trace;
  summary: WorkspaceSummary;
  notes: NotesFile;
  /** Where the engine keeps what it learned of recordings. */
  cacheFolder: string;
  /** The file that cgroups were named by; undefined: those beside the recordings. */
  cgroupsFile: string | undefined;
  lanes: Pick<Lanes, 'window' | 'prepare'>;
  taskLanes: Pick<TaskLanes, 'window'>;
  rows: RowQueries;
  series: Pick<LargeSeries, 'window' | 'firstLook'>;
  episodes: Pick<EpisodeQueries, 'find'>;
  /** It grows while a capture runs: its index is not complete, and whoever captures closes it. */
  live: boolean;
  /** What indexing left out; null: nothing. */
  rest: RestOfIndex | null;
  close(): void;
}

/** How a workspace is opened; `cgroups`: a file of `inode path` lines, in place of those beside the recordings. */
type SessionRequest = Omit<OpenRequest, 'cacheFolder'> & { cgroups?: string | undefined };

/** The engine's open workspaces. One that is opened twice, by two tabs or a reload, is shared. */
export class Sessions {
  readonly cacheFolder: string;
  readonly #open = new Map<string, { session: Session; users: number }>();
  /** Indexing that goes on in open workspaces, by their ids. */
  readonly #resumed = new Map<string, { done: Promise<Session>; end: AbortController; stop: AbortController }>();
  /** Indexing that can be stopped, by the names that were given to it. */
  readonly indexing = new Map<string, AbortController>();
  /** Workspaces that close as soon as their indexing has ended. */
  readonly #ending = new Set<Promise<void>>();
  readonly #held = new Map<string, Promise<void>>();

  constructor(cacheFolder: string) {
    this.cacheFolder = cacheFolder;
  }

  get(id: string): Session {
    const found = this.#open.get(id);
    if (found === undefined) throw new RemoraError({ code: 'not-found', message: `workspace ${id} is not open` });
    return found.session;
  }

  async open(request: SessionRequest): Promise<Session> {
    // They may be the same workspace.
    await Promise.all(this.#ending);
    let partial: Session | undefined;
    const beforeStore = (path: string): void => {
      partial = [...this.#open.values()].find(({ session }) => session.rest !== null && isAt(session, path))?.session;
      if (partial !== undefined) throw new RemoraError({ code: 'cancelled', message: 'it is open in part' });
    };
    let opened: OpenedTrace;
    try {
      opened = await openTrace({ ...request, beforeStore, cacheFolder: this.cacheFolder });
    } catch (error) {
      if (partial === undefined) throw error;
      this.#share(partial);
      return partial;
    }
    for (const { session } of this.#open.values()) {
      if (!isAt(session, opened.summary.workspacePath)) continue;
      opened.close();
      this.#share(session);
      return session;
    }
    const session = this.#sessionOf(opened, request, randomBytes(8).toString('hex'));
    this.#open.set(session.id, { session, users: 1 });
    return session;
  }

  #share({ id }: Session): void {
    const entry = this.#open.get(id);
    if (entry !== undefined) entry.users++;
  }

  /**
   * Indexes what an opening left out. Meanwhile the workspace is asked as before; then the whole takes its place, or the larger part
   * where it was stopped. Whoever asks for the same at the same time waits for the same, and may stop it too.
   */
  async indexRest(id: string, options: ImportOptions): Promise<Session> {
    const session = this.get(id);
    const { rest } = session;
    if (rest === null) return session;
    const running = this.#resumed.get(id);
    if (running !== undefined) {
      passOn(options.stop, running.stop);
      return running.done;
    }
    const end = new AbortController();
    const stop = new AbortController();
    passOn(options.stop, stop);
    const signal = anyOf(end.signal, options.signal);
    const done = rest
      .run({ ...options, signal, stop: stop.signal })
      .then((opened) => {
        const more = this.#sessionOf(opened, { paths: [], cgroups: session.cgroupsFile }, id);
        const entry = this.#open.get(id);
        if (entry !== undefined) entry.session = more;
        return more;
      })
      .finally(() => this.#resumed.delete(id));
    this.#resumed.set(id, { done, end, stop });
    return done;
  }

  #sessionOf(opened: OpenedTrace, request: SessionRequest, id: string): Session {
    const samples = new Samples(opened.trace);
    nameCgroups(opened.trace, samples, request);
    const lanes = new Lanes(opened.trace, samples);
    return {
      id,
      trace: opened.trace,
      summary: { ...opened.summary, workspaceId: id, cgroups: opened.trace.cgroups },
      notes: opened.notes,
      cacheFolder: this.cacheFolder,
      cgroupsFile: request.cgroups,
      lanes,
      // Of a recording with more slices than may be kept, as of one that grows: from what is around the window.
      taskLanes: LargeLanes.isNeededFor(opened.trace)
        ? new LiveTaskLanes(opened.trace, numberParts(opened.trace))
        : new TaskLanes(opened.trace, samples, lanes),
      rows: new RowQueries(opened.trace),
      series: new LargeSeries(opened.trace, samples),
      episodes: new EpisodeQueries(opened.trace, samples),
      live: false,
      rest: opened.rest,
      close: opened.close,
    };
  }

  /** Adds a workspace that grows; `complete` makes it one that does not. */
  add(session: Session): void {
    this.#open.set(session.id, { session, users: 1 });
  }

  /**
   * A workspace that grew is complete: `settle` closes it and says how it is opened from now on, under the same id. Where that
   * fails nothing is open under the id any more.
   */
  async complete(id: string, settle: () => SessionRequest): Promise<Session> {
    try {
      const request = settle();
      const opened = await openTrace({ ...request, cacheFolder: this.cacheFolder });
      const session = this.#sessionOf(opened, request, id);
      const entry = this.#open.get(id);
      if (entry === undefined) this.#open.set(id, { session, users: 1 });
      else entry.session = session;
      return session;
    } catch (error) {
      this.#open.delete(id);
      throw error;
    }
  }

  /** Lets nobody ask a workspace until the returned function is called. */
  hold(id: string): () => void {
    let release = (): void => {};
    const held = new Promise<void>((resolve) => {
      release = () => {
        this.#held.delete(id);
        resolve();
      };
    });
    this.#held.set(id, held);
    return release;
  }

  /** Until a workspace can be asked; undefined where it can. */
  ready(id: string): Promise<void> | undefined {
    return this.#held.get(id);
  }

  /** One user of a workspace less. One that grows stays open. */
  close(id: string): void {
    const entry = this.#open.get(id);
    if (entry === undefined || entry.session.live || --entry.users > 0) return;
    this.#open.delete(id);
    this.#end(entry.session);
  }

  #end(session: Session): void {
    const running = this.#resumed.get(session.id);
    if (running === undefined) {
      session.close();
      return;
    }
    // What it writes to is closed behind it.
    running.end.abort();
    const ended = running.done
      .then(
        (more) => more.close(),
        () => session.close(),
      )
      .finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  /** At once, but for those in which indexing goes on: they are closed when the promise is kept. */
  async closeAll(): Promise<void> {
    for (const { session } of this.#open.values()) this.#end(session);
    this.#open.clear();
    await Promise.all(this.#ending);
  }
}

/** Aborts `to` with `from`. */
function passOn(from: AbortSignal | undefined, to: AbortController): void {
  if (from?.aborted) to.abort();
  else from?.addEventListener('abort', () => to.abort(), { once: true });
}

const isAt = ({ summary }: Session, path: string): boolean => path !== '' && summary.workspacePath === path;

/** Reads the `.cgroups` files and the recording's own cgroup events. */
function nameCgroups(trace: Trace, samples: Samples, request: { cgroups?: string | undefined }): void {
  const sideFiles = trace.recordings.map(({ info }) => `${info.path}.cgroups`).filter((path) => existsSync(path));
  const texts = request.cgroups === undefined ? sideFiles.map(readNamedFile) : [readNamedFile(request.cgroups)];
  const map = findCgroups(
    trace,
    samples,
    texts.flatMap((text) => parseCgroupLines(text).lines),
  );
  trace.cgroups = listCgroups(map);
  trace.cgroupAt = (value, timeNs) => map.at(value, timeNs);
  trace.cgroupLabel = (value) => cgroupLabel(map.at(value, trace.durationNs));
}

/** Text of a side file; throws with the operating system's reason. */
function readNamedFile(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(path, error);
  }
}
