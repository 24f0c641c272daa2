import { existsSync, statSync } from 'node:fs';
import { extname } from 'node:path';
import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { PartialIndex, WorkspaceSummary } from '../../shared/model.ts';
import type { Trace } from '../query/trace.ts';
import { isCorrupt, isMarkedDamaged, isUnwritable, removeDatabase, setAside, translate } from '../store/database.ts';
import type { ImportWriter } from '../store/import-writer.ts';
import { WorkspaceStore } from '../store/workspace-store.ts';
import { buildTrace, type Input, summarize } from './build-trace.ts';
import { openFile } from './file-source.ts';
import { cachedWorkspacePath, recordingIdentity } from './identity.ts';
import { type ImportOptions, type ResumableImport, startImport } from './import.ts';
import { adoptLiveNotes, NotesFile } from './notes-file.ts';
import { groupCaptures } from './raw-folder.ts';
import { isWorkspace, openRecording, requireSomething } from './readers.ts';
import { anyOf } from './signals.ts';

export interface OpenRequest {
  paths: string[];
  /** Where to keep the workspace; default: the cache folder. */
  workspace?: string | undefined;
  noCache?: boolean | undefined;
  /** Progress of indexing begins with what the recording looks like. */
  preview?: boolean | undefined;
  memoryPageBytes?: number | undefined;
  /** For a second process beside the one that owns `workspace`: it must be there with everything indexed, and stays as it is. */
  readOnly?: boolean | undefined;
  cacheFolder: string;
  /** Threads to index with; default: by the amount of data. */
  threads?: number | undefined;
  signal?: AbortSignal | undefined;
  /** Ends the opening early with what is indexed by then, see `OpenedTrace.rest`. Where that is nothing it is `cancelled`. */
  stop?: AbortSignal | undefined;
  /** Throws where a workspace is open here with a part of its index: it must not be touched by another connection. */
  beforeStore?: ((workspacePath: string) => void) | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
}

/** An open workspace: what queries work on, and what must be closed. */
export interface OpenedTrace {
  trace: Trace;
  summary: WorkspaceSummary;
  notes: NotesFile;
  /** What was stopped before its end; null: the index is complete. */
  rest: RestOfIndex | null;
  close(): void;
}

/** Indexing that was stopped and can go on, while queries work on what is there. */
export interface RestOfIndex {
  /**
   * Indexes the rest, and opens the whole in place of the part: the same store, notes and files. Stopped, it opens the part that
   * is there by then. May be called again after a cancel.
   */
  run(options: ImportOptions): Promise<OpenedTrace>;
}

/**
 * Opens recordings as one workspace: reads their heads, finds or builds the index, and puts everything on one time
 * axis. A recording that cannot be read at all fails the call, and then nothing is left behind.
 */
export async function openTrace(request: OpenRequest): Promise<OpenedTrace> {
  const named = request.paths.filter((path) => extname(path) === '.remora' || isWorkspace(path));
  if (named.length > 1 || (named.length === 1 && request.paths.length > 1)) {
    throw new RemoraError({ code: 'bad-request', message: 'open one workspace by itself, or several recordings' });
  }
  if (named.length === 1) return openWorkspaceFile(request, named[0] as string);
  const inputs: Input[] = [];
  // Before there is an index nothing can be kept.
  const signal = anyOf(request.signal, request.stop);
  try {
    for (const recording of groupCaptures(request.paths)) {
      const input = { ...(await openRecording(recording, { ...request, signal })), identity: '' };
      inputs.push(input);
      requireSomething(input);
      input.identity = recordingIdentity(input.source);
    }
    if (request.noCache) return await openWith(inputs, '', request);
    if (request.workspace !== undefined) return await openWith(inputs, request.workspace, request);
    return await openCached(inputs, request);
  } catch (error) {
    for (const { source } of inputs) source.close();
    throw error;
  }
}

/** A `*.remora` file names its recordings; they must still be what was indexed, or are indexed again. */
async function openWorkspaceFile(request: OpenRequest, path: string): Promise<OpenedTrace> {
  if (!existsSync(path)) openFile(path); // throws the operating system's reason
  const store = new WorkspaceStore(path);
  const paths = store.recordings().map((recording) => recording.path);
  store.close();
  if (paths.length === 0) {
    throw new RemoraError({ code: 'workspace', message: `${path}: this workspace names no recording`, file: path });
  }
  return openTrace({ ...request, paths, workspace: path, noCache: false });
}

/** A cache folder that nothing can be kept in is no reason not to look at a recording: the workspace is private then. */
async function openCached(inputs: Input[], request: OpenRequest): Promise<OpenedTrace> {
  const identities = inputs.map(({ identity }) => identity);
  const path = cachedWorkspacePath(request.cacheFolder, request.paths, identities);
  try {
    return await openWith(inputs, path, request);
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    const opened = await openWith(inputs, '', request);
    const message =
      'nothing can be kept here: notes and the index go when this is closed; set REMORA_CACHE to a folder that can be written';
    opened.summary.warnings.push({ file: request.cacheFolder, offset: 0, section: 'workspace', message });
    return opened;
  }
}

/**
 * Opens or builds the workspace at `path`. One that is damaged is set aside, so that nothing of it is lost for good, and
 * built anew; what the user wrote comes back from the notes file.
 */
