import { Command, Option } from 'commander';
import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import { RemoraError } from '../../shared/errors.ts';
import { parseExpression } from '../../shared/expression/parse.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { toAbsNs } from '../../shared/time.ts';
import { action, type CommandHost, repeated, wholeNumber } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { csvLines, csvRows, writeManyLines } from './output.ts';
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
            const spec = plotOf(text, options.filter);
            const mode = options.bins === undefined ? 'raw' : 'bins';
            const ask = (fromNs: number, toNs: number): Promise<SeriesResult> =>
              engine.call('series', { workspaceId, spec, fromNs, toNs, bins: options.bins ?? 1, mode }, host);
            const found = await printedLines(ask, window, summary);
            if (found.moreGroups > 0)
              messages.say(`remora: ${text}: ${found.moreGroups} more groups are left out; narrow it with \`where\``);
            lines.push(...found.lines);
          }
          if (options.json) await writeManyLines(host.stdout, jsonLines(lines));
          else await writeManyLines(host.stdout, options.bins === undefined ? sampleCsv(lines) : binCsv(lines));
        }),
      ),
    );
  program.addCommand(command);
}

/** One line of a series as it is printed: its times count from the origin of the stream that all of it comes from. */
interface PrintedLine {
  head: { expr: string; group: string; unit: string; originNs: string };
  mode: SeriesLine['mode'];
  /** What is printed, one part of time after the other. */
  pieces(): AsyncIterable<Piece>;
  /** That origin on the workspace axis. */
  originOnAxis: number;
  binNs: number;
}

/** What is printed of a line's arrays: closed-open. */
interface Piece {
  line: SeriesLine;
  first: number;
  end: number;
}

type Ask = (fromNs: number, toNs: number) => Promise<SeriesResult>;

/** The lines of an answer; of one that is larger than memory is set aside for, the lines of its parts, which are asked for as they are printed. */
async function printedLines(
  ask: Ask,
  { fromNs, toNs }: { fromNs: number; toNs: number },
  summary: WorkspaceSummary,
): Promise<{ lines: PrintedLine[]; moreGroups: number }> {
  const first = await firstOf(answers(ask, fromNs, toNs));
  // Of what has parts, the first is not kept for the others. One line after the other: each is asked for from its beginning.
  const whole = first.toNs === toNs ? first : null;
  const results = (): AsyncGenerator<SeriesResult> => (whole === null ? answers(ask, fromNs, toNs) : only(whole));
  const lines: PrintedLine[] = [];
  for (const [i, { group, mode }] of first.lines.entries()) {
    const { spec, unit, binNs } = first;
    async function* pieces(): AsyncGenerator<Piece> {
      for await (const result of results()) yield pieceOf(result.lines[i] as SeriesLine, result);
    }
    const originOnAxis = await originOf(spec.expr, mode, results, i, summary);
    const originNs = String(toAbsNs(originOnAxis, BigInt(summary.originNs)));
    lines.push({ head: { expr: spec.expr, group, unit, originNs }, mode, pieces, originOnAxis, binNs });
  }
  return { lines, moreGroups: first.moreGroups };
}

async function firstOf(results: AsyncIterable<SeriesResult>): Promise<SeriesResult> {
  for await (const result of results) return result;
  throw new Error('a window has an answer');
}

async function* only(result: SeriesResult): AsyncGenerator<SeriesResult> {
  yield result;
}

/** A window's answer; where it is more than memory is set aside for, those of its halves. Times are whole ns. */
async function* answers(ask: Ask, fromNs: number, toNs: number): AsyncGenerator<SeriesResult> {
  let result: SeriesResult;
  try {
    result = await ask(fromNs, toNs);
  } catch (error) {
    if (!(error instanceof RemoraError) || error.detail.code !== 'limit' || toNs - fromNs < 2) throw error;
    const middle = Math.floor((fromNs + toNs) / 2);
    yield* answers(ask, fromNs, middle);
    yield* answers(ask, middle + 1, toNs);
    return;
  }
  yield result;
}

function pieceOf(line: SeriesLine, { fromNs, toNs }: SeriesResult): Piece {
  let [first, end] = [0, line.tNs.length];
  // A raw line has a neighbour on either side of the window, for drawing.
  if (line.mode === 'raw') {
    while (first < end && (line.tNs[first] as number) < fromNs) first++;
    while (end > first && (line.tNs[end - 1] as number) > toNs) end--;
  }
  return { line, first, end };
}

