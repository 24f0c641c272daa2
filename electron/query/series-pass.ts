import type { Progress } from '../../shared/api.ts';
import type { BinWindow } from './fill-bins.ts';
import type { Group } from './groups.ts';
import type { SampleSource } from './sample-source.ts';
import { MOST_GROUPS, type SeriesPlan } from './series.ts';
import { GroupedBins, type SeriesBins } from './series-bins.ts';
import { ROW_BYTES, type Row, RowsBuffer, type SeriesRows, sortedRows } from './series-rows.ts';
import { eventsASegment, type Segment, type SegmentEdges } from './series-segments.ts';
import type { SeriesSizes } from './series-sizes.ts';
import type { SeriesStream } from './series-stream.ts';
import { Turns } from './shared-work.ts';

/** What one pass over all samples of a series finds. */
export interface SeriesPass {
  /** At most `MOST_GROUPS`, in order of first appearance. */
  groups: Group[];
  moreGroups: number;
  /** Place of a group by its code: -1 for those without samples, and those that are too many. */
  slotOf: Int32Array;
  /** One for each of the windows that were asked for. */
  bins: SeriesBins[];
  segments: Segment[];
  /** By place of the group. */
  edges: SegmentEdges[];
  /** All samples of groups that have few, by place, in the order of time. */
  few: (SeriesRows | null)[];
  bytes: number;
}

/** Goes over all samples of a stream once, from its beginning, in turns. See SharedWork for `nextTurn`. */
export async function passOver(
  stream: SeriesStream,
  plan: SeriesPlan,
  windows: readonly BinWindow[],
  sizes: SeriesSizes,
  nextTurn: () => Promise<void>,
  onProgress: (progress: Progress) => void,
): Promise<SeriesPass> {
  let most = eventsASegment(stream, sizes.segmentEvents);
  let stateBytes = 0;
  const slots = new Slots(stream, sizes.fewOfGroup);
  const bins = windows.map((window) => new GroupedBins(window, plan.limit));
  let segments: Segment[] = [];
  const turns = new Turns(nextTurn);
  let begun = segmentAt(stream);
  let scanned = 0;
  for (let batch = stream.next(); batch !== null; batch = stream.next()) {
    const { n, time, value, code, source, index } = batch;
    // Where a chunk was decoded, so that it is not decoded for the segment before, too.
    if (n === 0 && begun.events >= most && begun.rows > 0) {
      segments.push(begun);
      slots.cut();
      begun = segmentAt(stream);
      stateBytes += stateBytesOf(begun);
      if (stateBytes > sizes.stateBytes) {
        segments = joinedPairs(segments);
        slots.joinPairs();
        stateBytes = segments.reduce((sum, segment) => sum + stateBytesOf(segment), stateBytesOf(begun));
        most *= 2;
      }
    }
    begun.events += stream.scanned - scanned;
    scanned = stream.scanned;
    for (let i = 0; i < n; i++) {
      const t = time[i] as number;
      const v = value[i] as number;
      if (t < begun.minNs) begun.minNs = t;
      if (t > begun.maxNs) begun.maxNs = t;
      if (Number.isNaN(v)) continue;
      const slot = slots.of(code[i] as number, source[i] as number);
      if (slot < 0) continue;
      for (let k = 0; k < bins.length; k++) (bins[k] as GroupedBins).add(slot, t, v);
      slots.add(slot, t, v, source[i] as number, index[i] as number);
    }
    begun.rows += n;
    if (!turns.isDue) continue;
    onProgress({ stage: 'Reading', unit: 'events', done: stream.scanned, total: stream.total });
    await turns.take();
  }
  if (begun.rows > 0) {
    segments.push(begun);
    slots.cut();
  }
  // Nothing passes: the one line is there, and empty.
  if (segments.length === 0 && stream.codes.areOne) slots.begin({ label: '', key: '' });
  const { groups, moreGroups } = slots;
  const few = slots.finish();
  const edges = slots.edges;
  return {
    groups,
    moreGroups,
    slotOf: slots.slotOf,
    bins: bins.map((each) => each.finish(plan.unit, groups, moreGroups)),
    segments,
    edges,
    few,
    bytes: sizeOf(segments, edges, few),
  };
}

const segmentAt = (stream: SeriesStream): Segment => ({
  start: stream.place(),
  rows: 0,
  events: 0,
  endNs: Number.POSITIVE_INFINITY,
  minNs: Number.POSITIVE_INFINITY,
  maxNs: Number.NEGATIVE_INFINITY,
});

const stateBytesOf = ({ start }: Segment): number =>
  typeof start === 'number' ? 0 : start.state.reduce((sum, { values }) => sum + values.byteLength * 2, 0);

