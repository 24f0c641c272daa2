import type { Row } from './series-rows.ts';
import type { SeriesStream, StreamPlace } from './series-stream.ts';

/** A part of a series' samples, one after the other in the list's order, that can be had without those before. */
export interface Segment {
  /** Where the stream begins: a place, or the time of its first samples. */
  start: StreamPlace | number;
  /** Samples in it, or more; it ends with them, or before `endNs`. */
  rows: number;
  endNs: number;
  /** Events that are decoded for it, about. */
  events: number;
  /** No sample is earlier, or later. */
  minNs: number;
  maxNs: number;
}

/** Samples of each group at the edges of segments. */
export interface SegmentEdges {
  /** `before[k]`: the group's last one before segment k, `after[k]`: its first one in k or later; both up to the number of segments. */
  before: (Row | null)[];
  after: (Row | null)[];
}

/** Events of a segment, where there are so many of each source. */
export const eventsASegment = ({ sources }: SeriesStream, ofSource: number): number =>
  ofSource * Math.max(2, sources.length);

/**
 * Segments that nothing has to be read for: cut where chunks begin, of a series whose values depend on their own events alone, and whose
 * times never go backward on a CPU.
 */
export function segmentsByTime(stream: SeriesStream, ofSource: number): Segment[] {
  const most = eventsASegment(stream, ofSource);
  const chunks = stream.sources.flatMap((source) =>
    source.chunks.map(({ fromNs }, chunk) => ({
      fromNs: fromNs + source.stream.offsetNs,
      n: source.eventsIn(chunk),
    })),
  );
  chunks.sort((a, b) => a.fromNs - b.fromNs);
  const segments: Segment[] = [];
  let [start, events] = [Number.NEGATIVE_INFINITY, 0];
  const cut = (endNs: number): void => {
    // A chunk's events may be in several segments: how many in each is not known.
    segments.push({ start, rows: Number.POSITIVE_INFINITY, endNs, events, minNs: start, maxNs: endNs });
    [start, events] = [endNs, 0];
  };
  for (const { fromNs, n } of chunks) {
    if (events >= most && fromNs > start) cut(fromNs);
    events += n;
  }
  if (events > 0) cut(Number.POSITIVE_INFINITY);
  return segments;
}
