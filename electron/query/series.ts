import type { RawSamples, SeriesLine, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import type { SeriesExpression } from '../../shared/expression/ast.ts';
import { type CompiledExpression, compile } from '../../shared/expression/compile.ts';
import { parseExpression } from '../../shared/expression/parse.ts';
import { unitOfExpression } from '../../shared/expression/unit.ts';
import { impossibleFrom } from '../../shared/impossible.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import { conversionFactor } from '../../shared/units.ts';
import { binSamples } from './bins.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { type Group, type GroupedSamples, groupSamples } from './groups.ts';
import { maskOf } from './sample-filter.ts';
import type { Samples, TypeSamples } from './samples.ts';
import { lowerBound, type Trace, upperBound } from './trace.ts';

/** A series evaluated over a whole trace: one value per sample of its event type, by group. */
interface EvaluatedSeries {
  samples: TypeSamples;
  unit: string;
  /** At most `MOST_GROUPS`, in order of first appearance. */
  groups: EvaluatedGroup[];
  moreGroups: number;
  bytes: number;
}

interface EvaluatedGroup extends Group {
  /** Time and value of the group's samples, those without a value left out; `sample` is each one's place in `samples`. */
  time: Float64Array;
  value: Float64Array;
  sample: Uint32Array;
  /** Places in `value` of counters that went below zero, ascending: bins leave them out. */
  outliers: Uint32Array;
}

export const MOST_GROUPS = 64;
/** A series of more than this is looked at in part first. */
export const MANY_SAMPLES = 500_000;
/** One chunk of this many is part of a first look. */
const FIRST_LOOK = 16;

/** What decides the values of a series. */
export const keyOf = ({ expr, groupBy, where, unit }: SeriesSpec): string =>
  JSON.stringify([expr, groupBy, where, unit]);

/** Sums and counts are of bins, however few samples there are. */
export const isOfBins = ({ aggregate }: SeriesSpec): boolean => aggregate === 'sum' || aggregate === 'count';

/** The same recordings with a part of their events: every so many chunks of each CPU. */
export const thin = (trace: Trace): Trace => ({
  ...trace,
  streams: trace.streams.map((stream) => ({
    ...stream,
    cpus: stream.cpus.map((cpu) => ({ ...cpu, chunks: cpu.chunks.filter((_, i) => i % FIRST_LOOK === 0) })),
  })),
});

/** The kind of event that a series is of. Throws `bad-expression`. */
export const typeOfSeries = ({ eventTypes }: Trace, { expr }: SeriesSpec): EventTypeInfo =>
  findEventType(eventTypes, parseOrThrow(expr), expr);

/** What a spec says, with the names in it looked up. */
export interface SeriesPlan {
  type: EventTypeInfo;
  compiled: CompiledExpression;
  /** Where the evaluator looks for the column of each of `compiled.fields`. */
  places: number[];
  unit: string;
  /** From the expression's own unit to that. */
  factor: number;
  /** Values from here on are counters that went below zero. */
  limit: number;
}

/** Throws `bad-expression`. */
export function seriesPlan(trace: Trace, spec: SeriesSpec): SeriesPlan {
  const expression = parseOrThrow(spec.expr);
  const type = findEventType(trace.eventTypes, expression, spec.expr);
  const numeric = type.fields.filter((field) => field.kind === 'number').map((field) => field.name);
  const compiled = compile(expression, (field) => numeric.indexOf(field));
  const places = compiled.fields.map((field) => numeric.indexOf(field));
  const fieldUnit = (name: string): string => type.fields.find((field) => field.name === name)?.unit ?? '';
  const ownUnit = unitOfExpression(expression, fieldUnit);
  const unit = spec.unit === '' ? ownUnit : spec.unit;
  const factor = unit === ownUnit ? 1 : conversionFactor(ownUnit, unit, { memoryPageBytes: trace.memoryPageBytes });
  return { type, compiled, places, unit, factor, limit: impossibleFrom(unit) };
}

/** Values of series for any window; evaluated once over all samples, then answered by search. */
export class SeriesQueries {
  readonly #trace: Trace;
  readonly #samples: Samples;
  readonly #evaluated: ByteBudgetCache<string, EvaluatedSeries>;

  constructor(trace: Trace, samples: Samples, budgetBytes = trace.budgets.series) {
    this.#trace = trace;
    this.#samples = samples;
    this.#evaluated = new ByteBudgetCache(budgetBytes, ({ bytes }) => bytes);
  }

  window(spec: SeriesSpec, fromNs: number, toNs: number, bins: number, mode: 'auto' | 'raw' | 'bins'): SeriesResult {
    const series = this.#evaluated.get(keyOf(spec), () => this.#evaluate(spec));
    const binNs = Math.max(1, (toNs - fromNs) / bins);
    let outliers = 0;
    const lines = series.groups.map((group): SeriesLine => {
      const first = lowerBound(group.time, fromNs);
      const end = upperBound(group.time, toNs, first);
      const head = { group: group.label, key: group.key, samples: end - first };
      outliers += lowerBound(group.outliers, end) - lowerBound(group.outliers, first);
      const raw = mode === 'raw' || (mode === 'auto' && !isOfBins(spec) && end - first <= bins * 2);
      if (raw) return { ...head, ...this.#raw(series, group, first, end) };
      return { ...head, ...binSamples(group, first, end, fromNs, binNs) };
    });
    return { spec, fromNs, toNs, binNs, unit: series.unit, lines, moreGroups: series.moreGroups, outliers };
  }

  /** Samples of the window and one neighbour on either side, with the events they come from. */
  #raw({ samples }: EvaluatedSeries, group: EvaluatedGroup, first: number, end: number): RawSamples {
    const from = Math.max(0, first - 1);
    const to = Math.min(group.time.length, end + 1);
    const stream = new Uint16Array(to - from);
    const cpu = new Uint16Array(to - from);
    const index = new Float64Array(to - from);
    for (let i = from; i < to; i++) {
      const sample = group.sample[i] as number;
      stream[i - from] = samples.stream[sample] as number;
      cpu[i - from] = samples.cpu[sample] as number;
      index[i - from] = samples.index[sample] as number;
    }
    return {
      mode: 'raw',
      tNs: group.time.slice(from, to),
      value: group.value.slice(from, to),
      event: { stream, cpu, index },
    };
  }

  #evaluate(spec: SeriesSpec): EvaluatedSeries {
    const { type, compiled, places, unit, factor, limit } = seriesPlan(this.#trace, spec);
    const samples = this.#samples.ofType(type.type);
    const columns: Float64Array[] = [];
    for (const [i, field] of compiled.fields.entries())
      columns[places[i] as number] = this.#samples.numbers(type.type, field);
    const mask = maskOf(this.#trace, this.#samples, type, spec.where);
    const grouped = groupSamples(this.#trace, this.#samples, type, spec.groupBy);

    // Only samples that pass the filter are evaluated, so that delta and rate step over the others.
    const kept = mask === null ? null : indicesOf(mask, samples.n);
    const n = kept?.length ?? samples.n;
    const take = (column: Float64Array): Float64Array =>
      kept === null ? column : Float64Array.from(kept, (i) => column[i] as number);
    const time = take(samples.time);
    const group = kept === null ? grouped.codes : Uint32Array.from(kept, (i) => grouped.codes[i] as number);
    const values = new Float64Array(n);
    compiled.evaluator()(columns.map(take), n, values, { group, timeNs: time });

    if (factor !== 1) for (let i = 0; i < n; i++) values[i] = (values[i] as number) * factor;
    return { samples, unit, ...splitGroups(grouped, group, time, values, kept, limit), bytes: n * 36 };
  }
}

function indicesOf(mask: Uint8Array, n: number): Uint32Array {
  const kept = new Uint32Array(n);
  let count = 0;
  for (let i = 0; i < n; i++) if (mask[i] === 1) kept[count++] = i;
  return kept.slice(0, count);
}

/** Splits samples by group code, those of `kept`, or all; groups without any sample are left out, those beyond the limit counted. */
function splitGroups(
  { groups, group: groupOf }: GroupedSamples,
  codes: Uint32Array,
  time: Float64Array,
  value: Float64Array,
  kept: Uint32Array | null,
  limit: number,
): { groups: EvaluatedGroup[]; moreGroups: number } {
  const sampleOf = (i: number): number => (kept === null ? i : (kept[i] as number));
  const only = groups === 1 ? groupOf(0, codes.length === 0 ? 0 : sampleOf(0)) : null;
  if (only !== null && (only.key === '' || codes.length > 0) && !hasNaN(value)) {
    // One line of everything: its columns are the samples' own.
    const sample = kept ?? new Uint32Array(codes.length);
    if (kept === null) for (let i = 0; i < sample.length; i++) sample[i] = i;
    return {
      groups: [finished({ ...only, time, value, sample, outliers: new Uint32Array(0) }, limit)],
      moreGroups: 0,
    };
  }
  const sizes = new Uint32Array(groups);
  const order: { code: number; first: number }[] = [];
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i] as number;
    if (Number.isNaN(value[i])) continue;
    if (sizes[code] === 0) order.push({ code, first: sampleOf(i) });
    sizes[code] = (sizes[code] as number) + 1;
  }
  const chosen = order.slice(0, MOST_GROUPS);
  const out = chosen.map(({ code, first }) => {
    const n = sizes[code] as number;
    return {
      ...groupOf(code, first),
      time: new Float64Array(n),
      value: new Float64Array(n),
      sample: new Uint32Array(n),
      outliers: new Uint32Array(0),
    };
  });
  const slot = new Int32Array(groups).fill(-1);
  chosen.forEach(({ code }, i) => {
    slot[code] = i;
  });
  const filled = new Uint32Array(out.length);
  for (let i = 0; i < codes.length; i++) {
    const target = slot[codes[i] as number] as number;
    if (target < 0 || Number.isNaN(value[i])) continue;
    const group = out[target] as EvaluatedGroup;
    const k = filled[target] as number;
    group.time[k] = time[i] as number;
    group.value[k] = value[i] as number;
    group.sample[k] = sampleOf(i);
    filled[target] = k + 1;
  }
  for (const group of out) finished(group, limit);
  return { groups: out, moreGroups: order.length - chosen.length };
}

function hasNaN(values: Float64Array): boolean {
  for (let i = 0; i < values.length; i++) if (Number.isNaN(values[i])) return true;
  return false;
}

function finished(group: EvaluatedGroup, limit: number): EvaluatedGroup {
  sortByTime(group);
  const outliers: number[] = [];
  for (let i = 0; i < group.value.length; i++) if ((group.value[i] as number) >= limit) outliers.push(i);
  group.outliers = Uint32Array.from(outliers);
  return group;
}

/** Windows are found by search, so times must ascend; where a clock went backward they do not. */
function sortByTime(group: EvaluatedGroup): void {
  const { time, value, sample } = group;
  let ascending = true;
  for (let i = 1; i < time.length && ascending; i++) ascending = (time[i - 1] as number) <= (time[i] as number);
  if (ascending) return;
  const order = Uint32Array.from(time, (_, i) => i).sort((a, b) => (time[a] as number) - (time[b] as number) || a - b);
  group.time = Float64Array.from(order, (i) => time[i] as number);
  group.value = Float64Array.from(order, (i) => value[i] as number);
  group.sample = Uint32Array.from(order, (i) => sample[i] as number);
}

function parseOrThrow(text: string): SeriesExpression {
  const parsed = parseExpression(text);
  if (parsed.ok) return parsed.ast;
  throw new RemoraError({
    code: 'bad-expression',
    message: `${text}: ${parsed.error.message}`,
    position: parsed.error.position,
  });
}

/** The event type an expression names; without a system, the only one of that name. */
export function findEventType(
  types: readonly EventTypeInfo[],
  { event }: Pick<SeriesExpression, 'event'>,
  text: string,
): EventTypeInfo {
  const found = types.filter(
    ({ system, name }) => name === event.event && (event.system === null || system === event.system),
  );
  if (found.length === 1) return found[0] as EventTypeInfo;
  const wanted = event.system === null ? event.event : `${event.system}:${event.event}`;
  const message =
    found.length === 0
      ? `${text}: the recording has no ${wanted} event`
      : `${text}: ${found.map(({ system }) => system).join(' and ')} both have ${wanted}: write system:event.field`;
  throw new RemoraError({ code: 'bad-expression', message, position: 0 });
}