/**
 * Where the stream begins, on the workspace axis, that a line's samples come from; the workspace's own origin where
 * they come from several, so that one line has one axis.
 */
async function originOf(
  expr: string,
  mode: SeriesLine['mode'],
  results: () => AsyncIterable<SeriesResult>,
  place: number,
  summary: WorkspaceSummary,
): Promise<number> {
  let streams = streamsWith(expr, summary);
  if (mode === 'raw' && streams.size > 1) {
    streams = new Set();
    for await (const { lines } of results()) {
      const line = lines[place];
      if (line?.mode === 'raw') for (const stream of line.event.stream) streams.add(stream);
    }
  }
  const [one] = streams;
  return streams.size === 1 && one !== undefined ? (summary.streams[one]?.fromNs ?? 0) : 0;
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

/** Samples or bins of a piece, one by one: there can be too many of them for one more copy. */
function* samplesOf({ line, first, end }: Piece, originOnAxis: number): Generator<[tNs: number, value: number]> {
  if (line.mode !== 'raw') return;
  for (let i = first; i < end; i++) yield [(line.tNs[i] as number) - originOnAxis, line.value[i] as number];
}

function* binsOf(
  { line, first, end }: Piece,
  { originOnAxis, binNs }: PrintedLine,
): Generator<Record<(typeof binKeys)[number], number>> {
  if (line.mode !== 'bins') return;
  const { tNs, min, max, mean, last, count } = line;
  for (let i = first; i < end; i++) {
    const t0 = (tNs[i] as number) - originOnAxis;
    const of = (column: ArrayLike<number>): number => column[i] as number;
    yield { t0, t1: t0 + binNs, min: of(min), max: of(max), mean: of(mean), last: of(last), count: of(count) };
  }
}
const binKeys = ['t0', 't1', 'min', 'max', 'mean', 'last', 'count'] as const;

/** Entries to a line of JSON text. */
const ENTRIES_A_LINE = 256;

/** The JSON document, with some hundred entries to a line of text. */
async function* jsonLines(lines: readonly PrintedLine[]): AsyncGenerator<Iterable<string>> {
  yield ['{', '  "series": ['];
  for (const [index, printed] of lines.entries()) {
    const raw = printed.mode === 'raw';
    yield [`    ${JSON.stringify(printed.head).slice(0, -1)},"${raw ? 'samples' : 'bins'}":[`];
    let entries: string[] = [];
    function* fullLines(piece: Piece): Generator<string> {
      for (const entry of raw ? samplesOf(piece, printed.originOnAxis) : binsOf(piece, printed)) {
        // The comma belongs to the entry before: it is written when there is another one.
        if (entries.length === ENTRIES_A_LINE) {
          yield `      ${entries.join(',')},`;
          entries = [];
        }
        entries.push(JSON.stringify(entry));
      }
    }
    for await (const piece of printed.pieces()) yield fullLines(piece);
    if (entries.length > 0) yield [`      ${entries.join(',')}`];
    yield [index === lines.length - 1 ? '    ]}' : '    ]},'];
  }
  yield ['  ]', '}'];
}

async function* sampleCsv(lines: readonly PrintedLine[]): AsyncGenerator<Iterable<string>> {
  yield csvLines(['expr', 'group', 'unit', 't_ns', 'value'], []);
  for (const { head, pieces, originOnAxis } of lines) {
    const { expr, group, unit } = head;
    function* rows(piece: Piece): Generator<(string | number)[]> {
      for (const [tNs, value] of samplesOf(piece, originOnAxis)) yield [expr, group, unit, tNs, value];
    }
    for await (const piece of pieces()) yield csvRows(rows(piece));
  }
}

async function* binCsv(lines: readonly PrintedLine[]): AsyncGenerator<Iterable<string>> {
  yield csvLines(['expr', 'group', 'unit', 't0_ns', 't1_ns', 'min', 'max', 'mean', 'last', 'count'], []);
  for (const printed of lines) {
    const { expr, group, unit } = printed.head;
    function* rows(piece: Piece): Generator<(string | number)[]> {
      for (const bin of binsOf(piece, printed)) yield [expr, group, unit, ...binKeys.map((key) => bin[key])];
    }
    for await (const piece of printed.pieces()) yield csvRows(rows(piece));
  }
}
