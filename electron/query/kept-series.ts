import type { SeriesLine, SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import type { BinWindow } from './fill-bins.ts';
import type { Group } from './groups.ts';
import { isOfBins, type SeriesPlan } from './series.ts';
import { GroupedBins, type Levels } from './series-bins.ts';
import {
  firstAfter,
  lastBefore,
  type Row,
  RowsBuffer,
  rawSamples,
  type SampleOrigin,
  type SeriesRows,
  sortedRows,
} from './series-rows.ts';
import type { Segment, SegmentEdges } from './series-segments.ts';
import type { SeriesStream } from './series-stream.ts';
import { Turns } from './shared-work.ts';
import { lowerBound, upperBound } from './trace.ts';

/** What is known of a series of many samples, after one pass over them. */
export interface KeptParts {
  groups: readonly Group[];
  moreGroups: number;
  /** Place of a group by its code. */
  slotOf: Int32Array;
  levels: Levels;
  segments: readonly Segment[];
  /** By place of the group; null: they are looked for in the segments. */
  edges: readonly SegmentEdges[] | null;
  /** All samples of groups that have few, by place. */
  few: readonly (SeriesRows | null)[];
  bytes: number;
}

/** A stream, and where its samples are put. */
interface Decoding {
  stream: SeriesStream;
  buffer: RowsBuffer;
}

/** Samples of a segment, from where they are kept, or decoded. */
export type LoadSegment = (segment: number) => Promise<SeriesRows>;

/** A series of many samples: bins for wide windows; for narrow ones its samples can be had again segment by segment. */
export class KeptSeries {
  readonly parts: KeptParts;
  readonly #plan: SeriesPlan;
  readonly #newStream: () => SeriesStream;
  readonly #origins: readonly SampleOrigin[];
  /** What is not used at the moment: its memory is used again. */
  #spare: Decoding | null = null;

  /** `newStream` gives one over all samples, with the codes of the groups. */
  constructor(plan: SeriesPlan, parts: KeptParts, origins: readonly SampleOrigin[], newStream: () => SeriesStream) {
    this.#plan = plan;
    this.parts = parts;
    this.#origins = origins;
    this.#newStream = newStream;
  }

  /** Decodes the samples of a segment, in turns; see SharedWork. */
  async decode(segment: number, nextTurn: () => Promise<void>): Promise<SeriesRows> {
    const { start, rows, endNs } = this.parts.segments[segment] as Segment;
    const { slotOf } = this.parts;
    const decoding = this.#spare ?? { stream: this.#newStream(), buffer: new RowsBuffer() };
    this.#spare = null;
    const { stream, buffer } = decoding;
    const turns = new Turns(nextTurn);
    try {
      buffer.clear();
      if (typeof start === 'number') stream.seekTime(start);
      else stream.seek(start);
      for (let left = rows; left > 0; ) {
        const batch = stream.next(left, endNs);
        if (batch === null) break;
        const { n, time, value, code, source, index } = batch;
        for (let i = 0; i < n; i++) {
          const slot = slotOf[code[i] as number] as number;
          if (slot < 0 || Number.isNaN(value[i])) continue;
          buffer.add(slot, time[i] as number, value[i] as number, source[i] as number, index[i] as number);
        }
        left -= n;
        if (turns.isDue) await turns.take();
      }
      return buffer.copy();
    } finally {
      this.#spare = decoding;
    }
  }

  /** Gives up the memory that segments are decoded in. */
  release(): void {
    this.#spare = null;
  }

  /** Events that are decoded for the samples of a window, about. */
  eventsIn(window: BinWindow): number {
    return this.#segmentsIn(window).reduce((sum, k) => sum + (this.parts.segments[k] as Segment).events, 0);
  }

  /** Segments that have samples in a window. */
  #segmentsIn({ fromNs, toNs }: BinWindow): number[] {
    const found: number[] = [];
    for (const [k, { minNs, maxNs }] of this.parts.segments.entries())
      if (maxNs >= fromNs && minNs <= toNs) found.push(k);
    return found;
  }

  /**
   * A window made of samples: single ones in lines that have few, else bins, as `mode` says. `most`: single samples that memory is set
   * aside for; null where there are more.
   */
  async window(
    spec: SeriesSpec,
    window: BinWindow,
    bins: number,
    mode: 'auto' | 'raw' | 'bins',
    most: number,
    load: LoadSegment,
    turns: Turns,
  ): Promise<SeriesResult | null> {
    const { fromNs, toNs, binNs } = window;
    const { groups, moreGroups } = this.parts;
    const { unit, limit } = this.#plan;
    const mostRaw = mode === 'raw' ? Number.POSITIVE_INFINITY : mode === 'bins' || isOfBins(spec) ? -1 : bins * 2;
    const binned = new GroupedBins(window, limit);
    const single = groups.map((): RowsBuffer | null => (mostRaw < 0 ? null : new RowsBuffer()));
    const counts = groups.map(() => 0);
    let outliers = 0;
    for (const segment of this.#segmentsIn(window)) {
      const rows = await load(segment);
      const [first, end] = rangeOf(rows, fromNs, toNs);
      if (groups.length === 1 && rows.ordered && mode !== 'raw') {
        // All of one line: bins are filled by the run.
        binned.of(0).add(rows.time.subarray(first, end), rows.value.subarray(first, end), end - first, 0);
        counts[0] = (counts[0] as number) + end - first;
        if ((counts[0] as number) > mostRaw) single[0] = null;
        else for (let i = first; i < end; i++) single[0]?.addFrom(rows, i);
      } else {
        for (let i = first; i < end; i++) {
          const t = rows.time[i] as number;
          if (t < fromNs || t > toNs) continue;
          const slot = rows.slot[i] as number;
          if (mode !== 'raw') binned.of(slot).addOne(t, rows.value[i] as number);
          const count = (counts[slot] as number) + 1;
          counts[slot] = count;
          if (count > mostRaw) single[slot] = null;
          single[slot]?.addFrom(rows, i);
        }
      }
      if (limit < Number.POSITIVE_INFINITY) outliers += countFrom(rows, limit, window, first, end);
      const held = single.reduce((sum, each) => sum + (each?.n ?? 0), 0);
      if (held > most) return null;
      if (turns.isDue) await turns.take();
    }
    const lines: SeriesLine[] = [];
    for (const [slot, { label, key }] of groups.entries()) {
      const head = { group: label, key, samples: counts[slot] as number };
      const own = single[slot] as RowsBuffer | null;
      if (own === null) {
        lines.push({ ...head, ...binned.of(slot).finish() });
        continue;
      }
      const before = await this.#before(slot, fromNs, load);
      const after = await this.#after(slot, toNs, load);
      const rows = sortedRows(own.rows);
      lines.push({ ...head, ...rawSamples(this.#origins, rows, [0, rows.n], before, after) });
    }
    return { spec, fromNs, toNs, binNs, unit, lines, moreGroups, outliers };
  }

  /** Single samples of a group that has few in all; null for another. */
  fewOf(slot: number, fromNs: number, toNs: number): (SeriesLine & { mode: 'raw' }) | null {
    const rows = this.parts.few[slot];
    if (rows === null || rows === undefined) return null;
    const { label, key } = this.parts.groups[slot] as Group;
    const [first, end] = rangeOf(rows, fromNs, toNs);
    const [before, after] = [lastBefore(rows, slot, fromNs), firstAfter(rows, slot, toNs)];
    const raw = rawSamples(this.#origins, rows, [first, end], before, after);
    return { group: label, key, samples: end - first, ...raw };
  }

  /** A group's last sample before a time. */
  async #before(slot: number, timeNs: number, load: LoadSegment): Promise<Row | null> {
    const { segments, edges } = this.parts;
    let segment = segments.findIndex(({ maxNs }) => maxNs >= timeNs);
    if (segment < 0) segment = segments.length;
    const own = segment < segments.length ? lastBefore(await load(segment), slot, timeNs) : null;
    if (own !== null) return own;
    if (edges !== null) return (edges[slot] as SegmentEdges).before[segment] as Row | null;
    while (segment-- > 0) {
      const found = lastBefore(await load(segment), slot, timeNs);
      if (found !== null) return found;
    }
    return null;
  }

  /** A group's first sample after a time. */
  async #after(slot: number, timeNs: number, load: LoadSegment): Promise<Row | null> {
    const { segments, edges } = this.parts;
    let segment = segments.findLastIndex(({ minNs }) => minNs <= timeNs);
    const own = segment < 0 ? null : firstAfter(await load(segment), slot, timeNs);
    if (own !== null) return own;
    if (edges !== null) return (edges[slot] as SegmentEdges).after[segment + 1] as Row | null;
    while (++segment < segments.length) {
      const found = firstAfter(await load(segment), slot, timeNs);
      if (found !== null) return found;
    }
    return null;
  }
}

/** Samples of a window, among those from `first` to `end`, whose value is `limit` or more. */
function countFrom(
  { time, value }: SeriesRows,
  limit: number,
  { fromNs, toNs }: BinWindow,
  first: number,
  end: number,
): number {
  let n = 0;
  for (let i = first; i < end; i++)
    if ((value[i] as number) >= limit && (time[i] as number) >= fromNs && (time[i] as number) <= toNs) n++;
  return n;
}

/** Where samples of a window can be. */
function rangeOf({ n, time, ordered }: SeriesRows, fromNs: number, toNs: number): [first: number, end: number] {
  if (!ordered) return [0, n];
  const first = lowerBound(time, fromNs, 0, n);
  return [first, upperBound(time, toNs, first, n)];
}
