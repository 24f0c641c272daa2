import type { OpenPreview } from '../../shared/api.ts';

/**
 * What recordings look like before they are indexed: the previews that the engine tells while it opens them, on one
 * time axis. Times are ns from `originNs`.
 */
export interface Estimate {
  /** Absolute time of the earliest sub-buffer. */
  originNs: string;
  durationNs: number;
  lanes: EstimatedLane[];
}

/** Where the events of one CPU are, by the bytes that they take. */
export interface EstimatedLane {
  /** Position among the streams seen so far, and the instance's name. */
  stream: number;
  streamName: string;
  cpu: number;
  fromNs: number;
  bucketNs: number;
  /** Bytes of event data per bucket. */
  bytes: Float64Array;
}

/** Adds the preview of one more recording. */
export function addPreview(estimate: Estimate | null, preview: OpenPreview): Estimate {
  const names = [...new Set(preview.lanes.map((lane) => lane.stream))];
  const streams = new Set(estimate?.lanes.map((lane) => lane.stream)).size;
  const added = preview.lanes.map((lane) => ({
    stream: streams + names.indexOf(lane.stream),
    streamName: lane.stream,
    cpu: lane.cpu,
    fromNs: 0,
    bucketNs: preview.durationNs / Math.max(1, lane.bytes.length),
    bytes: lane.bytes,
  }));
  const own: Estimate = { originNs: preview.originNs, durationNs: preview.durationNs, lanes: added };
  if (!estimate) return own;
  const originNs = BigInt(estimate.originNs) < BigInt(own.originNs) ? estimate.originNs : own.originNs;
  const parts = [moveOrigin(estimate, originNs), moveOrigin(own, originNs)];
  return {
    originNs,
    durationNs: Math.max(...parts.map((part) => part.durationNs)),
    lanes: parts.flatMap((part) => part.lanes),
  };
}

/** The same with its times counted from another origin. */
export function moveOrigin(estimate: Estimate, originNs: string): Estimate {
  const shiftNs = originShift(estimate.originNs, originNs);
  return {
    originNs,
    durationNs: estimate.durationNs + shiftNs,
    lanes: estimate.lanes.map((lane) => ({ ...lane, fromNs: lane.fromNs + shiftNs })),
  };
}

/** What to add to times counted from one origin to count them from another. */
export const originShift = (fromNs: string, toNs: string): number => Number(BigInt(fromNs) - BigInt(toNs));