async function openWith(inputs: Input[], path: string, request: OpenRequest): Promise<OpenedTrace> {
  if (path === '' || request.readOnly) return openStored(inputs, path, request);
  try {
    if (!isMarkedDamaged(path)) return await openStored(inputs, path, request);
  } catch (error) {
    if (!isCorrupt(translate(path, error))) throw error;
  }
  const aside = setAside(path);
  const opened = await openStored(inputs, path, request);
  const message = `the workspace was damaged: it was kept as ${aside}, and the index built again`;
  opened.summary.warnings.push({ file: path, offset: 0, section: 'workspace', message });
  return opened;
}

async function openStored(inputs: Input[], path: string, request: OpenRequest): Promise<OpenedTrace> {
  request.beforeStore?.(path);
  const isNew = path !== '' && !existsSync(path);
  const store = openStore(path, request.readOnly);
  try {
    if (isNew) for (const { source } of inputs) adoptLiveNotes(request.cacheFolder, source.name, path);
    const notes = new NotesFile(request.readOnly ? '' : path, store);
    const { reopened, imports } = await ensureIndexed(inputs, store, request);
    const opened = (): OpenedTrace => {
      const paused = (): RunningImport[] => imports.filter(({ complete }) => !complete);
      const trace = buildTrace(inputs, store, request.memoryPageBytes);
      const summary = summarize(trace, store, reopened);
      if (paused().length > 0) summary.partial = partOf(trace, imports);
      return {
        trace,
        summary,
        notes,
        rest: paused().length === 0 ? null : { run },
        close() {
          for (const { writer } of paused()) writer.discard();
          store.close();
          for (const { source } of inputs) source.close();
        },
      };
    };
    const run = async (options: ImportOptions): Promise<OpenedTrace> => {
      await runImports(imports, options);
      return opened();
    };
    return opened();
  } catch (error) {
    store.close();
    // Nothing half-written: an import that was cancelled leaves no empty workspace. Notes have a file of their own.
    if (isNew) removeDatabase(path);
    throw translate(path, error);
  }
}

/** A full disk may leave a file without a byte in it: no workspace, and nobody else's. */
function openStore(path: string, readOnly: boolean | undefined): WorkspaceStore {
  try {
    return new WorkspaceStore(path, readOnly);
  } catch (error) {
    if (path !== '' && !readOnly && existsSync(path) && statSync(path).size === 0) removeDatabase(path);
    throw error;
  }
}

/** What an opening indexes, or has indexed. */
interface RunningImport {
  writer: ImportWriter;
  job: ResumableImport;
  complete: boolean;
}

/** How much of the recordings' data the index has, where it is not complete. */
function partOf(trace: Trace, imports: readonly RunningImport[]): PartialIndex {
  const cpus = imports.flatMap(({ job }) =>
    job.coverage().map(({ stream, ...cpu }) => ({
      ...cpu,
      stream: trace.streams.findIndex(({ stored }) => stored === stream),
    })),
  );
  const sum = (of: (cpu: (typeof cpus)[number]) => number): number => cpus.reduce((all, cpu) => all + of(cpu), 0);
  return { bytes: sum(({ bytes }) => bytes), totalBytes: sum(({ totalBytes }) => totalBytes), cpus };
}

/** Builds what is missing of the index. `reopened`: nothing was. Not all of `imports` are complete where it was stopped. */
async function ensureIndexed(
  inputs: Input[],
  store: WorkspaceStore,
  request: OpenRequest,
): Promise<{ reopened: boolean; imports: RunningImport[] }> {
  const wanted = new Set(inputs.map(({ identity }) => identity));
  if (request.readOnly) {
    requireIndexed(inputs, store);
    return { reopened: true, imports: [] };
  }
  for (const stored of store.recordings()) {
    if (stored.indexed === 0 || !wanted.has(stored.identity)) store.dropRecording(stored.id);
  }
  const imports: RunningImport[] = [];
  let some = false;
  for (const { source, head, identity } of inputs) {
    const known = store.recordings().find((stored) => stored.identity === identity);
    if (known !== undefined) {
      if (known.path !== source.name) store.moveRecording(known.id, source.name);
      some = true;
      continue;
    }
    const writer = store.beginImport(source.name, identity);
    try {
      const added = { writer, job: startImport(source, head, writer), complete: false };
      imports.push(added);
      await runImports([added], request, some);
      some ||= added.job.events > 0;
    } catch (error) {
      writer.abort();
      throw error;
    }
  }
  const complete = imports.every((each) => each.complete);
  if (!complete && !some) throw new RemoraError({ code: 'cancelled', message: 'the import was cancelled' });
  // An import that came to its end behind them has ended the transaction that keeps others away.
  imports.find((each) => !each.complete)?.job.pause();
  return { reopened: imports.length === 0, imports };
}

/** Runs what is not complete, one after the other, until it is or `stop` comes. `some`: there is something to show already. */
async function runImports(imports: readonly RunningImport[], options: ImportOptions, some = false): Promise<void> {
  const { stop, onProgress } = options;
  const told = some && onProgress ? (progress: Progress) => onProgress({ ...progress, stoppable: true }) : onProgress;
  const left = imports.filter(({ complete }) => !complete);
  for (const [index, running] of left.entries()) {
    if (stop?.aborted) running.job.pause();
    else running.complete = await running.job.run({ ...options, onProgress: told });
    // Whoever comes next holds the workspace from here on.
    if (running.complete) left[index + 1]?.job.pause();
  }
}

function requireIndexed(inputs: Input[], store: WorkspaceStore): void {
  const stored = store.recordings();
  for (const { source, identity } of inputs) {
    if (stored.some((recording) => recording.identity === identity && recording.indexed !== 0)) continue;
    throw new RemoraError({
      code: 'workspace',
      message: `${source.name}: the recording is not what it was when it was opened: open it again`,
      file: source.name,
    });
  }
}
