import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import type { CaptureGrowth, CaptureSettings } from '../../shared/capture.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { buildCgroupMap, cgroupLabel, parseCgroupLines } from '../derive/cgroups.ts';
import { readTraceDat } from '../parse/trace-dat.ts';
import { listCgroups } from '../query/cgroups.ts';
import { LiveLanes } from '../query/live-lanes.ts';
import { LiveEpisodes, LiveSeries, LiveTaskLanes, numberParts } from '../query/live-window.ts';
import { RowQueries } from '../query/rows.ts';
import { removeDatabase } from '../store/database.ts';
import { makeFolder } from '../store/folders.ts';
import { WorkspaceStore } from '../store/workspace-store.ts';
import { openFile } from './file-source.ts';
import { type GrowingFile, openGrowingFile } from './growing-file.ts';
import { type GiveUp, GrowingIndex, type GrownCpu } from './growing-index.ts';
import { cachedWorkspacePath, liveWorkspacePath, recordingIdentity } from './identity.ts';
import { LiveTrace } from './live-trace.ts';
import { NotesFile, notesPath } from './notes-file.ts';
import type { Session } from './sessions.ts';
import { LiveTaskNames } from './task-names.ts';

/** What is kept of each CPU makes at least about so many chunks, as the oldest goes as a whole. */
const CHUNKS_KEPT = 64;
const LEAST_CHUNK_BYTES = 1 << 16;
/** cgroups are named again this long after the last time, where their file has grown. */
const CGROUPS_MS = 1000;

/**
 * A recording that is being captured, as a workspace: indexed while it grows, and looked at like any other. When the capture has
 * ended its index is the workspace of the recording.
 */
export class LiveWorkspace {
  readonly session: Session;
  readonly #path: string;
  readonly #cacheFolder: string;
  readonly #file: GrowingFile;
  readonly #store: WorkspaceStore;
  readonly #index: GrowingIndex;
  readonly #live: LiveTrace;
  readonly #lanes: LiveLanes;
  readonly #series: LiveSeries;
  readonly #episodes: LiveEpisodes;
  readonly #recordingId: number;
  #cgroups = { bytes: -1, readMs: Number.NEGATIVE_INFINITY };
  #closed = false;

  /**
   * `path`: a recording that was begun; `keep`: of which only the last is kept, so that its index is of no use in the end. Throws
   * where it cannot be read.
   */
  constructor(path: string, cacheFolder: string, keep: CaptureSettings['keep'] = undefined) {
    this.#path = path;
    this.#cacheFolder = cacheFolder;
    makeFolder(cacheFolder);
    this.#file = openGrowingFile(path);
    const storePath = liveWorkspacePath(cacheFolder, path);
    removeDatabase(storePath);
    rmSync(notesPath(storePath), { force: true });
    const head = readTraceDat(this.#file);
    this.#store = new WorkspaceStore(storePath);
    const notes = new NotesFile(storePath, this.#store);
    const writer = this.#store.beginImport(path, 'being captured');
    this.#recordingId = writer.recording;
    const giveUp = keep === undefined ? null : this.#giveUp(keep, head.cpuCount);
    this.#index = new GrowingIndex(this.#file, head, writer, giveUp);
    const names = new LiveTaskNames(this.#file, head.comms);
    this.#live = new LiveTrace(this.#file, head, this.#store, this.#index, (pid) => names.nameOf(pid));
    const { trace } = this.#live;
    this.#lanes = new LiveLanes(trace);
    const parts = numberParts(trace);
    this.#series = new LiveSeries(trace, parts);
    this.#episodes = new LiveEpisodes(trace, parts);
    const id = randomBytes(8).toString('hex');
    this.session = {
      id,
      trace,
      summary: this.#live.summary(id),
      notes,
      cacheFolder,
      cgroupsFile: undefined,
      lanes: this.#lanes,
      taskLanes: new LiveTaskLanes(trace, parts),
      rows: new RowQueries(trace),
      series: this.#series,
      episodes: this.#episodes,
      live: true,
      rest: null,
      close: () => this.#close(),
    };
  }

  /** Null before there is an event. */
  get growth(): CaptureGrowth | null {
    const { begun, events, lost, trace } = this.#live;
    const fromNs = trace.streams[0]?.info.fromNs ?? 0;
    return begun ? { events, lost, fromNs, durationNs: trace.durationNs } : null;
  }

  #giveUp({ ms, bytes }: NonNullable<CaptureSettings['keep']>, cpus: number): GiveUp {
    const mostBytes = Math.max(
      LEAST_CHUNK_BYTES,
      (bytes ?? Number.POSITIVE_INFINITY) / Math.max(1, cpus) / CHUNKS_KEPT,
    );
    const mostTime = ((ms ?? Number.POSITIVE_INFINITY) * 1e6) / CHUNKS_KEPT;
    return { mostBytes, mostTime, chunkOf: (info) => this.#store.chunk(info) };
  }

  /** Takes in what has been captured since. */
  advance(cpus: readonly GrownCpu[], settled = false): void {
    this.#index.advance(cpus, settled);
    this.#live.grow();
    this.#series.grown();
    this.#episodes.grown();
    this.#nameCgroups();
  }

  summary(): WorkspaceSummary {
    this.session.summary = this.#live.summary(this.session.id);
    return this.session.summary;
  }

  /** The capture follows cgroups in `FILE.cgroups`, which grows. */
  #nameCgroups(): void {
    const now = performance.now();
    if (now - this.#cgroups.readMs < CGROUPS_MS) return;
    this.#cgroups.readMs = now;
    let text: string;
    try {
      text = readFileSync(`${this.#path}.cgroups`, 'utf8');
    } catch {
      return; // cgroupfs is not mounted.
    }
    if (text.length === this.#cgroups.bytes) return;
    this.#cgroups.bytes = text.length;
    const map = buildCgroupMap({ events: [], idBytes: 8, lines: parseCgroupLines(text).lines });
    const { trace } = this.#live;
    trace.cgroups = listCgroups(map);
    trace.cgroupAt = (value, timeNs) => map.at(value, timeNs);
    trace.cgroupLabel = (value) => cgroupLabel(map.at(value, trace.durationNs));
  }

  /** What filters run ends: their answers would mix two states of the file. */
  freeze(): void {
    this.session.rows.stop();
  }

  /** The recording is complete: its index takes its final place. Returns the workspace's path. */
  settle(): string {
    this.#index.finish();
    const recording = openFile(this.#path);
    const identity = recordingIdentity(recording);
    recording.close();
    this.#store.identifyRecording(this.#recordingId, identity);
    const from = this.#store.path;
    this.#close();
    const path = cachedWorkspacePath(this.#cacheFolder, [this.#path], [identity]);
    removeDatabase(path);
    renameSync(from, path);
    if (existsSync(notesPath(from))) renameSync(notesPath(from), notesPath(path));
    return path;
  }

  /** The index is of no use any more; notes stay for the recording's next opening. */
  discard(): void {
    const { path } = this.#store;
    this.#close();
    removeDatabase(path);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.session.rows.stop();
    this.#store.close();
    this.#file.close();
  }
}
