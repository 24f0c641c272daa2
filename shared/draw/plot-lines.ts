import type { SeriesLine, SeriesResult } from '../api.ts';
import type { SeriesSpec } from '../chart.ts';
import { identityColors, PALETTE_SIZE, seriesColor } from '../colors.ts';
import { impossibleFrom } from '../impossible.ts';
import type { TimeRange } from '../time.ts';
import type { Theme } from './theme.ts';

/** One line of a plot panel with all that decides how it looks: shared by the window's plots and exported charts. */
export interface PlotLine {
  /** Index of its series in the panel. */
  series: number;
  spec: SeriesSpec;
  line: SeriesLine;
  /** Width of a bin, 0 for raw samples. */
  binNs: number;
  unit: string;
  /** Values from here on are counters that went below zero: see shared/impossible.ts. */
  impossibleFrom: number;
  /** Short name of its series. */
  name: string;
  /** Label of its group; empty for a series without groups. */
  group: string;
  /** Both, as far as needed to name the line in its panel. */
  label: string;
  color: string;
  /** Empty: solid. */
  dash: number[];
}

/** Identity of a line within its plot. */
export const lineKey = (line: PlotLine): string => `${line.series} ${line.line.key}`;

/** Where a colour is used twice, the dash tells lines apart; solid first. */
const dashes: readonly number[][] = [[], [6, 3], [2, 2], [8, 3, 2, 3], [10, 4]];

/**
 * The lines of a panel's results, in order of series and group. A group (task, cgroup, value) has the colour of its key,
 * which lanes and ribbons give to the same task and cgroup, for every series of the panel; series are told apart by
 * dashes: `dirty` of a cgroup is solid and its `limit` dashed. Series without groups take the palette in order.
 */
export function plotLines(results: readonly SeriesResult[], theme: Theme): PlotLine[] {
  const names = seriesNames(results.map((result) => result.spec));
  // Where all there is is one group, its colour would tell nothing: series are told apart instead.
  const groups = new Set(
    results.flatMap((result) => (result.spec.groupBy === '' ? [] : result.lines.map((line) => line.key))),
  );
  const grouped = groups.size > 1 || results.length === 1 ? results.filter((result) => result.spec.groupBy !== '') : [];
  const keyOf = (result: SeriesResult, line: SeriesLine): string =>
    grouped.includes(result) ? line.key : `series ${results.indexOf(result)}`;
  const colors =
    grouped.length === 0
      ? new Map(results.map((result, index) => [keyOf(result, result.lines[0]), seriesColor(index, theme)]))
      : identityColors(
          [...grouped, ...results].flatMap((result) => result.lines.map((line) => keyOf(result, line))),
          theme,
        );
  const ranks = new Map([...colors.keys()].map((key, rank) => [key, rank]));
  return results.flatMap((result, series) =>
    result.lines.map((line) => {
      const key = keyOf(result, line);
      const round = Math.floor((ranks.get(key) ?? 0) / PALETTE_SIZE);
      const group = result.spec.groupBy === '' ? '' : line.group || '(none)';
      return {
        series,
        spec: result.spec,
        line,
        binNs: line.mode === 'bins' ? result.binNs : 0,
        unit: result.spec.aggregate === 'count' ? '' : result.unit,
        impossibleFrom: impossibleFrom(result.unit),
        name: names[series],
        group,
        label: group === '' ? names[series] : results.length === 1 ? group : `${names[series]} · ${group}`,
        color: colors.get(key) ?? seriesColor(series, theme),
        dash: dashes[(round + Math.max(0, grouped.indexOf(result))) % dashes.length],
      };
    }),
  );
}

/**
 * Short names of the series of one panel: fields without their event where that is clear (`dirty / limit`), with the
 * filter and the aggregate where there is one.
 */
