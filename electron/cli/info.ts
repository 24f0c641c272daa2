import { Command } from 'commander';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { formatCount, formatDuration, formatSeconds } from '../../shared/time.ts';
import { placed } from './exit-code.ts';
import { allOf } from './filter-option.ts';
import { action, type CommandHost } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { tableLines, writeJson, writeLines } from './output.ts';
import { windowFilter } from './time-point.ts';

export function addInfo(program: Command, host: CommandHost): void {
  const command = new Command('info').description(
    'recording, streams, CPUs, time range, clock, counts per event type, lost events, tasks, cgroups, warnings',
  );
  withInput(command).action(
    action(host, (files: string[], options: InputOptions) =>
      readInput(files, options, host, async ({ engine, summary }) => {
        const filter = allOf(options.filter ?? '', windowFilter(options, summary));
        const { workspaceId } = summary;
        const selected =
          filter === '' ? null : await engine.call('rows', { workspaceId, first: 0, count: 1, filter }, host);
        const selection = selected === null ? null : { filter, events: selected.total };
        if (options.json) await writeJson(host.stdout, infoDocument(summary, selection));
        else await writeLines(host.stdout, infoLines(summary, selection));
      }),
    ),
  );
  program.addCommand(command);
}

/** How many events `--filter`, `--from` and `--to` let through. */
interface Selection {
  filter: string;
  events: number;
}

/** The JSON of `info`. With several recordings, `recording` is the first and `recordings` has all. */
export function infoDocument(summary: WorkspaceSummary, selection: Selection | null): object {
  const { recordings, streams, eventTypes, tasks, cgroups, warnings } = summary;
  return {
    recording: recordings[0] ?? null,
    recordings,
    originNs: summary.originNs,
    durationNs: summary.durationNs,
    selected: selection ?? undefined,
    streams: streams.map((stream) => ({
      recording: stream.recording,
      name: stream.name,
      clock: stream.clock,
      timeUnit: stream.timeUnit,
      cpus: stream.cpus,
      events: stream.events,
      lost: stream.lost,
      gaps: stream.gaps,
      originNs: stream.originNs,
      durationNs: stream.toNs - stream.fromNs,
      eventTypes: stream.eventTypes.map(({ type, count }) => {
        const { system, name, id } = eventTypes[type] as WorkspaceSummary['eventTypes'][number];
        return { system, name, id, count };
      }),
    })),
    tasks,
    cgroups,
    warnings,
  };
}

const count = (n: number, thing: string): string => `${formatCount(n)} ${thing}${n === 1 ? '' : 's'}`;

function* infoLines(summary: WorkspaceSummary, selection: Selection | null): Generator<string> {
  for (const recording of summary.recordings) {
    yield recording.path;
    const { format, version, compression, byteOrder, longBytes, pageBytes, bytes, uname } = recording;
    const compressed = compression === 'none' ? 'not compressed' : compression;
    const machine = `${byteOrder}-endian, ${longBytes * 8}-bit, pages of ${pageBytes} bytes`;
    // Text tells nothing of the machine; only a trace.dat has versions.
    const made = format === 'trace.dat' ? `${format} version ${version}, ${compressed}, ${machine}` : format;
    yield `  ${format === 'raw buffers' ? `${made}, ${machine}` : made}, ${count(bytes, 'byte')}`;
    if (uname) yield `  ${uname}`;
    // Those that are decoded show in what they say; the others are kept, and told of.
    for (const { id, name, bytes: size, offset, value } of recording.options) {
      if (name === `unknown-${id}`) yield `  option ${id}, unknown: ${count(size, 'byte')} at ${offset}: ${value}`;
    }
  }
  for (const stream of summary.streams) yield* streamLines(stream, summary);
  if (selection !== null) {
    yield '';
    yield `Selected: ${count(selection.events, 'event')} (${selection.filter})`;
  }
  yield '';
  yield `Tasks: ${summary.tasks.length}`;
  const tasks = summary.tasks.toSorted((a, b) => b.events - a.events);
  const rows = tasks.map(({ pid, tgid, comm, events }) => [pid, tgid < 0 ? null : tgid, comm, events]);
  yield* indented(tableLines(['pid', 'tgid', 'comm', 'events'], rows));
  if (summary.cgroups.length > 0) {
    yield '';
    yield `Cgroups: ${summary.cgroups.length}`;
    yield* indented(
      tableLines(
        ['inode', 'path'],
        summary.cgroups.map(({ ino, path }) => [ino, path || '(unknown)']),
      ),
    );
  }
  if (summary.warnings.length > 0) {
    yield '';
    yield `Warnings: ${summary.warnings.length}`;
    yield* indented(summary.warnings.map(placed));
  }
}

function* streamLines(stream: WorkspaceSummary['streams'][number], summary: WorkspaceSummary): Generator<string> {
  yield '';
  const several = summary.recordings.length > 1 ? ` of ${summary.recordings[stream.recording]?.path}` : '';
  yield stream.name === '' ? `Top buffer${several}` : `Instance ${stream.name}${several}`;
  yield `  ${count(stream.events, 'event')} on ${count(stream.cpus.length, 'CPU')} (${ranges(stream.cpus)}), clock ${stream.clock || 'unknown'}`;
  if (stream.events > 0) {
    const startNs = BigInt(stream.originNs);
    const length = stream.toNs - stream.fromNs;
    const duration = stream.timeUnit === 'ns' ? formatDuration(length) : `${length} ${stream.timeUnit}`;
    yield `  ${formatSeconds(startNs)} to ${formatSeconds(startNs + BigInt(Math.round(length)))}: ${duration}`;
  }
  if (stream.lost > 0) yield `  ${count(stream.lost, 'event')} lost by the kernel`;
  if (stream.gaps > 0) yield `  ${count(stream.gaps, 'gap')} of unknown size`;
  const types = stream.eventTypes
    .map(({ type, count: events }) => ({
      ...(summary.eventTypes[type] as WorkspaceSummary['eventTypes'][number]),
      events,
    }))
    .sort((a, b) => b.events - a.events);
  const rows = types.map(({ system, name, id, events }) => [events, `${system}:${name}`, id]);
  yield* indented(tableLines(['events', 'type', 'id'], rows));
}

function* indented(lines: Iterable<string>): Generator<string> {
  for (const line of lines) yield `  ${line}`;
}

/** Ascending numbers as ranges: `0-3, 6`. */
export function ranges(numbers: readonly number[]): string {
  const parts: string[] = [];
  for (let i = 0; i < numbers.length; ) {
    const first = numbers[i] as number;
    let last = first;
    while (numbers[i + 1] === last + 1) last = numbers[++i] as number;
    parts.push(first === last ? String(first) : `${first}-${last}`);
    i++;
  }
  return parts.join(', ');
}
