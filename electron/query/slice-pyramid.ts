import type { LaneSlices } from '../../shared/api.ts';
import { lowerBound, upperBound } from './trace.ts';

/**
 * Slices of a lane reduced to several resolutions in one pass, for lanes with more slices than memory should hold: what
 * `reduceSlices` gives for all of them, at each level. Levels are powers of two, so that a bucket lies within one of the next
 * coarser level, and each level hands what it has put together on to the next: a slice costs once, a bucket once per level.
 */
export class SlicePyramid {
  /** Finest first. */
  readonly #levels: SliceLevel[] = [];

  /** `finestNs`: a power of two; `levels`: how many, each twice as coarse as the one before. */
  constructor(finestNs: number, levels: number) {
    let next: SliceLevel | null = null;
    for (let k = levels - 1; k >= 0; k--) {
      next = new SliceLevel(finestNs * 2 ** k, next);
      this.#levels.unshift(next);
    }
  }

  /** Slices ascending in time, not overlapping. */
  add(from: number, to: number, pid: number): void {
    this.#levels[0]?.add(from, to, pid);
  }

  /** Nothing follows. */
  end(): void {
    for (const level of this.#levels) level.flush();
  }

  /** Whether a resolution is one of the levels'. */
  has(resolutionNs: number): boolean {
    return this.#levels.some((level) => level.resolutionNs === resolutionNs);
  }

  /** Slices that touch `[from, to)`, at the level nearest to a resolution. Copies. */
  window(from: number, to: number, resolutionNs: number): LaneSlices {
    const finest = this.#levels[0]?.resolutionNs ?? 1;
    const wanted = Math.round(Math.log2(resolutionNs / finest));
    const level = this.#levels[Math.max(0, Math.min(this.#levels.length - 1, wanted))] as SliceLevel;
    return level.window(from, to);
  }
}

class SliceLevel {
  readonly resolutionNs: number;
  readonly #next: SliceLevel | null;
  n = 0;
  #from = new Float64Array(256);
  #to = new Float64Array(256);
  #pid = new Int32Array(256);
  #merged = new Uint8Array(256);
  #busy = new Float32Array(256);
  // The open bucket: tasks seen in it and how long each ran.
  #bucket = Number.NaN;
  #members = 0;
  #start = 0;
  #end = 0;
  #ranInAll = 0;
  #pids: number[] = [];
  #ran: number[] = [];

  constructor(resolutionNs: number, next: SliceLevel | null) {
    this.resolutionNs = resolutionNs;
    this.#next = next;
  }

  add(from: number, to: number, pid: number): void {
    const length = to - from;
    if (length >= this.resolutionNs) {
      this.flush();
      this.#bucket = Number.NaN;
      this.#push(from, to, pid, 0, 1);
      this.#next?.add(from, to, pid);
      return;
    }
    this.#open(from);
    this.#count(pid, length);
    this.#members++;
    this.#ranInAll += length;
    this.#end = to;
  }

  /** What a finer level has put together: all shorter than its buckets, and in one of ours. */
  join(start: number, end: number, members: number, ranInAll: number, pids: readonly number[], ran: readonly number[]) {
    this.#open(start);
    for (let k = 0; k < pids.length; k++) this.#count(pids[k] as number, ran[k] as number);
    this.#members += members;
    this.#ranInAll += ranInAll;
    this.#end = end;
  }

  #open(from: number): void {
    const bucket = Math.floor(from / this.resolutionNs);
    if (bucket === this.#bucket) return;
    this.flush();
    this.#bucket = bucket;
    this.#start = from;
  }

  #count(pid: number, length: number): void {
    const known = this.#pids.indexOf(pid);
    if (known >= 0) this.#ran[known] = (this.#ran[known] as number) + length;
    else {
      this.#pids.push(pid);
      this.#ran.push(length);
    }
  }

  flush(): void {
    if (this.#members === 0) return;
    const [pids, ran] = [this.#pids, this.#ran];
    let longest = 0;
    for (let k = 1; k < pids.length; k++) if ((ran[k] as number) > (ran[longest] as number)) longest = k;
    const busy = this.#ranInAll / (this.#end - this.#start);
    this.#push(this.#start, this.#end, pids[longest] as number, this.#members > 1 ? 1 : 0, busy);
    this.#next?.join(this.#start, this.#end, this.#members, this.#ranInAll, pids, ran);
    this.#members = 0;
    this.#ranInAll = 0;
    pids.length = 0;
    ran.length = 0;
  }

  #push(from: number, to: number, pid: number, merged: number, busy: number): void {
    if (this.n === this.#from.length) this.#grow();
    this.#from[this.n] = from;
    this.#to[this.n] = to;
    this.#pid[this.n] = pid;
    this.#merged[this.n] = merged;
    this.#busy[this.n] = busy;
    this.n++;
  }

  #grow(): void {
    const size = this.n * 2;
    const wider = <T extends Float64Array | Int32Array | Uint8Array | Float32Array>(column: T, into: T): T => {
      into.set(column);
      return into;
    };
    this.#from = wider(this.#from, new Float64Array(size));
    this.#to = wider(this.#to, new Float64Array(size));
    this.#pid = wider(this.#pid, new Int32Array(size));
    this.#merged = wider(this.#merged, new Uint8Array(size));
    this.#busy = wider(this.#busy, new Float32Array(size));
  }

  window(from: number, to: number): LaneSlices {
    const first = upperBound(this.#to, from, 0, this.n);
    const end = lowerBound(this.#from, to, first, this.n);
    return {
      fromNs: this.#from.slice(first, end),
      toNs: this.#to.slice(first, end),
      pid: this.#pid.slice(first, end),
      merged: this.#merged.slice(first, end),
      busy: this.#busy.slice(first, end),
    };
  }
}
