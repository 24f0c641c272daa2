/**
 * Who ran when on one CPU: slices between sched_switch events (`include/trace/events/sched.h`). Pure functions over
 * columns; times in ns, any origin.
 */
export interface RunSlices {
  n: number;
  /** Ascending, not overlapping. */
  from: Float64Array;
  to: Float64Array;
  pid: Int32Array;
}

/** Columns of one CPU's sched_switch events, ascending in time. */
export interface SwitchColumns {
  n: number;
  time: Float64Array;
  prevPid: ArrayLike<number>;
  nextPid: ArrayLike<number>;
}

/**
 * Slices of every task but idle (pid 0). Before the first switch its prev_pid ran from `startNs`, the CPU's first
 * event; after the last one its next_pid runs to `endNs`, the CPU's last. `lostNs` (ascending) are gaps in the recording:
 * a slice ends there, and the task that the next switch names is taken to have run since. Where a switch is missing
 * without a recorded gap (`prev_pid` is not the task that was running), the change is put half-way.
 */
export function runSlices(
  switches: SwitchColumns,
  startNs: number,
  endNs: number,
  lostNs: readonly number[] = [],
): RunSlices {
  const { n, time, prevPid, nextPid } = switches;
  let missing = 0;
  for (let i = 1; i < n; i++) if (prevPid[i] !== nextPid[i - 1]) missing++;
  // A missing switch makes one slice more.
  const most = n + 1 + missing + lostNs.length;
  const slices: RunSlices = {
    n: 0,
    from: new Float64Array(most),
    to: new Float64Array(most),
    pid: new Int32Array(most),
  };
  const add = (pid: number, from: number, to: number): void => {
    if (pid === 0 || to <= from) return;
    slices.from[slices.n] = from;
    slices.to[slices.n] = to;
    slices.pid[slices.n] = pid;
    slices.n++;
  };
  let running = n > 0 ? (prevPid[0] as number) : 0;
  let since = startNs;
  let known = true;
  let lost = 0;
  for (let i = 0; i < n; i++) {
    const at = time[i] as number;
    while (lost < lostNs.length && (lostNs[lost] as number) <= at) {
      const gap = lostNs[lost++] as number;
      if (known) add(running, since, gap);
      since = Math.max(since, gap);
      known = false;
    }
    const left = prevPid[i] as number;
    if (known && left === running) add(running, since, at);
    else if (!known) add(left, since, at);
    else {
      // A switch is missing without a recorded loss: the task known to run ended somewhere, the other began somewhere.
      const middle = since + (at - since) / 2;
      add(running, since, Math.floor(middle));
      add(left, Math.floor(middle), at);
    }
    running = nextPid[i] as number;
    since = at;
    known = true;
  }
  while (known && lost < lostNs.length) {
    const gap = lostNs[lost++] as number;
    if (gap <= since) continue;
    add(running, since, gap);
    known = false;
  }
  if (known && n > 0) add(running, since, endNs);
  return slices;
}
