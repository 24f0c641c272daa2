import { resolve } from 'node:path';
import { Command } from 'commander';
import { type TraceWarning, toErrorDetail } from '../../shared/errors.ts';
import { type CheckedCpu, type CheckedRecording, checkRecording } from '../engine/check.ts';
import { openRecording } from '../engine/readers.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { errorLine, exitCode, placed } from './exit-code.ts';
import { action, type CommandHost } from './host.ts';
import { Messages } from './messages.ts';
import { tableLines, writeJson, writeLines } from './output.ts';

interface CheckOptions {
  json?: boolean;
  quiet?: boolean;
}

/** Problems beyond these are counted for people; --json has them all. */
const SHOWN_PROBLEMS = 50;

export function addCheck(program: Command, host: CommandHost): void {
  const command = new Command('check')
    .description('reads every byte; counts events, gaps and damage; ends with 0, or 3 where something is damaged')
    .argument('<file...>', 'recordings, each by itself')
    .option('--json', 'print one JSON document, with every problem')
    .option('--quiet', 'no progress')
    .action(action(host, (files: string[], options: CheckOptions) => check(files, options, host)));
  program.addCommand(command);
}

async function check(files: readonly string[], options: CheckOptions, host: CommandHost): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  const documents: object[] = [];
  let code: number = exitCode.done;
  for (const [index, file] of files.entries()) {
    try {
      const found = await checkFile(resolve(file), host, messages);
      messages.clear();
      if (options.json) documents.push(fileDocument(found));
      else await writeLines(host.stdout, [...(index > 0 ? [''] : []), ...fileLines(found)]);
      code = worse(code, codeOf(found));
    } catch (error) {
      messages.clear();
      const detail = toErrorDetail(error);
      // The first thing that a person wants to know of a list is which of them cannot be read, and then the others.
      if (files.length === 1 || detail.code === 'cancelled') throw error;
      if (options.json) documents.push({ file: resolve(file), ok: false, error: detail });
      else host.stderr.write(`${errorLine(error)}\n`);
      code = exitCode.failed;
    }
  }
  if (options.json) await writeJson(host.stdout, { ok: code === exitCode.done, files: documents });
  return code;
}

interface CheckedFile {
  file: string;
  bytes: number;
  head: RecordingHead;
  checked: CheckedRecording;
}

async function checkFile(file: string, { signal }: CommandHost, messages: Messages): Promise<CheckedFile> {
  const { source, head } = await openRecording(file, { signal, onProgress: (progress) => messages.progress(progress) });
  try {
    const checked = await checkRecording(source, head, {
      signal,
      onProgress: (done, total) => messages.progress({ stage: 'Checking', unit: 'bytes', done, total }),
    });
    return { file, bytes: source.size, head, checked };
  } finally {
    source.close();
  }
}

/** Nothing is left of a recording that has problems and no data. */
function codeOf({ head, checked: { streams, problems } }: CheckedFile): number {
  if (problems.length === 0) return exitCode.done;
  const some = head.latencyText !== null || streams.some(({ cpus }) => cpus.length > 0);
  return some ? exitCode.damaged : exitCode.failed;
}

/** Failed is worse than damaged. */
const worse = (a: number, b: number): number =>
  a === exitCode.failed || b === exitCode.failed ? exitCode.failed : Math.max(a, b);

type Totals = Omit<CheckedCpu, 'cpu'>;

function totalsOf(cpus: readonly CheckedCpu[]): Totals {
  const sum = (key: keyof Totals): number => cpus.reduce((total, cpu) => total + cpu[key], 0);
  return {
    bytes: sum('bytes'),
    subBuffers: sum('subBuffers'),
    events: sum('events'),
    lost: sum('lost'),
    gaps: sum('gaps'),
    undecodable: sum('undecodable'),
    damage: sum('damage'),
  };
}

function fileDocument({ file, bytes, head, checked }: CheckedFile): object {
  const { streams, problems, undecodable } = checked;
  const { events, lost, gaps } = totalsOf(streams.flatMap(({ cpus }) => cpus));
  return {
    file,
    ok: problems.length === 0,
    bytes,
    format: head.format,
    version: head.version,
    compression: head.compression,
    events,
    lost,
    gaps,
    damage: problems.length,
    problems,
    undecodable,
    streams: streams.map((stream) => ({ ...stream, ...totalsOf(stream.cpus), cpus: stream.cpus })),
  };
}

const count = (n: number, thing: string): string => `${n.toLocaleString('en')} ${thing}${n === 1 ? '' : 's'}`;

function* fileLines({ file, bytes, head, checked }: CheckedFile): Generator<string> {
  const { streams, problems, undecodable } = checked;
  const compressed = head.compression === 'none' ? 'not compressed' : head.compression;
  yield `${file}: ${head.format}${head.version > 0 ? ` version ${head.version}` : ''}, ${compressed}, ${count(bytes, 'byte')}`;
  for (const { name, clock, cpus } of streams) {
    yield `  ${name === '' ? 'Top buffer' : `Instance ${name}`}, clock ${clock || 'unknown'}`;
    const rows = cpus.map((cpu) => [cpu.cpu, cpu.bytes, cpu.events, cpu.lost, cpu.gaps, cpu.undecodable, cpu.damage]);
    for (const line of tableLines(['cpu', 'bytes', 'events', 'lost', 'gaps', 'no format', 'damage'], rows))
      yield `    ${line}`;
  }
  const all = totalsOf(streams.flatMap(({ cpus }) => cpus));
  yield `  ${count(all.events, 'event')}, ${count(all.lost, 'event')} lost by the kernel, ${count(all.gaps, 'gap')} of unknown size`;
  if (undecodable.length > 0) {
    const ids = undecodable.map(({ id, events }) => `${id} (${events.toLocaleString('en')})`).join(', ');
    yield `  ${count(all.undecodable, 'record')} of ids that have no format in the recording: ${ids}`;
  }
  if (problems.length === 0) {
    yield '  No damage.';
    return;
  }
  yield `  ${count(problems.length, 'problem')}:`;
  for (const problem of problems.slice(0, SHOWN_PROBLEMS)) yield `    ${problemLine(problem)}`;
  const more = problems.length - SHOWN_PROBLEMS;
  if (more > 0) yield `    and ${more.toLocaleString('en')} more: --json lists them all`;
}

/** The message says what was found; what should have been is added where it does not say that too. */
function problemLine(problem: TraceWarning): string {
  const { message, expected } = problem;
  return expected === undefined || message.includes(expected)
    ? placed(problem)
    : `${placed(problem)}: expected ${expected}`;
}
