import type { BinnedSamples, Progress } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { binSamples, joinBins } from './bins.ts';
import { Samples } from './samples.ts';
import { MOST_GROUPS, SeriesQueries } from './series.ts';
import { countInChunk, lowerBound, type Trace, upperBound } from './trace.ts';

/** Samples that are evaluated between two turns of the event loop, about. */
const SAMPLES_A_PIECE = 500_000;

/** Bins of a series, by group, and where it was out of range. */
export interface SeriesBins {
  unit: string;
  /** At most `MOST_GROUPS`, in order of first appearance. */
  groups: GroupBins[];
  moreGroups: number;
  bytes: number;
}

export interface GroupBins {
  label: string;
  key: string;
  bins: BinnedSamples;
  /** Times of values that are left out, ascending. */
  outliers: Float64Array;
}

/**
 * Bins of `binNs` from `fromNs` on, made piece by piece, so that memory is a piece's and not the window's; samples at `toNs` are part of
 * it. The same as from all samples at once, for values that do not depend on the one before. See SharedWork for `nextTurn`.
 */
export async function binsInPieces(
  trace: Trace,
  type: number,
  spec: SeriesSpec,
  { fromNs, toNs, binNs }: { fromNs: number; toNs: number; binNs: number },
  nextTurn: () => Promise<void>,
  onProgress: (progress: Progress) => void,
): Promise<SeriesBins> {
  const groups = new Map<string, { label: string; key: string; parts: BinnedSamples[]; outliers: number[] }>();
  let unit = '';
  const pieces = piecesOf(trace, type, fromNs, toNs, binNs);
  const total = pieces.reduce((sum, { samples }) => sum + samples, 0);
  let done = 0;
  for (const [i, { from, to, samples }] of pieces.entries()) {
    const part = partOf(trace, from, to);
    const series = new SeriesQueries(part, new Samples(part), Number.POSITIVE_INFINITY).evaluated(spec);
    ({ unit } = series);
    const last = i === pieces.length - 1;
    for (const { label, key, ...group } of series.groups) {
      const first = lowerBound(group.time, from);
      const end = last ? upperBound(group.time, to, first) : lowerBound(group.time, to, first);
      if (first === end) continue;
      let known = groups.get(key);
      if (known === undefined) {
        known = { label, key, parts: [], outliers: [] };
        groups.set(key, known);
      }
      known.parts.push(binSamples(group, first, end, fromNs, binNs));
      for (const at of group.outliers) if (at >= first && at < end) known.outliers.push(group.time[at] as number);
    }
    done += samples;
    onProgress({ stage: 'Reading', unit: 'events', done, total });
    await nextTurn();
  }
  const chosen = [...groups.values()].slice(0, MOST_GROUPS).map(
    ({ label, key, parts, outliers }): GroupBins => ({
      label,
      key,
      bins: joinBins(parts),
      outliers: Float64Array.from(outliers),
    }),
  );
  const bytes = chosen.reduce((sum, { bins }) => sum + bins.tNs.length * BIN_BYTES, 0);
  return { unit, groups: chosen, moreGroups: groups.size - chosen.length, bytes };
}

const BIN_BYTES = 44;

/** A window cut at bins' edges into pieces of about as many samples each, ascending; the last ends with the window. */
function piecesOf(
  trace: Trace,
  type: number,
  fromNs: number,
  toNs: number,
  binNs: number,
): { from: number; to: number; samples: number }[] {
  const chunks = trace.streams
    .flatMap(({ cpus, recording, offsetNs }) =>
      cpus.flatMap((cpu) =>
        cpu.chunks.map((info) => ({
          startNs: info.fromNs + offsetNs,
          endNs: info.toNs + offsetNs,
          n: recording.typeOfId.reduce((sum, each, id) => sum + (each === type ? countInChunk(info, id) : 0), 0),
        })),
      ),
    )
    .filter(({ startNs, endNs, n }) => n > 0 && endNs >= fromNs && startNs <= toNs)
    .sort((a, b) => a.startNs - b.startNs);
  const pieces: { from: number; to: number; samples: number }[] = [];
  let from = fromNs;
  let samples = 0;
  for (const { startNs, n } of chunks) {
    const edge = fromNs + Math.ceil((startNs - fromNs) / binNs) * binNs;
    if (samples >= SAMPLES_A_PIECE && edge > from && edge < toNs) {
      pieces.push({ from, to: edge, samples });
      from = edge;
      samples = 0;
    }
    samples += n;
  }
  pieces.push({ from, to: toNs, samples });
  return pieces;
}

/** The trace with those chunks alone that have something in a window. */
function partOf(trace: Trace, fromNs: number, toNs: number): Trace {
  const streams = trace.streams.map((stream) => ({
    ...stream,
    cpus: stream.cpus.map((cpu) => ({
      ...cpu,
      chunks: cpu.chunks.filter(
        (info) => info.toNs + stream.offsetNs >= fromNs && info.fromNs + stream.offsetNs <= toNs,
      ),
    })),
  }));
  return { ...trace, streams };
}
