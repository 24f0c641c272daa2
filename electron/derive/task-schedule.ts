/**
 * When tasks ran, and when they waited for a CPU: from who ran on each CPU, from sched_switch and from sched_wakeup
 * (`include/trace/events/sched.h`). Pure functions over columns; times in ns on one axis for all CPUs.
 */
import type { RunSlices } from './schedule.ts';

/** One task's life on the CPUs. Columns are trimmed: index i is valid below their length. */
export interface TaskSchedule {
  running: TaskSlices;
  waiting: TaskWaits;
}

/** Ascending, not overlapping: the task was on CPU `cpu[i]` from `from[i]` to `to[i]`. */
export interface TaskSlices {
  from: Float64Array;
  to: Float64Array;
  cpu: Int32Array;
}

/** Ascending, not overlapping, never while it runs: it could have run, and had no CPU. */
export interface TaskWaits {
  from: Float64Array;
  to: Float64Array;
  /** Of the constants below. */
  kind: Int32Array;
}

/** Kinds of waits. Woken up and not yet running; switched out while it could have gone on. */
export const WAKEUP = 0;
export const PREEMPTED = 1;

/** What is known of a stream's CPUs, each column ascending in time. */
export interface ScheduleColumns {
  /** Who ran on each CPU that has switches. */
  cpus: readonly { cpu: number; slices: RunSlices }[];
  /** sched_switch of all CPUs. */
  switches: { n: number; time: Float64Array; prevPid: ArrayLike<number>; prevState: ArrayLike<number> };
  /** sched_wakeup and sched_wakeup_new of all CPUs: the task that is woken, not the one that wakes it. */
  wakeups: { n: number; time: Float64Array; pid: ArrayLike<number> };
  /** Gaps in the recording, on any CPU: what happened in them is not known. */
  lostNs: readonly number[];
  /** The last event of all: a wait that is not over lasts to here. */
  endNs: number;
}

/** Still runnable: state R, or R+ (preempted), which sets a bit above those of the states that sleep. */
const isRunnable = (prevState: number): boolean => (prevState & 0xff) === 0;

/** The schedules of the tasks asked for, in one pass over the columns; one that never appears has empty columns. */
export function taskSchedules(columns: ScheduleColumns, pids: Iterable<number>): Map<number, TaskSchedule> {
  const wanted = new Map<number, Gathered>();
  for (const pid of pids) wanted.set(pid, { slices: [], outs: [], wakeups: [] });
  // Most of what passes is of other tasks: one bit per pid (modulo 2^16) keeps it out of the map.
  const maybe = new Uint8Array(1 << 16);
  for (const pid of wanted.keys()) maybe[pid & 0xffff] = 1;
  const find = (pid: number): Gathered | undefined => (maybe[pid & 0xffff] === 1 ? wanted.get(pid) : undefined);
  for (const [lane, { slices }] of columns.cpus.entries()) {
    for (let i = 0; i < slices.n; i++) find(slices.pid[i] as number)?.slices.push(lane, i);
  }
  const { switches, wakeups } = columns;
  for (let i = 0; i < switches.n; i++) find(switches.prevPid[i] as number)?.outs.push(i);
  for (let i = 0; i < wakeups.n; i++) find(wakeups.pid[i] as number)?.wakeups.push(i);
  const schedules = new Map<number, TaskSchedule>();
  for (const [pid, gathered] of wanted) {
    const running = joinSlices(columns, gathered.slices);
    schedules.set(pid, { running, waiting: waitsOf(columns, running, gathered) });
  }
  return schedules;
}

/** Places of a task in the columns. */
interface Gathered {
  /** Pairs: index into `cpus`, index into its slices. */
  slices: number[];
  outs: number[];
  wakeups: number[];
}

/**
 * Slices of all CPUs in the order of time. A task cannot be on two CPUs at once: where the recording says so (clocks that
 * disagree, a guess behind a gap), the slice that begins later begins where the earlier one ends.
 */
