import { resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { requireSomething } from '../engine/open.ts';
import { groupCaptures } from '../engine/raw-folder.ts';
import { isFtraceText, isWorkspace, openRecording } from '../engine/readers.ts';
import type { Session } from '../engine/sessions.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { FilteredLists } from '../query/filtered-list.ts';
import { type ReportRequest, reportRecording } from '../query/report-recording.ts';
import { reportText, type TextReportRequest } from '../query/text-report.ts';
import { exitCode } from './exit-code.ts';
import { allOf } from './filter-option.ts';
import { action, type CommandHost, repeated } from './host.ts';
import { type InputOptions, readSession, withInput } from './input.ts';
import { Messages } from './messages.ts';
import { reportOutput } from './report-output.ts';
import { windowFilter } from './time-point.ts';

interface ReportCommandOptions extends InputOptions {
  raw?: boolean;
  latency?: boolean;
  fullTime?: boolean;
  cpu?: Set<number>;
  only?: string[];
}

export function addReport(program: Command, host: CommandHost): void {
  const command = new Command('report').description('what `trace-cmd report` prints, byte for byte');
  withInput(command)
    .option('-R, --raw', 'raw fields')
    .option('-l, --latency', 'latency format')
    .option('-t, --full-time', 'times in full, to the nanosecond')
    .addOption(new Option('--cpu <list>', 'only these CPUs: 0,2-3').argParser(parseCpus))
    .option(
      '-F, --only <filter>',
      'only events of this filter: `sched/sched_switch: next_prio < 100`; may be repeated',
      repeated,
    )
    .action(action(host, (files: string[], options: ReportCommandOptions) => report(files, options, host)));
  program.addCommand(command);
}

/** What is not chosen by event needs no index; ftrace's text is put in order by one. */
function report(files: readonly string[], options: ReportCommandOptions, host: CommandHost): Promise<number> {
  const { filter, from, to, only, workspace } = options;
  const chosen = [filter, from, to, only, workspace].some((option) => option !== undefined);
  const paths = files.map((file) => resolve(file));
  if (chosen || paths.some((path) => isWorkspace(path) || isFtraceText(path))) return fromIndex(files, options, host);
  return straight(paths, options, host);
}

async function straight(paths: readonly string[], options: ReportCommandOptions, host: CommandHost): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  const recording = await openRecording(single(groupCaptures(paths)));
  try {
    requireSomething(recording);
    const { source, head } = recording;
    messages.warnings(head.warnings);
    if (options.cpu !== undefined && head.buffers.length > 1) {
      const others = head.buffers.slice(1).map(({ name }) => name);
      messages.say(`--cpu is of the first buffer, as in trace-cmd: ${others.join(', ')} left out`);
    }
    const damage = printRecording(source, head, options, undefined, host.stdout.fd);
    messages.warnings(damage);
    return head.warnings.length + damage.length > 0 ? exitCode.damaged : exitCode.done;
  } finally {
    recording.source.close();
  }
}

function fromIndex(files: readonly string[], options: ReportCommandOptions, host: CommandHost): Promise<number> {
  return readSession(files, options, host, async (session) => {
    const keep = await selection(session, options, host.signal);
    const { source, head } = single(session.trace.recordings);
    if (head.format === 'ftrace text') printText(session, options, keep, host.stdout.fd);
    else printRecording(source, head, options, keep, host.stdout.fd);
  });
}

function single<T>(recordings: readonly T[]): T {
  const [recording, another] = recordings;
  if (recording !== undefined && another === undefined) return recording;
  throw new RemoraError({ code: 'bad-request', message: 'report prints one recording at a time.' });
}

/** Prints in one go, each piece written before the next is made: what is not read is not printed ahead. */
function printRecording(
  source: ByteSource,
  head: RecordingHead,
  { raw, latency, fullTime, cpu, json }: ReportCommandOptions,
  keep: ReportRequest['keep'],
  fd: number,
): TraceWarning[] {
  endAtOnce();
  const request = { raw, latency, keep, cpus: cpu, nanoseconds: fullTime };
  const output = reportOutput(fd, json);
  const damage = reportRecording(source, head, request, (piece) => output.write(piece));
  output.end();
  return damage;
}

function printText(
  { trace }: Session,
  { raw, latency, fullTime, cpu, json }: ReportCommandOptions,
  keep: TextReportRequest['keep'],
  fd: number,
): void {
  // What the lines do not say cannot be printed otherwise than they say it.
  if (raw || latency || fullTime) {
    throw new RemoraError({
      code: 'bad-request',
      message: `${single(trace.recordings).source.name}: the lines of a text are printed as they are: leave out -R, -l and -t`,
    });
  }
  endAtOnce();
  const output = reportOutput(fd, json);
  reportText(trace, { cpus: cpu, keep }, (piece) => output.write(piece));
  output.end();
}

/** Printing gives Ctrl+C no turn, and nothing is left half-written by it: from here on it ends the process. */
function endAtOnce(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
}

/** Which records `-F`, `--filter`, `--from` and `--to` let through; undefined for all. */
async function selection(
  { trace, summary }: Session,
  options: ReportCommandOptions,
  signal: AbortSignal,
): Promise<TextReportRequest['keep']> {
  // Filters of several -F are alternatives, as in trace-cmd; everything else narrows them.
  const filter = allOf((options.only ?? []).join('; '), options.filter ?? '', windowFilter(options, summary));
  if (filter === '') return undefined;
  const list = new FilteredLists(trace).get(filter);
  await list.wait(signal);
  const kept = trace.streams.map(({ cpus }) => new Map(cpus.map(({ cpu, events }) => [cpu, new Uint8Array(events)])));
  for (let row = 0; row < list.n; row++) {
    const { stream, cpu, index } = list.refOf(row);
    (kept[stream]?.get(cpu) as Uint8Array)[index] = 1;
  }
  // A recording's streams are its buffers in the file's order.
  return ({ buffer, cpu, index }) => kept[buffer]?.get(cpu)?.[index] === 1;
}

/** The largest number that the kernel gives a CPU (CONFIG_NR_CPUS on x86-64) is 8191. */
const MOST_CPUS = 8192;

/** CPUs as trace-cmd takes them: `0,2-3`. */
function parseCpus(text: string): Set<number> {
  const cpus = new Set<number>();
  for (const part of text.split(',')) {
    const range = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const [first, last] = [Number(range?.[1]), Number(range?.[2] ?? range?.[1])];
    if (range === null || last >= MOST_CPUS) throw new InvalidArgumentError('CPUs are numbers and ranges: 0,2-3.');
    for (let cpu = first; cpu <= last; cpu++) cpus.add(cpu);
  }
  return cpus;
}
