/**
 * When tasks left a CPU and came back, from `sched:sched_switch`: whether a pause that balance_dirty_pages() asked for was
 * slept.
 */

/** Switches of one task, ascending. */
export interface TaskSwitches {
  /** When it was switched out, in ns, and the prev_state it had then. */
  outNs: Float64Array;
  outState: Float64Array;
  /** When it was switched in. */
  inNs: Float64Array;
}

export interface SwitchIndex {
  byPid: Map<number, TaskSwitches>;
  /** Time of the last switch of all: what happened later is not known. */
  endNs: number;
}

/** Columns of sched_switch, all CPUs merged in time order. */
export interface SwitchColumns {
  timeNs: Float64Array;
  prevPid: ArrayLike<number>;
  prevState: ArrayLike<number>;
  nextPid: ArrayLike<number>;
}

/** Gathers the switches of the tasks asked for; a task that never appears has no entry. */
export function indexSwitches(switches: SwitchColumns, pids: Iterable<number>): SwitchIndex {
  const { timeNs, prevPid, prevState, nextPid } = switches;
  const counts = new Map<number, { out: number; in: number }>();
  for (const pid of pids) counts.set(pid, { out: 0, in: 0 });
  // Most switches are of other tasks: one bit per pid (modulo 2^16) keeps them out of the map.
  const maybe = new Uint8Array(1 << 16);
  for (const pid of counts.keys()) maybe[pid & 0xffff] = 1;
  const each = (visit: (pid: number, i: number, isOut: boolean) => void): void => {
    for (let i = 0; i < timeNs.length; i++) {
      const [prev, next] = [prevPid[i], nextPid[i]];
      if (maybe[prev & 0xffff] === 1) visit(prev, i, true);
      if (maybe[next & 0xffff] === 1) visit(next, i, false);
    }
  };
  each((pid, _, isOut) => {
    const count = counts.get(pid);
    if (count === undefined) return;
    if (isOut) count.out++;
    else count.in++;
  });
  const byPid = new Map<number, TaskSwitches>();
  for (const [pid, count] of counts) {
    if (count.out + count.in === 0) continue;
    byPid.set(pid, {
      outNs: new Float64Array(count.out),
      outState: new Float64Array(count.out),
      inNs: new Float64Array(count.in),
    });
    count.out = 0;
    count.in = 0;
  }
  each((pid, i, isOut) => {
    const task = byPid.get(pid);
    const count = counts.get(pid);
    if (task === undefined || count === undefined) return;
    if (isOut) {
      task.outState[count.out] = prevState[i];
      task.outNs[count.out++] = timeNs[i];
    } else task.inNs[count.in++] = timeNs[i];
  });
  return { byPid, endNs: timeNs.length === 0 ? Number.NEGATIVE_INFINITY : timeNs[timeNs.length - 1] };
}

/** From the event to schedule() there are a few µs of kernel code, unless interrupts or the hypervisor get between. */
const PROMPT_NS = 10e6;

/**
 * How long, in ms, the task slept for the pause of an event at `atNs`; 0 where it went on without sleeping (a NOWAIT write);
 * null where that cannot be told: it was killed, or the switches do not reach that far. `untilNs` is the task's next event of this kind: a
 * later sleep belongs to that one.
 *
 * The pause is io_schedule_timeout() in TASK_KILLABLE: the first switch after the event that is no preemption, in state D
 * (bit 2 of prev_state in all kernels; 1 is S). It ends when the task runs again, so waiting for a CPU is part of it.
 */
export function sleepAfter(
  task: TaskSwitches,
  atNs: number,
  pauseMs: number,
  untilNs: number,
  endNs: number,
): number | null {
  for (let out = firstAtOrAfter(task.outNs, atNs); out < task.outNs.length; out++) {
    const fromNs = task.outNs[out];
    if (fromNs >= untilNs) return 0;
    const state = task.outState[out];
    if ((state & 0xff) === 0) continue; // preempted: R, or R+ in a higher bit
    if ((state & 0x30) !== 0) return null; // Z or X: killed, which says nothing about how it writes
    if ((state & 2) === 0) return 0;
    const back = firstAtOrAfter(task.inNs, fromNs);
    const toNs = back < task.inNs.length ? task.inNs[back] : Math.max(fromNs, Math.min(endNs, fromNs + pauseMs * 1e6));
    const sleptMs = (toNs - fromNs) / 1e6;
    // A sleep that starts late may be another one, on a lock or on I/O, unless it lasted like the pause.
    return fromNs - atNs <= PROMPT_NS || sleptMs >= pauseMs / 2 ? sleptMs : 0;
  }
  // No switch up to the end: it went on running, as far as the recording reaches.
  return untilNs <= endNs || endNs - atNs > PROMPT_NS + pauseMs * 1e6 ? 0 : null;
}

function firstAtOrAfter(times: Float64Array, at: number): number {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle] < at) low = middle + 1;
    else high = middle;
  }
  return low;
}
