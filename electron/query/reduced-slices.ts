import type { LaneSlices } from '../../shared/api.ts';
import type { RunSlices } from '../derive/schedule.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import { isLevel } from './levels.ts';
import { lowerBound, upperBound } from './trace.ts';

/** With fewer slices in a window than this, reducing them takes about a millisecond. */
const FEW_SLICES = 50_000;

/** Slices of lanes for drawing: those of a lane that has many are reduced once per resolution, and kept up to a budget. */
export class ReducedSlices {
  readonly #levels: ByteBudgetCache<string, LaneSlices>;

  constructor(budgetBytes: number) {
    this.#levels = new ByteBudgetCache(budgetBytes, ({ pid }) => pid.length * 25);
  }

  /** `lane` is the name that `all` is known by. */
  window(lane: string, all: RunSlices, from: number, to: number, resolutionNs: number): LaneSlices {
    const inWindow = lowerBound(all.from, to, 0, all.n) - upperBound(all.to, from, 0, all.n);
    if (inWindow < FEW_SLICES || !isLevel(resolutionNs)) return reduceSlices(all, from, to, resolutionNs);
    const level = this.#levels.get(`${lane} ${resolutionNs}`, () =>
      reduceSlices(all, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY, resolutionNs),
    );
    const first = upperBound(level.toNs, from);
    const end = lowerBound(level.fromNs, to, first);
    return {
      fromNs: level.fromNs.slice(first, end),
      toNs: level.toNs.slice(first, end),
      pid: level.pid.slice(first, end),
      merged: level.merged.slice(first, end),
      busy: level.busy.slice(first, end),
    };
  }
}

/**
 * Slices of a window for drawing: those as long as a bucket stay themselves; shorter ones that share a bucket become one
 * entry with the task that ran longest. At most two entries a bucket, whatever the number of slices.
 */
export function reduceSlices(all: RunSlices, from: number, to: number, resolutionNs: number): LaneSlices {
  const first = upperBound(all.to, from, 0, all.n);
  const last = lowerBound(all.from, to, 0, all.n);
  const most = Math.max(0, last - first);
  const out = {
    fromNs: new Float64Array(most),
    toNs: new Float64Array(most),
    pid: new Int32Array(most),
    merged: new Uint8Array(most),
    busy: new Float32Array(most),
  };
  let n = 0;
  // The open bucket: tasks seen in it and how long each ran.
  let bucket = Number.NaN;
  let members = 0;
  let start = 0;
  let end = 0;
  let busy = 0;
  const pids: number[] = [];
  const ran: number[] = [];
  const flush = (): void => {
    if (members === 0) return;
    let longest = 0;
    for (let k = 1; k < pids.length; k++) if ((ran[k] as number) > (ran[longest] as number)) longest = k;
    out.fromNs[n] = start;
    out.toNs[n] = end;
    out.pid[n] = pids[longest] as number;
    out.merged[n] = members > 1 ? 1 : 0;
    out.busy[n] = busy / (end - start);
    n++;
    members = 0;
    pids.length = 0;
    ran.length = 0;
    busy = 0;
  };
  for (let i = first; i < last; i++) {
    const a = all.from[i] as number;
    const b = all.to[i] as number;
    const length = b - a;
    if (length >= resolutionNs) {
      flush();
      bucket = Number.NaN;
      out.fromNs[n] = a;
      out.toNs[n] = b;
      out.pid[n] = all.pid[i] as number;
      out.busy[n] = 1;
      n++;
      continue;
    }
    const mine = Math.floor(a / resolutionNs);
    if (mine !== bucket) {
      flush();
      bucket = mine;
      start = a;
    }
    const pid = all.pid[i] as number;
    const known = pids.indexOf(pid);
    if (known >= 0) ran[known] = (ran[known] as number) + length;
    else {
      pids.push(pid);
      ran.push(length);
    }
    members++;
    busy += length;
    end = b;
  }
  flush();
  return {
    fromNs: out.fromNs.slice(0, n),
    toNs: out.toNs.slice(0, n),
    pid: out.pid.slice(0, n),
    merged: out.merged.slice(0, n),
    busy: out.busy.slice(0, n),
  };
}