export function seriesNames(specs: readonly SeriesSpec[]): string[] {
  const short = specs.map((spec) => spec.expr.replace(/(?:[A-Za-z_][\w-]*:)?[A-Za-z_][\w-]*\.(?=[A-Za-z_])/g, ''));
  return specs.map((spec, index) => {
    const ambiguous = specs.some((other, at) => other.expr !== spec.expr && short[at] === short[index]);
    const name = ambiguous ? spec.expr : short[index];
    const aggregate = spec.aggregate === 'last' ? '' : ` (${spec.aggregate})`;
    return `${name}${aggregate}${spec.where === '' ? '' : ` where ${spec.where}`}`;
  });
}

/** What a panel without a title of its own is called: `dirty, limit by cgroup`. */
export function plotTitle(title: string, specs: readonly SeriesSpec[]): string {
  if (title !== '') return title;
  const groups = [...new Set(specs.map((spec) => spec.groupBy).filter((group) => group !== ''))];
  const by = groups.length > 0 ? ` by ${groups.join(', ')}` : '';
  return [...new Set(seriesNames(specs))].join(', ') + by;
}

/**
 * The value that stands for index `i` of a line: the sample, or what its spec's aggregate makes of the bin. NaN, which
 * neither scales nor draws, where it is impossible.
 */
export function valueAt(plotLine: PlotLine, i: number): number {
  const value = aggregated(plotLine, i);
  return value >= plotLine.impossibleFrom ? Number.NaN : value;
}

function aggregated({ line, spec }: PlotLine, i: number): number {
  if (line.mode === 'raw') return spec.aggregate === 'count' ? 1 : line.value[i];
  switch (spec.aggregate) {
    case 'min':
      return line.min[i];
    case 'max':
      return line.max[i];
    case 'mean':
      return line.mean[i];
    case 'sum':
      return line.mean[i] * line.count[i];
    case 'count':
      return line.count[i];
    default:
      return line.last[i];
  }
}

/** Sums and counts of a bin: its length belongs to them, and a bin without samples is 0. */
export const isTotal = (spec: SeriesSpec): boolean => spec.aggregate === 'sum' || spec.aggregate === 'count';

/** Totals are no values of the field, so its minimum and maximum say nothing beside them. */
export const hasEnvelope = ({ line, spec }: PlotLine): boolean => line.mode === 'bins' && !isTotal(spec);

/** Least and greatest value shown by some lines. */
export interface ValueRange {
  min: number;
  max: number;
  /** Least value above 0; Infinity where there is none. */
  minPositive: number;
  /** Values at or below 0, which a log axis cannot show. */
  notPositive: number;
}

/**
 * Range of what `lines` show in a window, envelopes included but for means, which are asked for so that single peaks do not
 * set the scale; null where they show nothing. A raw sample before the
 * window counts where its value reaches into it (steps and lines).
 */
export function valueRange(lines: readonly PlotLine[], window: TimeRange): ValueRange | null {
  const range: ValueRange = {
    min: Number.POSITIVE_INFINITY,
    max: Number.NEGATIVE_INFINITY,
    minPositive: Number.POSITIVE_INFINITY,
    notPositive: 0,
  };
  const take = (value: number, below = Number.POSITIVE_INFINITY): void => {
    if (!Number.isFinite(value) || value >= below) return;
    if (value < range.min) range.min = value;
    if (value > range.max) range.max = value;
    if (value > 0 && value < range.minPositive) range.minPositive = value;
  };
  for (const plotLine of lines) {
    const { line, spec, binNs } = plotLine;
    if (isTotal(spec) && line.tNs.length > 0) take(0);
    const envelope = hasEnvelope(plotLine) && spec.aggregate !== 'mean';
    const reachesIn = spec.style !== 'points' && spec.style !== 'bars';
    for (let i = 0; i < line.tNs.length; i++) {
      const before = line.tNs[i] + binNs < window.fromNs;
      if (line.tNs[i] > window.toNs || (before && !(reachesIn && line.tNs[i + 1] >= window.fromNs))) continue;
      const value = valueAt(plotLine, i);
      take(value);
      if (value <= 0 && !before) range.notPositive++;
      if (envelope && line.mode === 'bins') {
        take(line.min[i], plotLine.impossibleFrom);
        take(line.max[i], plotLine.impossibleFrom);
      }
    }
  }
  return range.min <= range.max ? range : null;
}
