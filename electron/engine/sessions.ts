import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { cgroupLabel, parseCgroupLines } from '../derive/cgroups.ts';
import { findCgroups, listCgroups } from '../query/cgroups.ts';
import { EpisodeQueries } from '../query/episodes.ts';
import { Lanes } from '../query/lanes.ts';
import { RowQueries } from '../query/rows.ts';
import { Samples } from '../query/samples.ts';
import { SeriesQueries } from '../query/series.ts';
import { TaskLanes } from '../query/task-lanes.ts';
import type { Trace } from '../query/trace.ts';
import { fileError } from './file-source.ts';
import type { NotesFile } from './notes-file.ts';
import { type OpenedTrace, type OpenRequest, openTrace } from './open.ts';

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
  lanes: Pick<Lanes, 'window'>;
  taskLanes: Pick<TaskLanes, 'window'>;
  rows: RowQueries;
  series: Pick<SeriesQueries, 'window' | 'firstLook'>;
  episodes: Pick<EpisodeQueries, 'find'>;
  /** It grows while a capture runs: its index is not complete, and whoever captures closes it. */
  live: boolean;
  close(): void;
}

/** How a workspace is opened; `cgroups`: a file of `inode path` lines, in place of those beside the recordings. */
type SessionRequest = Omit<OpenRequest, 'cacheFolder'> & { cgroups?: string | undefined };

/** The engine's open workspaces. One that is opened twice, by two tabs or a reload, is shared. */
export class Sessions {
  readonly cacheFolder: string;
  readonly #open = new Map<string, { session: Session; users: number }>();
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
    const opened = await openTrace({ ...request, cacheFolder: this.cacheFolder });
    const path = opened.summary.workspacePath;
    for (const entry of this.#open.values()) {
      if (path === '' || entry.session.summary.workspacePath !== path) continue;
      opened.close();
      entry.users++;
      return entry.session;
    }
    const session = this.#sessionOf(opened, request, randomBytes(8).toString('hex'));
    this.#open.set(session.id, { session, users: 1 });
    return session;
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
      taskLanes: new TaskLanes(opened.trace, samples, lanes),
      rows: new RowQueries(opened.trace),
      series: new SeriesQueries(opened.trace, samples),
      episodes: new EpisodeQueries(opened.trace, samples),
      live: false,
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
    entry.session.close();
  }

  closeAll(): void {
    for (const { session } of this.#open.values()) session.close();
    this.#open.clear();
  }
}

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
