import { Command, Option } from 'commander';
import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import { parseExpression } from '../../shared/expression/parse.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { toAbsNs } from '../../shared/time.ts';
import { action, type CommandHost, repeated, wholeNumber } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { csvLines, writeJson, writeLines } from './output.ts';
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
          if (options.json) await writeJson(host.stdout, { series: lines.map(lineDocument) });
          else await writeLines(host.stdout, options.bins === undefined ? sampleCsv(lines) : binCsv(lines));
        }),
      ),
    );
  program.addCommand(command);
}

/** One line of a series as it is printed: relative to the origin of the stream that all of it comes from. */
interface PrintedLine {
  expr: string;
  group: string;
  unit: string;
  originNs: string;
  samples: [tNs: number, value: number][];
  bins: { t0: number; t1: number; min: number; max: number; mean: number; last: number; count: number }[];
  mode: SeriesLine['mode'];
}

function printedLine(
  line: SeriesLine,
  { spec, unit, binNs, fromNs, toNs }: SeriesResult,
  summary: WorkspaceSummary,
): PrintedLine {
  const originOnAxis = originOf(spec.expr, line, summary);
  const originNs = String(toAbsNs(originOnAxis, BigInt(summary.originNs)));
  const printed: PrintedLine = {
    expr: spec.expr,
    group: line.group,
    unit,
    originNs,
    samples: [],
    bins: [],
    mode: line.mode,
  };
  if (line.mode === 'raw') {
    // A raw line has a neighbour on either side of the window, for drawing.
    for (let i = 0; i < line.tNs.length; i++) {
      const tNs = line.tNs[i] as number;
      if (tNs >= fromNs && tNs <= toNs) printed.samples.push([tNs - originOnAxis, line.value[i] as number]);
    }
    return printed;
  }
  for (let i = 0; i < line.tNs.length; i++) {
    const t0 = (line.tNs[i] as number) - originOnAxis;
    printed.bins.push({
      t0,
      t1: t0 + binNs,
      min: line.min[i] as number,
      max: line.max[i] as number,
      mean: line.mean[i] as number,
      last: line.last[i] as number,
      count: line.count[i] as number,
    });
  }
  return printed;
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

function lineDocument({ expr, group, unit, originNs, samples, bins, mode }: PrintedLine): object {
  return mode === 'raw' ? { expr, group, unit, originNs, samples } : { expr, group, unit, originNs, bins };
}

function* sampleCsv(lines: readonly PrintedLine[]): Generator<string> {
  const header = ['expr', 'group', 'unit', 't_ns', 'value'];
  yield* csvLines(header, rows());
  function* rows(): Generator<(string | number)[]> {
    for (const { expr, group, unit, samples } of lines)
      for (const [tNs, value] of samples) yield [expr, group, unit, tNs, value];
  }
}

function* binCsv(lines: readonly PrintedLine[]): Generator<string> {
  const header = ['expr', 'group', 'unit', 't0_ns', 't1_ns', 'min', 'max', 'mean', 'last', 'count'];
  yield* csvLines(header, rows());
  function* rows(): Generator<(string | number)[]> {
    for (const { expr, group, unit, bins } of lines) {
      for (const { t0, t1, min, max, mean, last, count } of bins)
        yield [expr, group, unit, t0, t1, min, max, mean, last, count];
    }
  }
}
