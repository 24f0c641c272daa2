import type { BinnedSamples, Progress } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { isNumeric, type NumberReader, numberReader } from '../parse/field-access.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { newBins } from './bins.ts';
import { PayloadReader } from './payload.ts';
import { type SeriesPlan, seriesPlan } from './series.ts';
import type { SeriesBins } from './streamed-series.ts';
import { countInChunk, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;
/** Chunks are read for about this long between two turns of the event loop. */
const TURN_MS = 25;

/** Samples of one CPU's events of one kernel id, in their order, which is that of time. NaN: no number. */
export interface PlainSource {
  stream: TraceStream;
  cpu: TraceCpu;
  id: number;
  time: Float64Array;
  value: Float64Array;
  /** The chunks that they come from: each with the place of its first. */
  parts: { info: ChunkInfo; first: number }[];
}

/** Whether a series can be binned event by event: one line of values that depend on their own event alone. */
export const isPlain = (spec: SeriesSpec, { compiled }: SeriesPlan): boolean =>
  spec.groupBy === '' && spec.where === '' && !compiled.stateful;

/**
 * Bins of a plain series straight from the recording, CPU by CPU: without columns of its samples, which are most of the time that evaluating
 * all of them takes. Bins of `binNs` from `fromNs` on; samples at `toNs` are part of it. Means are of sums in another order, the rest is as
 * from samples in order. See SharedWork for `nextTurn`. `keep` gets the samples themselves, too.
 */
export async function binsDirectly(
  trace: Trace,
  spec: SeriesSpec,
  { fromNs, toNs, binNs }: { fromNs: number; toNs: number; binNs: number },
  nextTurn: () => Promise<void>,
  onProgress: (progress: Progress) => void,
  keep: PlainSource[] | null = null,
): Promise<SeriesBins> {
  const plan = seriesPlan(trace, spec);
  const { type } = plan.type;
  const bins = new Bins(Math.floor((toNs - fromNs) / binNs) + 1, fromNs, toNs, binNs, plan.limit);
  const parts = trace.streams.flatMap((stream) => partsOf(stream, type, fromNs, toNs));
  const total = parts.reduce((sum, { n }) => sum + n, 0);
  const space = new SelectionSpace();
  let done = 0;
  let decoder: ChunkDecoder | null = null;
  let kept: PlainSource | undefined;
  let turn = performance.now();
  for (const { stream, cpu, info, id, n } of parts) {
    if (decoder === null || !decoder.isOf(stream, cpu, id)) {
      decoder = new ChunkDecoder(stream, cpu, id, plan);
      const own = parts.reduce((sum, part) => sum + (part.cpu === cpu && part.id === id ? part.n : 0), 0);
      kept = {
        stream,
        cpu,
        id,
        time: new Float64Array(keep ? own : 0),
        value: new Float64Array(keep ? own : 0),
        parts: [],
      };
      keep?.push(kept);
    }
    const found = trace.chunks.select(info, id, space);
    const values = decoder.values(found.position, found.n, info.basePosition);
    bins.add(found.time, values, found.n, stream.offsetNs);
    if (keep !== null && kept !== undefined) keepSamples(kept, info, found.time, values, found.n);
    done += n;
    if (performance.now() - turn < TURN_MS) continue;
    onProgress({ stage: 'Reading', unit: 'events', done, total });
    await nextTurn();
    turn = performance.now();
  }
  const { taken, outliers } = bins;
  const groups = taken > 0 || total === 0 ? [{ label: '', key: '', bins: bins.finish(), outliers }] : [];
  return { unit: plan.unit, groups, moreGroups: 0, bytes: groups.reduce((sum, group) => sum + sizeOf(group.bins), 0) };
}

function keepSamples(kept: PlainSource, info: ChunkInfo, time: Float64Array, value: Float64Array, n: number): void {
  const last = kept.parts.at(-1);
  const first = last === undefined ? 0 : last.first + countInChunk(last.info, kept.id);
  kept.parts.push({ info, first });
  const { offsetNs } = kept.stream;
  for (let i = 0; i < n; i++) {
    kept.time[first + i] = (time[i] as number) + offsetNs;
    kept.value[first + i] = value[i] as number;
  }
}

const sizeOf = ({ tNs }: BinnedSamples): number => tNs.length * 44;

interface Part {
  stream: TraceStream;
  cpu: TraceCpu;
  id: number;
  info: ChunkInfo;
  n: number;
}

/** Chunks that have events of a type in a window: by kernel id, then CPU, as samples of one time are in order. */
function partsOf(stream: TraceStream, type: number, fromNs: number, toNs: number): Part[] {
  const { recording, cpus, offsetNs } = stream;
  const ids = [...recording.typeOfId.keys()].filter((id) => recording.typeOfId[id] === type);
  return ids.flatMap((id) =>
    cpus.flatMap((cpu) =>
      cpu.chunks
        .filter((info) => info.toNs + offsetNs >= fromNs && info.fromNs + offsetNs <= toNs)
        .map((info) => ({ stream, cpu, id, info, n: countInChunk(info, id) }))
        .filter(({ n }) => n > 0),
    ),
  );
}

/** Values of one CPU's events of one kernel id, chunk by chunk, in memory that is used again. */
class ChunkDecoder {
  readonly #stream: TraceStream;
  readonly #cpu: TraceCpu;
  readonly #id: number;
  readonly #plan: SeriesPlan;
  readonly #payloads: PayloadReader;
  readonly #evaluate: ReturnType<SeriesPlan['compiled']['evaluator']>;
  readonly #readers: (NumberReader | null)[];
  #columns: Float64Array[] = [];
  #values = new Float64Array(0);

  constructor(stream: TraceStream, cpu: TraceCpu, id: number, plan: SeriesPlan) {
    this.#stream = stream;
    this.#cpu = cpu;
    this.#id = id;
    this.#plan = plan;
    this.#payloads = new PayloadReader(stream, cpu, BLOCK_BYTES);
    this.#evaluate = plan.compiled.evaluator();
    const fields = stream.recording.formatOfId.get(id)?.fields ?? [];
    this.#readers = plan.compiled.fields.map((name) => {
      const field = fields.find((each) => each.name === name);
      return field !== undefined && isNumeric(field) ? numberReader(field, stream.layout.abi) : null;
    });
  }

  isOf(stream: TraceStream, cpu: TraceCpu, id: number): boolean {
    return stream === this.#stream && cpu === this.#cpu && id === this.#id;
  }

  /** Of `n` records at positions from `base` on, ascending. Borrowed, until the next call. */
  values(position: Uint32Array, n: number, base: number): Float64Array {
    if (this.#values.length < n) {
      this.#values = new Float64Array(n);
      this.#columns = this.#readers.map(() => new Float64Array(n));
    }
    const readers = this.#readers;
    const columns = this.#columns;
    this.#payloads.expect(position, base);
    for (let i = 0; i < n; i++) {
      const { view, at, length } = this.#payloads.read(base + (position[i] as number));
      for (let k = 0; k < readers.length; k++)
        (columns[k] as Float64Array)[i] = readers[k]?.(view, at, at + length) ?? Number.NaN;
    }
    const values = this.#values;
    const { places, factor } = this.#plan;
    const byField: Float64Array[] = [];
    for (const [k, place] of places.entries()) byField[place] = columns[k] as Float64Array;
    this.#evaluate(byField, n, values);
    if (factor !== 1) for (let i = 0; i < n; i++) values[i] = (values[i] as number) * factor;
    return values;
  }
}

