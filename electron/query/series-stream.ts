import type { SeriesSpec } from '../../shared/chart.ts';
import type { Evaluator, EvaluatorState } from '../../shared/expression/compile.ts';
import { compileFilter } from '../../shared/filter/compile.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { GroupCodes } from './group-codes.ts';
import { filterOf, shapeOf } from './sample-filter.ts';
import { type SampleQuery, SampleSource } from './sample-source.ts';
import type { SeriesPlan } from './series.ts';
import type { SampleOrigin } from './series-rows.ts';
import { idsOfType, lowerBound, type Trace } from './trace.ts';

/** Samples that are given at a time. */
const BATCH = 1 << 14;

/** Samples of a series in the list's order (time, as `SampleSource.turn` has it; then stream, kernel id, CPU, order there). Borrowed, until the next. */
export interface SampleBatch {
  n: number;
  /** Workspace time, ns. */
  time: Float64Array;
  /** NaN: none. */
  value: Float64Array;
  /** Group: see `SeriesStream.codes`. */
  code: Uint32Array;
  /** Index into `SeriesStream.sources`. */
  source: Uint16Array;
  /** Place among the CPU's events. */
  index: Float64Array;
}

/** Where a stream is: it can go on from there again. */
export interface StreamPlace {
  /** Of each source: chunk, and place among its samples. */
  chunk: Uint32Array;
  at: Uint32Array;
  /** The latest time of its events in earlier chunks; see `SampleSource.turn`. */
  latestNs: Float64Array;
  /** What delta and rate remember. */
  state: EvaluatorState;
}

/**
 * All samples of a series one after the other, whatever it is of, in little memory: chunks are decoded CPU by CPU, merged, and evaluated
 * in order, so that delta and rate go on from piece to piece.
 */
