import { closeSync, openSync, readSync } from 'node:fs';
import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { DIALECT_BYTES, readDialect, type TextDialect } from '../parse/text-trace/dialect.ts';
import { textHead, withText } from '../parse/text-trace/head.ts';
import { type TextSurvey, TextSurveyor } from '../parse/text-trace/survey.ts';
import { isTraceDat, readTraceDat } from '../parse/trace-dat.ts';
import { describeBytes } from './describe-bytes.ts';
import { type FileSource, openFile } from './file-source.ts';
import { recordingIdentity } from './identity.ts';
import { openRawFolder, type RawFolder, rawFolderAt, readRawHead } from './raw-folder.ts';
import { SurveyCache } from './survey-cache.ts';
import { scanText } from './text-import.ts';

/**
 * What a path holds is told by its content, here and nowhere else: a trace.dat, a folder of raw buffers, ftrace's text, or a
 * workspace. Names and endings mean nothing.
 */

/** A recording, open: its bytes, to be closed, and what it says about itself. */
export interface OpenRecording {
  source: FileSource;
  head: RecordingHead;
}

export interface ReadOptions {
  signal?: AbortSignal | undefined;
  onProgress?: ((progress: Progress) => void) | undefined;
  /** Where what was learned of a long text is kept; nowhere with `noCache`. */
  cacheFolder?: string | undefined;
  noCache?: boolean | undefined;
}

/** Opens a recording of any kind. Throws RemoraError: `file`, `not-a-trace`, `unsupported-version`, `damaged`. */
export async function openRecording(from: string | RawFolder, options: ReadOptions = {}): Promise<OpenRecording> {
  const raw = typeof from === 'string' ? rawFolderAt(from) : from;
  const source = raw === null ? openFile(from as string) : openRawFolder(raw);
  try {
    return { source, head: raw === null ? await readHead(source, options) : readRawHead(raw, source) };
  } catch (error) {
    source.close();
    throw error;
  }
}

async function readHead(source: FileSource, options: ReadOptions): Promise<RecordingHead> {
  const start = source.read(0, DIALECT_BYTES);
  if (isTraceDat(start)) return readLatency(source, readTraceDat(source), options);
  const dialect = readDialect(start);
  if (dialect !== null)
    return textHead(await survey(source, source, dialect, options), {
      offset: 0,
      bytes: source.size,
      compressed: false,
    });
  throw new RemoraError({
    code: 'not-a-trace',
    message: `${source.name}: not a recording that Remora reads (a trace.dat, a folder of raw per-CPU buffers, ftrace text): ${describeBytes(start)}`,
    file: source.name,
    offset: 0,
  });
}

/** A latency tracer's recording holds that tracer's text in place of events: the text's lines are its events. */
async function readLatency(source: FileSource, head: RecordingHead, options: ReadOptions): Promise<RecordingHead> {
  if (head.latencyText === null) return head;
  const { offset, bytes, compressed = false } = head.latencyText;
  const text = openCpuBytes(
    source,
    { cpu: 0, offset, bytes, compressed, littleEndian: head.abi.littleEndian },
    head.compression,
  );
  const dialect = readDialect(text.read(0, DIALECT_BYTES));
  if (dialect === null) return head;
  return withText(head, await survey(text, source, dialect, options), { offset, bytes, compressed });
}

/** Reads all of a text once, or finds what was learned of it before. */
async function survey(
  text: Pick<ByteSource, 'size' | 'read'>,
  source: FileSource,
  dialect: TextDialect,
  { signal, onProgress, cacheFolder, noCache = false }: ReadOptions,
): Promise<TextSurvey> {
  const cache = noCache ? null : SurveyCache.of(cacheFolder, recordingIdentity(source), text.size);
  const known = cache?.get(source.name) ?? null;
  if (known !== null) return known;
  const surveyor = new TextSurveyor(source.name, dialect);
  await scanText(text, (bytes, position, last) => surveyor.scan(bytes, position, last), {
    signal,
    onProgress: (done, total) => onProgress?.({ stage: 'Reading', unit: 'bytes', done, total }),
  });
  const found = surveyor.finish();
  cache?.put(found);
  return found;
}

const SQLITE_MAGIC = 'SQLite format 3\0';
/** `application_id` of a workspace, at byte 68 of the database's header. */
const WORKSPACE_ID = 'Rmra';

/** Whether a file is a workspace: a database that says so, whatever its name. */
export function isWorkspace(path: string): boolean {
  const header = firstBytes(path, 72).toString('latin1');
  return header.startsWith(SQLITE_MAGIC) && header.endsWith(WORKSPACE_ID);
}

/** Whether a file is a recording, by its first bytes; for lists of files, so that little is read. */
export function looksLikeRecording(path: string): boolean {
  const start = firstBytes(path, 8192);
  return isTraceDat(start) || readDialect(start) !== null;
}

/**
 * Whether a file is ftrace's text, by its first bytes.
 * @public
 */
export function isFtraceText(path: string): boolean {
  const start = firstBytes(path, DIALECT_BYTES);
  return !isTraceDat(start) && readDialect(start) !== null;
}

function firstBytes(path: string, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  try {
    const fd = openSync(path, 'r');
    try {
      return bytes.subarray(0, readSync(fd, bytes, 0, length, 0));
    } finally {
      closeSync(fd);
    }
  } catch {
    // Not ours to read, or not there: who opens it is told why.
    return bytes.subarray(0, 0);
  }
}
