import { existsSync, realpathSync, statSync } from 'node:fs';
import { basename, extname, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import type { Progress } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import { type TimeRange, toRelNs } from '../../shared/time.ts';
import type { Session } from '../engine/sessions.ts';
import { materialize } from '../engine/sql.ts';
import type { EventSelection } from '../export/convert-events.ts';
import { exitCode } from './exit-code.ts';
import { action, type CommandHost } from './host.ts';
import { type InputOptions, readSession, withInput } from './input.ts';
import { Messages } from './messages.ts';
import { parseWindow } from './time-point.ts';

interface ConvertOptions extends InputOptions {
  output: string;
  event?: string;
  info: boolean;
  host?: string;
  day?: string;
}

/** Endings that a file may have, and what is written there. */
const formats = {
  '.parquet': 'events as Parquet',
  '.csv': 'events as CSV',
  '.json': 'Chrome trace events, for Perfetto and chrome://tracing',
  '.txt': 'what `remora report` prints',
  '.db': 'all tables of `remora sql` as SQLite',
} as const;
type Ending = keyof typeof formats;

export function addConvert(program: Command, host: CommandHost): void {
  const command = new Command('convert').description('events in a form that other tools read').requiredOption(
    '-o, --output <file>',
    `by its ending: ${Object.entries(formats)
      .map(([ending, what]) => `${ending}: ${what}`)
      .join('; ')}; a folder: Parquet of many recordings, partitioned by host, day and event`,
  );
  withInput(command, { json: false })
    .option('--event <type>', 'only events of this type, with a column per field (.csv, .parquet)')
    .option('--no-info', 'leave out the text of the events (.parquet, folder): most of the bytes and of the time')
    .option('--host <name>', 'name of the traced machine (.parquet, folder; default: what the recording says)')
    .addOption(
      new Option('--day <date>', 'day of the recording, where it does not say it (folder): 2026-03-01').argParser(
        parseDay,
      ),
    )
    .action(action(host, (files: string[], options: ConvertOptions) => convert(files, options, host)));
  program.addCommand(command);
}

async function convert(files: readonly string[], options: ConvertOptions, host: CommandHost): Promise<number> {
  const path = resolve(options.output);
  refuseInputs(files, path);
  const ending = endingOf(options.output);
  refuseUnheeded(options, ending);
  if (ending !== null) {
    return readSession(files, options, host, (session) => convertToFile(session, path, ending, options, host));
  }
  // Each recording by itself: they have clocks of their own, and one after the other they need the memory of one.
  let code: number = exitCode.done;
  for (const file of files) {
    code = Math.max(
      code,
      await readSession([file], options, host, (session) => convertToFolder(session, path, options, host)),
    );
  }
  return code;
}

async function convertToFile(
  session: Session,
  path: string,
  ending: Ending,
  options: ConvertOptions,
  host: CommandHost,
): Promise<void> {
  const messages = new Messages(host.stderr, options.quiet === true);
  try {
    const write = ending === '.db' ? writeTables : writeEvents;
    const bytes = await write(session, path, ending, options, host, messages);
    messages.clear();
    messages.say(`${path}: ${bytes.toLocaleString('en')} bytes`);
  } finally {
    messages.clear();
  }
}

async function writeTables(
  session: Session,
  path: string,
  _ending: Ending,
  _options: ConvertOptions,
  { signal }: CommandHost,
  messages: Messages,
): Promise<number> {
  const onProgress = (progress: Progress): void => messages.progress(progress);
  await materialize(session, path, { signal, timeoutMs: Number.POSITIVE_INFINITY, onProgress });
  return statSync(path).size;
}

async function writeEvents(
  session: Session,
  path: string,
  ending: Ending,
  options: ConvertOptions,
  host: CommandHost,
  messages: Messages,
): Promise<number> {
  const { trace } = session;
  const { StagedFile } = await import('../export/convert-output.ts');
  const { findEventType } = await import('../export/convert-events.ts');
  const selection = selectionOf(session, options, host, messages);
  const type = options.event === undefined ? null : findEventType(trace, options.event);
  const out = new StagedFile(path);
  try {
    switch (ending) {
      case '.parquet': {
        const { writeParquetFile } = await import('../export/parquet.ts');
        await writeParquetFile(trace, parquetOptions(options), type, selection, out);
        break;
      }
      case '.csv': {
        const { writeCsv } = await import('../export/csv.ts');
        await writeCsv(trace, type, selection, out);
        break;
      }
      case '.json': {
        const { writeChromeTrace } = await import('../export/chrome-trace.ts');
        await writeChromeTrace({ trace, ...derived(session, selection.window) }, selection, out);
        break;
      }
      case '.txt': {
        const { writeReport } = await import('../export/report-text.ts');
        await writeReport(trace, selection, out);
      }
    }
    out.commit();
  } finally {
    out.abandon();
  }
  return out.bytes;
}

async function convertToFolder(
  session: Session,
  path: string,
  options: ConvertOptions,
  host: CommandHost,
): Promise<void> {
  const { StagedFolder } = await import('../export/convert-output.ts');
  const { holdsSameRecordings, writeParquetFolder } = await import('../export/parquet-folder.ts');
  const messages = new Messages(host.stderr, options.quiet === true);
  const selection = selectionOf(session, options, host, messages);
  const source = {
    trace: session.trace,
    ...derived(session, selection.window),
    warnings: session.summary.warnings.length,
  };
  const folder = new StagedFolder(path);
  try {
    await writeParquetFolder(source, parquetOptions(options), selection, folder);
    folder.commit(holdsSameRecordings(folder.files));
  } finally {
    messages.clear();
    folder.abandon();
  }
  const names = session.trace.recordings.map(({ info }) => basename(info.path)).join(', ');
  messages.say(`${path}: ${folder.files.size} files of ${names}, ${folder.bytes.toLocaleString('en')} bytes`);
}

const parquetOptions = ({ host, day, info }: ConvertOptions) => ({ host: host ?? null, day: day ?? null, info });

function selectionOf(
  { summary }: Session,
  options: ConvertOptions,
  { signal }: CommandHost,
  messages: Messages,
): EventSelection {
  const windowed = options.from !== undefined || options.to !== undefined;
  return {
    filter: options.filter ?? '',
    window: windowed ? parseWindow(options, summary) : null,
    signal,
    onProgress: (done, total) => messages.progress({ stage: 'Converting', unit: 'events', done, total, events: done }),
  };
}

/** What is known beside the events: whole, where it touches the window. */
function derived({ trace, episodes, notes }: Session, window: TimeRange | null) {
  const touches = ({ fromNs, toNs }: TimeRange): boolean =>
    window === null || (toNs >= window.fromNs && fromNs <= window.toNs);
  const annotations = notes.all().map(({ fromAbs, toAbs, ...note }) => ({
    ...note,
    fromNs: toRelNs(BigInt(fromAbs), trace.originNs),
    toNs: toRelNs(BigInt(toAbs), trace.originNs),
  }));
  return {
    episodes: episodes.find('none', undefined).episodes.filter(touches),
    annotations: annotations.filter(touches),
  };
}

/** The ending that says what to write; null for a folder: one that is there, or a name without an ending. */
function endingOf(output: string): Ending | null {
  const path = resolve(output);
  if (/[/\\]$/.test(output) || statSync(path, { throwIfNoEntry: false })?.isDirectory()) return null;
  const ending = extname(path).toLowerCase();
  if (ending === '') return null;
  if (Object.hasOwn(formats, ending)) return ending as Ending;
  throw usage(
    `${basename(path)}: the ending says what to write, and has to be one of ${Object.keys(formats).join(', ')}; without one it is a folder.`,
  );
}

/** A recording is never written to. */
function refuseInputs(files: readonly string[], path: string): void {
  if (!existsSync(path)) return;
  const same = files.find((file) => existsSync(file) && realpathSync(file) === realpathSync(path));
  if (same !== undefined) throw usage(`${same} is the recording itself: write to another file.`);
}

/** Options that would be passed over in silence. */
function refuseUnheeded({ event, host, day, info, from, to, filter }: ConvertOptions, ending: Ending | null): void {
  const refuse = (option: string, given: boolean, ...heeded: (Ending | null)[]): void => {
    if (!given || heeded.includes(ending)) return;
    throw usage(`${option} means nothing for ${ending ?? 'a folder'}.`);
  };
  for (const [option, value] of Object.entries({ from, to, filter }))
    refuse(`--${option}`, value !== undefined, '.parquet', '.csv', '.json', '.txt', null);
  refuse('--event', event !== undefined, '.csv', '.parquet');
  refuse('--no-info', !info, '.parquet', null);
  refuse('--host', host !== undefined, '.parquet', null);
  refuse('--day', day !== undefined, null);
}

function parseDay(text: string): string {
  const valid = /^\d{4}-\d{2}-\d{2}$/.test(text) && new Date(`${text}T00:00:00Z`).toJSON()?.startsWith(text);
  if (!valid) throw new InvalidArgumentError('A day is written 2026-03-01.');
  return text;
}

const usage = (message: string): RemoraError => new RemoraError({ code: 'bad-request', message });