export class SeriesStream {
  /** By stream, kernel id and CPU: who comes first at the same time. */
  readonly sources: readonly SampleSource[];
  readonly codes: GroupCodes;
  /** Events that were looked at, those that do not pass included; and in all. */
  scanned = 0;
  readonly total: number;
  readonly #plan: SeriesPlan;
  readonly #chunk: Uint32Array;
  readonly #at: Uint32Array;
  readonly #latestNs: Float64Array;
  /** Sources that begin at `#fromNs`, wherever in their next chunk that is. */
  readonly #seeking: boolean[];
  #fromNs = Number.NEGATIVE_INFINITY;
  #evaluate: Evaluator;
  readonly #place = new Uint32Array(BATCH);
  readonly #columns: Float64Array[];
  readonly #batch: SampleBatch = {
    n: 0,
    time: new Float64Array(BATCH),
    value: new Float64Array(BATCH),
    code: new Uint32Array(BATCH),
    source: new Uint16Array(BATCH),
    index: new Float64Array(BATCH),
  };

  /** Throws `bad-expression`. Streams that go over the same samples share `codes`. */
  constructor(
    trace: Trace,
    spec: SeriesSpec,
    plan: SeriesPlan,
    codes = new GroupCodes(trace, plan.type, spec.groupBy),
  ) {
    const { type, compiled } = plan;
    this.#plan = plan;
    this.codes = codes;
    const test = spec.where.trim() === '' || compileFilter(filterOf(trace, spec.where), shapeOf(type), trace);
    const query: Omit<SampleQuery, 'test'> = { trace, fields: compiled.fields, codes, space: new SelectionSpace() };
    this.sources =
      test === false
        ? []
        : trace.streams.flatMap((stream) =>
            idsOfType(stream.recording, type.type).flatMap((id) =>
              stream.cpus
                .map((cpu) => new SampleSource({ ...query, test }, stream, cpu, id))
                .filter(({ chunks }) => chunks.length > 0),
            ),
          );
    this.total = this.sources.reduce(
      (sum, source) => source.chunks.reduce((n, _, chunk) => n + source.eventsIn(chunk), sum),
      0,
    );
    this.#chunk = new Uint32Array(this.sources.length);
    this.#at = new Uint32Array(this.sources.length);
    this.#latestNs = new Float64Array(this.sources.length).fill(Number.NEGATIVE_INFINITY);
    this.#seeking = this.sources.map(() => false);
    this.#columns = compiled.fields.map(() => new Float64Array(BATCH));
    this.#evaluate = compiled.evaluator();
  }

  /** Where the samples of each source come from. */
  get origins(): SampleOrigin[] {
    return this.sources.map(({ stream, cpu }) => ({ stream: stream.info.index, cpu: cpu.cpu }));
  }

  /** Where it is now. */
  place(): StreamPlace {
    const [chunk, at, latestNs] = [this.#chunk.slice(), this.#at.slice(), this.#latestNs.slice()];
    return { chunk, at, latestNs, state: this.#evaluate.state() };
  }

  /** Goes on from there. */
  seek({ chunk, at, latestNs, state }: StreamPlace): void {
    this.#chunk.set(chunk);
    this.#at.set(at);
    this.#latestNs.set(latestNs);
    this.#seeking.fill(false);
    this.#evaluate = this.#plan.compiled.evaluator(state);
  }

  /** Goes on with the first sample at or after a time, where values do not depend on earlier ones and times ascend on each CPU. */
  seekTime(fromNs: number): void {
    this.#fromNs = fromNs;
    this.#seeking.fill(true);
    this.#at.fill(0);
    // Where times ascend, each sample has its turn at its own time.
    this.#latestNs.fill(Number.NEGATIVE_INFINITY);
    for (const [s, { chunks, stream }] of this.sources.entries()) {
      let chunk = 0;
      while (chunk < chunks.length && (chunks[chunk] as ChunkInfo).toNs + stream.offsetNs < fromNs) chunk++;
      this.#chunk[s] = chunk;
    }
  }

  /**
   * At most `most` samples, before `endNs`: none where a chunk was decoded instead, so that nothing takes long. Null: there are no
   * more.
   */
  next(most = BATCH, endNs = Number.POSITIVE_INFINITY): SampleBatch | null {
    const batch = this.#batch;
    batch.n = 0;
    let left = false;
    for (const [s, source] of this.sources.entries()) {
      const chunk = this.#chunk[s] as number;
      if (chunk >= source.chunks.length) continue;
      left = true;
      if (source.loaded === chunk && !this.#seeking[s]) continue;
      // What begins later is not needed. (Without an end, everything is.)
      if ((source.chunks[chunk] as ChunkInfo).fromNs + source.stream.offsetNs >= endNs) continue;
      if (source.loaded !== chunk) {
        source.load(chunk, this.#latestNs[s] as number);
        this.scanned += source.eventsIn(chunk);
      }
      if (this.#seeking[s]) this.#at[s] = lowerBound(source.time, this.#fromNs, 0, source.n);
      this.#seeking[s] = false;
      this.#skipEmpty(s);
      return batch;
    }
    if (!left) return null;
    batch.n = this.#merge(Math.min(most, BATCH), endNs);
    if (batch.n === 0) return null;
    this.#gather();
    return batch;
  }

  /** A chunk of which nothing is left is followed by the next. */
  #skipEmpty(s: number): void {
    const { n, latestNs } = this.sources[s] as SampleSource;
    if ((this.#at[s] as number) < n) return;
    this.#chunk[s] = (this.#chunk[s] as number) + 1;
    this.#at[s] = 0;
    this.#latestNs[s] = latestNs;
  }

  /** Which samples come next: `source` and `place`. Ends where a chunk does. Returns how many. */
  #merge(most: number, endNs: number): number {
    const { sources } = this;
    const { source: from } = this.#batch;
    const place = this.#place;
    let n = 0;
    while (n < most) {
      let chosen = -1;
      let best = endNs;
      /** Up to where the chosen one goes on without any other between. */
      let limit = endNs;
      for (let s = 0; s < sources.length; s++) {
        const source = sources[s] as SampleSource;
        if (source.loaded !== this.#chunk[s]) continue;
        const head = source.turn[this.#at[s] as number] as number;
        if (head < best) {
          limit = best;
          best = head;
          chosen = s;
        } else if (head < limit) limit = head;
      }
      if (chosen < 0) break;
      const { turn, n: end } = sources[chosen] as SampleSource;
      let at = this.#at[chosen] as number;
      do {
        from[n] = chosen;
        place[n++] = at++;
      } while (n < most && at < end && (turn[at] as number) < limit);
      this.#at[chosen] = at;
      if (at === end) {
        this.#skipEmpty(chosen);
        break;
      }
    }
    return n;
  }

  #gather(): void {
    const { n, time, value, code, source, index } = this.#batch;
    const { sources } = this;
    const place = this.#place;
    const pick = (columns: Float64Array[], into: Float64Array): void => {
      for (let i = 0; i < n; i++)
        into[i] = (columns[source[i] as number] as Float64Array)[place[i] as number] as number;
    };
    pick(
      sources.map((each) => each.time),
      time,
    );
    pick(
      sources.map((each) => each.index),
      index,
    );
    const codes = sources.map((each) => each.code);
    for (let i = 0; i < n; i++) code[i] = (codes[source[i] as number] as Uint32Array)[place[i] as number] as number;
    const { places, factor } = this.#plan;
    const byField: Float64Array[] = [];
    for (const [c, at] of places.entries()) {
      const column = this.#columns[c] as Float64Array;
      pick(
        sources.map((each) => each.columns[c] as Float64Array),
        column,
      );
      byField[at] = column;
    }
    this.#evaluate(byField, n, value, { group: code, timeNs: time });
    if (factor !== 1) for (let i = 0; i < n; i++) value[i] = (value[i] as number) * factor;
  }
}