/** Each two segments that follow each other as one. */
const joinedPairs = (segments: readonly Segment[]): Segment[] =>
  segments.flatMap((segment, k) => {
    if (k % 2 === 1) return [];
    const next = segments[k + 1];
    if (next === undefined) return [segment];
    const minNs = Math.min(segment.minNs, next.minNs);
    const maxNs = Math.max(segment.maxNs, next.maxNs);
    const events = segment.events + next.events;
    return [{ ...segment, rows: segment.rows + next.rows, events, minNs, maxNs }];
  });

/** A row as an object takes about this. */
const EDGE_BYTES = 80;

function sizeOf(segments: readonly Segment[], edges: readonly SegmentEdges[], few: readonly (SeriesRows | null)[]) {
  let bytes = segments.length * edges.length * EDGE_BYTES;
  for (const segment of segments) bytes += stateBytesOf(segment);
  for (const rows of few) bytes += (rows?.n ?? 0) * ROW_BYTES;
  return bytes;
}

/** The groups of a series, as they appear: what they are called, and their samples at the edges of segments. */
class Slots {
  slotOf = new Int32Array(16).fill(UNSEEN);
  readonly groups: Group[] = [];
  readonly edges: SegmentEdges[] = [];
  moreGroups = 0;
  readonly #stream: SeriesStream;
  /** Samples of a group while they are few, by place. */
  readonly #few: (RowsBuffer | null)[] = [];
  /** The group's first sample since the last cut, and its last. */
  readonly #first: (Row | null)[] = [];
  readonly #last: Row[] = [];
  readonly #most: number;
  #cuts = 0;

  /** `most`: samples of a group that is kept as it is. */
  constructor(stream: SeriesStream, most: number) {
    this.#stream = stream;
    this.#most = most;
  }

  /** Place of a group; negative where it is one too many. `source`: of a sample of it. */
  of(code: number, source: number): number {
    if (code >= this.slotOf.length) {
      const longer = new Int32Array(Math.max(code + 1, this.slotOf.length * 2)).fill(UNSEEN);
      longer.set(this.slotOf);
      this.slotOf = longer;
    }
    const known = this.slotOf[code] as number;
    return known === UNSEEN ? this.#appear(code, source) : known;
  }

  #appear(code: number, source: number): number {
    if (this.groups.length === MOST_GROUPS) {
      this.moreGroups++;
      this.slotOf[code] = TOO_MANY;
      return TOO_MANY;
    }
    const { stream } = this.#stream.sources[source] as SampleSource;
    const slot = this.begin(this.#stream.codes.group(code, stream));
    this.slotOf[code] = slot;
    return slot;
  }

  /** A group of which nothing is known yet. Returns its place. */
  begin(group: Group): number {
    const before = new Array<null>(this.#cuts + 1).fill(null);
    this.edges.push({ before, after: new Array<null>(this.#cuts).fill(null) });
    this.#few.push(new RowsBuffer());
    this.#first.push(null);
    this.#last.push({ time: Number.NEGATIVE_INFINITY, value: 0, source: 0, index: 0 });
    return this.groups.push(group) - 1;
  }

  add(slot: number, time: number, value: number, source: number, index: number): void {
    const last = this.#last[slot] as Row;
    last.time = time;
    last.value = value;
    last.source = source;
    last.index = index;
    this.#first[slot] ??= { ...last };
    const few = this.#few[slot] as RowsBuffer | null;
    if (few === null) return;
    few.add(slot, time, value, source, index);
    if (few.n > this.#most) this.#few[slot] = null;
  }

  /** A segment ends here. */
  cut(): void {
    this.#cuts++;
    for (const [slot, { before, after }] of this.edges.entries()) {
      const last = this.#last[slot] as Row;
      before.push({ ...last });
      after.push(this.#first[slot] as Row | null);
      this.#first[slot] = null;
    }
  }

  /** See joinedPairs. */
  joinPairs(): void {
    const cuts = this.#cuts;
    this.#cuts = Math.ceil(cuts / 2);
    for (const edges of this.edges) {
      const { before, after } = edges;
      edges.before = [...before.slice(0, cuts).filter((_, k) => k % 2 === 0), before[cuts] as Row | null];
      edges.after = after.flatMap((row, k) => (k % 2 === 1 ? [] : [row ?? after[k + 1] ?? null]));
    }
  }

  /** Everything is there. Samples of groups that have few, by place. */
  finish(): (SeriesRows | null)[] {
    for (const { after } of this.edges) {
      after.push(null);
      for (let k = after.length - 2; k >= 0; k--) after[k] ??= after[k + 1] as Row | null;
    }
    return this.#few.map((few) => (few === null ? null : sortedRows(few.copy())));
  }
}

const UNSEEN = -1;
const TOO_MANY = -2;