/** All bins of a window, filled in any order of time. */
class Bins {
  readonly #fromNs: number;
  readonly #toNs: number;
  readonly #binNs: number;
  readonly #limit: number;
  readonly #min: Float64Array;
  readonly #max: Float64Array;
  readonly #sum: Float64Array;
  readonly #last: Float64Array;
  readonly #lastNs: Float64Array;
  readonly #count: Uint32Array;
  readonly #outliers: number[] = [];
  /** Samples that were numbers. */
  taken = 0;

  /** `limit`: values from here on are left out. */
  constructor(n: number, fromNs: number, toNs: number, binNs: number, limit: number) {
    this.#fromNs = fromNs;
    this.#toNs = toNs;
    this.#binNs = binNs;
    this.#limit = limit;
    this.#min = new Float64Array(n);
    this.#max = new Float64Array(n);
    this.#sum = new Float64Array(n);
    this.#last = new Float64Array(n);
    this.#lastNs = new Float64Array(n);
    this.#count = new Uint32Array(n);
  }

  /** Of equal times the one that is added later counts as the later one. */
  add(time: Float64Array, value: Float64Array, n: number, offsetNs: number): void {
    const limit = this.#limit;
    const fromNs = this.#fromNs;
    const toNs = this.#toNs;
    const binNs = this.#binNs;
    let taken = 0;
    // Most are in the bin of the one before: what is known of that stays in registers.
    let bin = -1;
    // Where a time is in it for sure, however its edges are rounded.
    let insideFromNs = Number.POSITIVE_INFINITY;
    let insideToNs = Number.NEGATIVE_INFINITY;
    let [min, max, sum, last, lastNs, count] = [0, 0, 0, 0, 0, 0];
    for (let i = 0; i < n; i++) {
      const v = value[i] as number;
      const t = (time[i] as number) + offsetNs;
      if (Number.isNaN(v) || t < fromNs || t > toNs) continue;
      taken++;
      if (v >= limit) {
        this.#outliers.push(t);
        continue;
      }
      if (t < insideFromNs || t > insideToNs) {
        const own = Math.floor((t - fromNs) / binNs);
        if (own !== bin) {
          if (count > 0) this.#put(bin, min, max, sum, last, lastNs, count);
          bin = own;
          insideFromNs = fromNs + bin * binNs + 1;
          insideToNs = insideFromNs + binNs - 2;
          min = v;
          max = v;
          sum = v;
          last = v;
          lastNs = t;
          count = 1;
          continue;
        }
      }
      if (v < min) min = v;
      if (v > max) max = v;
      sum += v;
      count++;
      if (t >= lastNs) {
        last = v;
        lastNs = t;
      }
    }
    if (count > 0) this.#put(bin, min, max, sum, last, lastNs, count);
    this.taken += taken;
  }