function joinSlices({ cpus }: ScheduleColumns, pairs: readonly number[]): TaskSlices {
  const most = pairs.length / 2;
  const all = { from: new Float64Array(most), to: new Float64Array(most), cpu: new Int32Array(most) };
  for (let k = 0; k < most; k++) {
    const { cpu, slices } = cpus[pairs[2 * k] as number] as ScheduleColumns['cpus'][number];
    const i = pairs[2 * k + 1] as number;
    all.from[k] = slices.from[i] as number;
    all.to[k] = slices.to[i] as number;
    all.cpu[k] = cpu;
  }
  const order = Uint32Array.from({ length: most }, (_, k) => k);
  order.sort((a, b) => (all.from[a] as number) - (all.from[b] as number));
  const joined = { from: new Float64Array(most), to: new Float64Array(most), cpu: new Int32Array(most) };
  let n = 0;
  let free = Number.NEGATIVE_INFINITY;
  for (const k of order) {
    const from = Math.max(free, all.from[k] as number);
    const to = all.to[k] as number;
    if (to <= from) continue;
    joined.from[n] = from;
    joined.to[n] = to;
    joined.cpu[n] = all.cpu[k] as number;
    n++;
    free = to;
  }
  return { from: joined.from.slice(0, n), to: joined.to.slice(0, n), cpu: joined.cpu.slice(0, n) };
}

/**
 * Between two slices: a switch away from the task says whether it could have gone on, and the first wake-up since it slept
 * ends the sleep. A wait ends when it runs; at the first gap of the recording, since it may have run in there; at the end.
 */
function waitsOf(columns: ScheduleColumns, running: TaskSlices, { outs, wakeups }: Gathered): TaskWaits {
  const { switches, lostNs, endNs } = columns;
  const from: number[] = [];
  const to: number[] = [];
  const kind: number[] = [];
  let open: number | null = null;
  let lost = 0;
  const close = (at: number): void => {
    if (open === null) return;
    const since = from.at(-1) as number;
    while (lost < lostNs.length && (lostNs[lost] as number) <= since) lost++;
    const end = Math.min(at, lostNs[lost] ?? Number.POSITIVE_INFINITY);
    if (end > since) to.push(end);
    else {
      from.pop();
      kind.pop();
    }
    open = null;
  };
  const begin = (at: number, what: number): void => {
    from.push(at);
    kind.push(what);
    open = what;
  };
  let out = 0;
  let wakeup = 0;
  const timeOut = (): number => (out < outs.length ? (switches.time[outs[out] as number] as number) : Infinity);
  const timeWakeup = (): number =>
    wakeup < wakeups.length ? (columns.wakeups.time[wakeups[wakeup] as number] as number) : Infinity;
  const leave = (): void => {
    const at = timeOut();
    close(at);
    if (isRunnable(switches.prevState[outs[out] as number] as number)) begin(at, PREEMPTED);
    out++;
  };
  /**
   * What happens to the task while it is not on a CPU: from the end of a slice up to a time. A wake-up at the instant at
   * which it left comes after that, or it would not have slept. A switch away later on ends a run too short for the clock:
   * a wake-up at that instant came before if the task slept till then, for it could not have run, else after.
   */
  const passGap = (since: number, until: number): void => {
    if (timeOut() === since) leave();
    for (;;) {
      const [left, woken] = [timeOut(), timeWakeup()];
      if (left > until && woken > until) return;
      if (left < woken || (left === woken && open !== null)) leave();
      else {
        if (open === null) begin(woken, WAKEUP);
        wakeup++;
      }
    }
  };
  let ended = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < running.from.length; i++) {
    passGap(ended, running.from[i] as number);
    close(running.from[i] as number);
    ended = running.to[i] as number;
    // Woken while it runs: it meant to sleep and did not get there.
    while (timeOut() < ended) out++;
    while (timeWakeup() < ended) wakeup++;
  }
  passGap(ended, endNs);
  close(endNs);
  return { from: Float64Array.from(from), to: Float64Array.from(to), kind: Int32Array.from(kind) };
}

/** How long each task ran between two times, on all CPUs together, in ns; tasks that did not run have no entry. */
export function runTimes(cpus: ScheduleColumns['cpus'], fromNs: number, toNs: number): Map<number, number> {
  const ran = new Map<number, number>();
  for (const { slices } of cpus) {
    for (let i = 0; i < slices.n; i++) {
      const length = Math.min(slices.to[i] as number, toNs) - Math.max(slices.from[i] as number, fromNs);
      if (length > 0) ran.set(slices.pid[i] as number, (ran.get(slices.pid[i] as number) ?? 0) + length);
    }
  }
  return ran;
}
