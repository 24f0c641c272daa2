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
  const { n, prevPid, nextPid } = switches;
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
  const run = new ScheduleRun(startNs, lostNs, (pid, from, to) => {
    slices.from[slices.n] = from;
    slices.to[slices.n] = to;
    slices.pid[slices.n] = pid;
    slices.n++;
  });
  run.take(switches);
  run.end(endNs);
  return slices;
}

/** The same, of switches that come piece by piece; slices go to `add` in order. */
export class ScheduleRun {
  readonly #lostNs: readonly number[];
  readonly #add: (pid: number, from: number, to: number) => void;
  #since: number;
  #running = 0;
  #known = true;
  #lost = 0;
  #any = false;

  constructor(startNs: number, lostNs: readonly number[], add: (pid: number, from: number, to: number) => void) {
    this.#since = startNs;
    this.#lostNs = lostNs;
    this.#add = add;
  }

  #slice(pid: number, from: number, to: number): void {
    if (pid !== 0 && to > from) this.#add(pid, from, to);
  }

  take({ n, time, prevPid, nextPid }: SwitchColumns): void {
    const lostNs = this.#lostNs;
    if (n > 0 && !this.#any) this.#running = prevPid[0] as number;
    this.#any ||= n > 0;
    for (let i = 0; i < n; i++) {
      const at = time[i] as number;
      while (this.#lost < lostNs.length && (lostNs[this.#lost] as number) <= at) {
        const gap = lostNs[this.#lost++] as number;
        if (this.#known) this.#slice(this.#running, this.#since, gap);
        this.#since = Math.max(this.#since, gap);
        this.#known = false;
      }
      const left = prevPid[i] as number;
      if (this.#known && left === this.#running) this.#slice(left, this.#since, at);
      else if (!this.#known) this.#slice(left, this.#since, at);
      else {
        // A switch is missing without a recorded loss: the task known to run ended somewhere, the other began somewhere.
        const middle = Math.floor(this.#since + (at - this.#since) / 2);
        this.#slice(this.#running, this.#since, middle);
        this.#slice(left, middle, at);
      }
      this.#running = nextPid[i] as number;
      this.#since = at;
      this.#known = true;
    }
  }

  end(endNs: number): void {
    const lostNs = this.#lostNs;
    while (this.#known && this.#lost < lostNs.length) {
      const gap = lostNs[this.#lost++] as number;
      if (gap <= this.#since) continue;
      this.#slice(this.#running, this.#since, gap);
      this.#known = false;
    }
    if (this.#known && this.#any) this.#slice(this.#running, this.#since, endNs);
  }
}
