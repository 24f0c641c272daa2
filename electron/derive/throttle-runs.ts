import { isPause, type ThrottleColumns } from './throttle-columns.ts';

/**
 * Which events belong together: runs of one task on one (bdi, cgroup), each event within a gap of the end (time + pause) of
 * the one before it. Runs without a pause are dropped; what is left becomes episodes.
 */
export interface Runs {
  /** Run of each event, -1 where it is in none. An event outside its run's first … last pause is in none either. */
  of: Int32Array;
  count: number;
  /** Per run: its first and last event with a pause. In order of the first. */
  first: Int32Array;
  last: Int32Array;
}

/**
 * A dirtier that thinks longer than a second between two checks is, to the kernel, no longer the same one: balance_dirty_pages()
 * then forgets its account (`if (pause < -HZ) current->dirty_paused_when = now`), and below a second it makes up for the time
 * lost, because file systems are known to hold a dirtier up for 800 ms. So a second ends an episode.
 */
export const DEFAULT_GAP_MS = 1000;

export function findRuns(columns: ThrottleColumns, gapMs: number): Runs {
  const { timeNs, pid, bdi, cgroup, pause } = columns;
  const n = timeNs.length;
  const gapNs = gapMs * 1e6;
  const bdis = Math.max(bdi.names.length, 1);
  const cgroups = Math.max(cgroup?.names.length ?? 1, 1);

  // One slot per (task, bdi, cgroup): the end of its last event and its open run. pid and the two indices are small: their
  // combination is exact in a Float64.
  const slotOf = new Map<number, number>();
  const endNs: number[] = [];
  const open: number[] = [];
  const runOf = new Int32Array(n);
  const first: number[] = [];
  const last: number[] = [];
  let key = Number.NaN;
  let slot = -1;
  for (let i = 0; i < n; i++) {
    const ownKey = (pid[i] * bdis + bdi.index[i]) * cgroups + (cgroup?.index[i] ?? 0);
    if (ownKey !== key) {
      key = ownKey;
      const known = slotOf.get(key);
      slot = known ?? slotOf.size;
      if (known === undefined) {
        slotOf.set(key, slot);
        endNs.push(Number.NEGATIVE_INFINITY);
        open.push(-1);
      }
    }
    if (timeNs[i] - endNs[slot] > gapNs) {
      open[slot] = first.length;
      first.push(-1);
      last.push(-1);
    }
    const run = open[slot];
    runOf[i] = run;
    const paused = isPause(pause[i]);
    if (paused) {
      if (first[run] < 0) first[run] = i;
      last[run] = i;
    }
    // A longer sleep may still go on when an event without one comes: a NOWAIT write does not wait for it.
    endNs[slot] = Math.max(endNs[slot], timeNs[i] + (paused ? pause[i] * 1e6 : 0));
  }

  return withPauses(runOf, first, last);
}

/** Renumbers the runs that have a pause by their first one, and takes the events outside out of all of them. */
function withPauses(runOf: Int32Array, first: number[], last: number[]): Runs {
  const kept = first.flatMap((at, run) => (at < 0 ? [] : [run])).sort((a, b) => first[a] - first[b]);
  const numberOf = new Int32Array(first.length).fill(-1);
  kept.forEach((run, number) => {
    numberOf[run] = number;
  });
  for (let i = 0; i < runOf.length; i++) {
    const run = runOf[i];
    runOf[i] = i >= first[run] && i <= last[run] ? numberOf[run] : -1;
  }
  return {
    of: runOf,
    count: kept.length,
    first: Int32Array.from(kept, (run) => first[run]),
    last: Int32Array.from(kept, (run) => last[run]),
  };
}
