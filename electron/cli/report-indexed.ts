import { RemoraError } from '../../shared/errors.ts';
import type { Session } from '../engine/sessions.ts';
import { FilteredLists } from '../query/filtered-list.ts';
import { reportText, type TextReportRequest } from '../query/text-report.ts';
import { allOf } from './filter-option.ts';
import type { CommandHost } from './host.ts';
import { readSession } from './input.ts';
import { endAtOnce, printRecording, type ReportCommandOptions, single } from './print-recording.ts';
import { reportOutput } from './report-output.ts';
import { windowFilter } from './time-point.ts';

/** `report` of what an index chooses or puts in order. Loaded only then: most reports go straight through the recording. */
export function reportIndexed(
  files: readonly string[],
  options: ReportCommandOptions,
  host: CommandHost,
): Promise<number> {
  return readSession(files, options, host, async (session) => {
    const keep = await selection(session, options, host.signal);
    const { source, head } = single(session.trace.recordings);
    if (head.format === 'ftrace text') printText(session, options, keep, host.stdout.fd);
    else printRecording(source, head, options, keep, host.stdout.fd);
  });
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
