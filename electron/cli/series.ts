import { Command, Option } from 'commander';
import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import { parseExpression } from '../../shared/expression/parse.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { toAbsNs } from '../../shared/time.ts';
import { action, type CommandHost, repeated, wholeNumber } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { csvLines, writeLines } from './output.ts';
import { plotOf } from './plot-option.ts';
import { parseWindow } from './time-point.ts';

interface SeriesOptions extends InputOptions {
  plot: string[];
  bins?: number;
}

export function addSeries(program: Command, host: CommandHost): void {
  const command = new Command('series').description('values of series as CSV or JSON: every sample, or bins');
  withInput(command)
    .addOption(
      new Option(
        '--plot <spec>',
        'what to print: `system:event.field [by FIELD] [where FILTER] [in UNIT]`; may be repeated',
      )
        .argParser(repeated)
        .makeOptionMandatory(),
    )
    .addOption(new Option('--bins <n>', 'min, max, mean, last and count in n bins').argParser(wholeNumber(1, 20_000)))
    .action(
      action(host, (files: string[], options: SeriesOptions) =>
        readInput(files, options, host, async ({ engine, summary, messages }) => {
          const { workspaceId } = summary;
          const window = parseWindow(options, summary);
          const lines: PrintedLine[] = [];
          for (const text of options.plot) {
            const mode = options.bins === undefined ? 'raw' : 'bins';
            const request = {
              workspaceId,
              spec: plotOf(text, options.filter),
              ...window,
              bins: options.bins ?? 1,
              mode,
            } as const;
            const result = await engine.call('series', request, host);
            if (result.moreGroups > 0)
              messages.say(`remora: ${text}: ${result.moreGroups} more groups are left out; narrow it with \`where\``);
            for (const line of result.lines) lines.push(printedLine(line, result, summary));
          }
          if (options.json) await writeLines(host.stdout, jsonLines(lines));
          else await writeLines(host.stdout, options.bins === undefined ? sampleCsv(lines) : binCsv(lines));
        }),
      ),
    );
  program.addCommand(command);
}

/** One line of a series as it is printed: its times count from the origin of the stream that all of it comes from. */
interface PrintedLine {
  head: { expr: string; group: string; unit: string; originNs: string };
  line: SeriesLine;
  /** What is printed of the line's arrays: closed-open. */
  first: number;
  end: number;
  /** That origin on the workspace axis. */
  originOnAxis: number;
  binNs: number;
}

function printedLine(line: SeriesLine, result: SeriesResult, summary: WorkspaceSummary): PrintedLine {
  const { spec, unit, binNs, fromNs, toNs } = result;
  const originOnAxis = originOf(spec.expr, line, summary);
  const originNs = String(toAbsNs(originOnAxis, BigInt(summary.originNs)));
  let [first, end] = [0, line.tNs.length];
  // A raw line has a neighbour on either side of the window, for drawing.
  if (line.mode === 'raw') {
    while (first < end && (line.tNs[first] as number) < fromNs) first++;
    while (end > first && (line.tNs[end - 1] as number) > toNs) end--;
  }
  return { head: { expr: spec.expr, group: line.group, unit, originNs }, line, first, end, originOnAxis, binNs };
}

/**
 * Where the stream begins, on the workspace axis, that a line's samples come from; the workspace's own origin where
 * they come from several, so that one line has one axis.
 */
function originOf(expr: string, line: SeriesLine, summary: WorkspaceSummary): number {
  const streams = line.mode === 'raw' ? new Set(line.event.stream) : streamsWith(expr, summary);
  const [only] = streams;
  return streams.size === 1 && only !== undefined ? (summary.streams[only]?.fromNs ?? 0) : 0;
}

/** Streams that have events of the type that an expression reads. */
function streamsWith(expr: string, { streams, eventTypes }: WorkspaceSummary): Set<number> {
  const parsed = parseExpression(expr);
  if (!parsed.ok) return new Set();
  const { system, event } = parsed.ast.event;
  const types = eventTypes.filter((type) => type.name === event && (system === null || type.system === system));
  const has = (stream: WorkspaceSummary['streams'][number]): boolean =>
    stream.eventTypes.some(({ type, count }) => count > 0 && types.some((wanted) => wanted.type === type));
  return new Set(streams.filter(has).map(({ index }) => index));
}

/** Samples or bins of a line, one by one: there can be too many of them for one more copy. */
function* samplesOf({ line, first, end, originOnAxis }: PrintedLine): Generator<[tNs: number, value: number]> {
  if (line.mode !== 'raw') return;
  for (let i = first; i < end; i++) yield [(line.tNs[i] as number) - originOnAxis, line.value[i] as number];
}

function* binsOf({
  line,
  first,
  end,
  originOnAxis,
  binNs,
}: PrintedLine): Generator<Record<(typeof binKeys)[number], number>> {
  if (line.mode !== 'bins') return;
  const { tNs, min, max, mean, last, count } = line;
  for (let i = first; i < end; i++) {
    const t0 = (tNs[i] as number) - originOnAxis;
    const of = (column: ArrayLike<number>): number => column[i] as number;
    yield { t0, t1: t0 + binNs, min: of(min), max: of(max), mean: of(mean), last: of(last), count: of(count) };
  }
}
const binKeys = ['t0', 't1', 'min', 'max', 'mean', 'last', 'count'] as const;

/** The JSON document, with some hundred entries to a line of text. */
function* jsonLines(lines: readonly PrintedLine[]): Generator<string> {
  yield '{';
  yield '  "series": [';
  for (const [index, printed] of lines.entries()) {
    const raw = printed.line.mode === 'raw';
    yield `    ${JSON.stringify(printed.head).slice(0, -1)},"${raw ? 'samples' : 'bins'}":[`;
    let piece: string[] = [];
    for (const entry of raw ? samplesOf(printed) : binsOf(printed)) {
      // The comma belongs to the entry before: it is written when there is another one.
      if (piece.length === 256) {
        yield `      ${piece.join(',')},`;
        piece = [];
      }
      piece.push(JSON.stringify(entry));
    }
    if (piece.length > 0) yield `      ${piece.join(',')}`;
    yield index === lines.length - 1 ? '    ]}' : '    ]},';
  }
  yield '  ]';
  yield '}';
}

function* sampleCsv(lines: readonly PrintedLine[]): Generator<string> {
  yield* csvLines(['expr', 'group', 'unit', 't_ns', 'value'], rows());
  function* rows(): Generator<(string | number)[]> {
    for (const printed of lines) {
      const { expr, group, unit } = printed.head;
      for (const [tNs, value] of samplesOf(printed)) yield [expr, group, unit, tNs, value];
    }
  }
}

function* binCsv(lines: readonly PrintedLine[]): Generator<string> {
  yield* csvLines(['expr', 'group', 'unit', 't0_ns', 't1_ns', 'min', 'max', 'mean', 'last', 'count'], rows());
  function* rows(): Generator<(string | number)[]> {
    for (const printed of lines) {
      const { expr, group, unit } = printed.head;
      for (const bin of binsOf(printed)) yield [expr, group, unit, ...binKeys.map((key) => bin[key])];
    }
  }
}
