import { type Area, type TimeScale, timeToX } from '../../shared/draw/ruler.ts';
import type { Surface } from '../../shared/draw/surface.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import type { EstimatedLane } from '../state/estimate.ts';
import type { Overview } from './overview-data.ts';

/** How what is not indexed yet is drawn: as density of the events that its bytes are about worth. */

/** A usual event with a few fields: 8 bytes of header, 8 common ones, its own. */
const BYTES_PER_EVENT = 40;
/** Paler than what is counted. */
const OPACITY = 0.55;

/** Events per px as bars over their buckets, on the logarithmic scale of a counted density. */
export function drawEstimate(surface: Surface, area: Area, scale: TimeScale, lane: EstimatedLane, theme: Theme): void {
  const { fromNs, bucketNs, bytes } = lane;
  const bucketPx = (bucketNs / (scale.toNs - scale.fromNs)) * scale.widthPx;
  const first = Math.max(0, Math.floor((scale.fromNs - fromNs) / bucketNs));
  const end = Math.min(bytes.length, Math.ceil((scale.toNs - fromNs) / bucketNs));
  const perPx = (index: number): number => bytes[index] / BYTES_PER_EVENT / Math.max(1, bucketPx);
  let most = 0;
  for (let index = first; index < end; index++) most = Math.max(most, perPx(index));
  if (most === 0) return;
  const unit = 1 / Math.log2(1 + most);
  let drawnTo = Math.round(scale.x);
  const right = Math.round(scale.x + scale.widthPx);
  for (let index = first; index < end; index++) {
    if (bytes[index] === 0) continue;
    const height = Math.max(2, area.height * Math.max(0.15, Math.log2(1 + perPx(index)) * unit));
    // On whole pixels: neighbours touch, and no seam or overlap shows through.
    const from = Math.max(drawnTo, Math.round(timeToX(scale, fromNs + index * bucketNs)));
    const to = Math.min(right, Math.max(from + 1, Math.round(timeToX(scale, fromNs + (index + 1) * bucketNs))));
    // The bucket lies in a px that is drawn already.
    if (timeToX(scale, fromNs + (index + 1) * bucketNs) <= drawnTo) continue;
    const fill = { fill: theme.density, fillOpacity: OPACITY };
    surface.rect(from, area.y + area.height - height, to - from, height, fill);
    drawnTo = to;
  }
}

const OVERVIEW_BUCKETS = 512;

/** All lanes together, for the strip of the whole recording. */
export function overviewOfEstimate(lanes: readonly EstimatedLane[], durationNs: number): Overview {
  const levels = new Float32Array(OVERVIEW_BUCKETS);
  const resolutionNs = durationNs / OVERVIEW_BUCKETS;
  for (const { fromNs, bucketNs, bytes } of lanes) {
    for (let index = 0; index < bytes.length; index++) {
      const at = Math.floor((fromNs + (index + 0.5) * bucketNs) / resolutionNs);
      if (at >= 0 && at < OVERVIEW_BUCKETS) levels[at] += bytes[index] / BYTES_PER_EVENT;
    }
  }
  const most = Math.log2(1 + levels.reduce((max, count) => Math.max(max, count), 0));
  return { fromNs: 0, resolutionNs, levels: levels.map((count) => (most > 0 ? Math.log2(1 + count) / most : 0)) };
}
