import { closeSync, openSync, readSync } from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { DIALECT_BYTES, readDialect } from '../parse/text-trace/dialect.ts';
import { textHead, withText } from '../parse/text-trace/head.ts';
import { isTraceDat, readTraceDat } from '../parse/trace-dat.ts';
import { describeBytes } from './describe-bytes.ts';
import { type FileSource, openFile } from './file-source.ts';
import { openRawFolder, type RawFolder, rawFolderAt, readRawHead } from './raw-folder.ts';
import type { ReadOptions, surveyText } from './text-survey.ts';

/**
 * What a path holds is told by its content, here and nowhere else: a trace.dat, a folder of raw buffers, ftrace's text, or a
 * workspace. Names and endings mean nothing.
 */

/** A recording, open: its bytes, to be closed, and what it says about itself. */
export interface OpenRecording {
  source: FileSource;
  head: RecordingHead;
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
    return textHead(await surveyOf(source, source, dialect, options), {
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
  return withText(head, await surveyOf(text, source, dialect, options), { offset, bytes, compressed });
}

/** Loaded where there is a text. */
const surveyOf = async (...args: Parameters<typeof surveyText>): ReturnType<typeof surveyText> =>
  (await import('./text-survey.ts')).surveyText(...args);

/** A damaged file without a single byte of event data is an error, not an empty trace. */
export function requireSomething({ head, source }: OpenRecording): void {
  const empty =
    head.format === 'trace.dat' && head.latencyText === null && head.buffers.every(({ cpus }) => cpus.length === 0);
  const [first] = head.warnings;
  if (!empty || first === undefined) return;
  const reason = first.message.replace(`${source.name}: `, '');
  throw new RemoraError({
    code: 'damaged',
    message: `${source.name}: no event data is left in this trace.dat: ${reason}; the file is cut or damaged there: copy it again`,
    file: source.name,
    offset: first.offset,
    section: first.section,
  });
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
