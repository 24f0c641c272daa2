import { writeSync } from 'node:fs';
import { Command, InvalidArgumentError, Option } from 'commander';
import { RemoraError } from '../../shared/errors.ts';
import type { Session } from '../engine/sessions.ts';
import { FilteredLists } from '../query/filtered-list.ts';
import { reportRecording } from '../query/report-recording.ts';
import { reportText, type TextReportRequest } from '../query/text-report.ts';
import type { TraceRecording } from '../query/trace.ts';
import { allOf } from './filter-option.ts';
import { action, type CommandHost, repeated } from './host.ts';
import { type InputOptions, readSession, withInput } from './input.ts';
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
  withInput(command, { json: false })
    .option('-R, --raw', 'raw fields')
    .option('-l, --latency', 'latency format')
    .option('-t, --full-time', 'times in full, to the nanosecond')
    .addOption(new Option('--cpu <list>', 'only these CPUs: 0,2-3').argParser(parseCpus))
    .option(
      '-F, --only <filter>',
      'only events of this filter: `sched/sched_switch: next_prio < 100`; may be repeated',
      repeated,
    )
    .action(
      action(host, (files: string[], options: ReportCommandOptions) =>
        readSession(files, options, host, async (session) => {
          const keep = await selection(session, options, host.signal);
          print(session, options, keep, host.stdout.fd);
        }),
      ),
    );
  program.addCommand(command);
}

function theRecording({ trace }: Session): TraceRecording {
  const [recording, another] = trace.recordings;
  if (recording !== undefined && another === undefined) return recording;
  throw new RemoraError({ code: 'bad-request', message: 'report prints one recording at a time.' });
}

/** Prints in one go, each piece written before the next is made: what is not read is not printed ahead. */
function print(
  session: Session,
  { raw, latency, fullTime, cpu }: ReportCommandOptions,
  keep: TextReportRequest['keep'],
  fd: number,
): void {
  // Nothing gives Ctrl+C a turn from here on, and nothing is left half-written by it: let it end the process at once.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
  const { source, head } = theRecording(session);
  if (head.format === 'ftrace text') {
    // What the lines do not say cannot be printed otherwise than they say it.
    if (raw || latency || fullTime)
      throw new RemoraError({
        code: 'bad-request',
        message: `${source.name}: the lines of a text are printed as they are: leave out -R, -l and -t`,
      });
    reportText(session.trace, { cpus: cpu, keep }, (piece) => writeNow(fd, piece));
    return;
  }
  const request = { raw, latency, keep, cpus: cpu, nanoseconds: fullTime };
  reportRecording(source, head, request, (piece) => writeNow(fd, piece));
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

/** Writes all bytes, waiting while the reader of a pipe is slower. */
function writeNow(fd: number, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, 2);
    }
  }
}
const sleeper = new Int32Array(new SharedArrayBuffer(4));