  /** Adds samples of one bin; the last of them at `lastNs`. */
  #put(bin: number, min: number, max: number, sum: number, last: number, lastNs: number, count: number): void {
    const known = this.#count[bin] as number;
    this.#min[bin] = known === 0 ? min : Math.min(this.#min[bin] as number, min);
    this.#max[bin] = known === 0 ? max : Math.max(this.#max[bin] as number, max);
    this.#sum[bin] = (this.#sum[bin] as number) + sum;
    this.#count[bin] = known + count;
    if (known > 0 && lastNs < (this.#lastNs[bin] as number)) return;
    this.#last[bin] = last;
    this.#lastNs[bin] = lastNs;
  }

  get outliers(): Float64Array {
    return Float64Array.from(this.#outliers).sort();
  }

  /** Those that have samples, ascending. */
  finish(): BinnedSamples {
    const count = this.#count;
    let n = 0;
    for (let bin = 0; bin < count.length; bin++) if ((count[bin] as number) > 0) n++;
    const out = newBins(n);
    let k = 0;
    for (let bin = 0; bin < count.length; bin++) {
      const own = count[bin] as number;
      if (own === 0) continue;
      out.tNs[k] = this.#fromNs + bin * this.#binNs;
      out.min[k] = this.#min[bin] as number;
      out.max[k] = this.#max[bin] as number;
      out.mean[k] = (this.#sum[bin] as number) / own;
      out.last[k] = this.#last[bin] as number;
      out.count[k] = own;
      k++;
    }
    return out;
  }
}
