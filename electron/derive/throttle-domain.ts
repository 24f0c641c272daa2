import type { Episode } from '../../shared/model.ts';
import { type GlobalStateColumns, type ThrottleColumns, UNDERFLOW } from './throttle-columns.ts';

/**
 * Which limit made balance_dirty_pages() pause a task. The event does not say it, so this is a verdict on evidence; by values
 * and by which fields there are, never by a kernel version.
 *
 * The event is printed for one domain, the one with the lower pos_ratio: global or the cgroup's. Its setpoint is
 * (limit + freerun) / 2, where freerun = (thresh + background thresh) / 2 is that domain's own in all kernels, although `limit`
 * is the global one in those that call the fields bdi_…. So freerun = 2·setpoint − limit tells the domains apart.
 */
export type Domain = Episode['domain'];

/** `freerun` in pages: below it no task of the domain is paused, unless the device has a strict limit of its own. */
export function freerunOf(columns: ThrottleColumns, i: number): number {
  return columns.setpoint === undefined || columns.limit === undefined
    ? Number.NaN
    : 2 * columns.setpoint[i] - columns.limit[i];
}

/** Two page counts that were read a moment apart and are meant to be the same. */
const isClose = (a: number, b: number): boolean => Math.abs(a - b) <= Math.max(32, 0.03 * Math.max(a, b));
/** So much smaller that no rounding, race or changing threshold explains it. */
const isFarBelow = (a: number, b: number): boolean => a < 0.85 * b && b - a > 32;

/** Verdict on one event with a pause. `global` is the index of the task's global_dirty_state just before it, or -1. */
export function judgeDomain(
  columns: ThrottleColumns,
  i: number,
  inCgroup: boolean,
  states: GlobalStateColumns | undefined,
  global: number,
): Domain {
  const dirty = columns.dirty?.[i] ?? Number.NaN;
  if (dirty >= UNDERFLOW) return 'underflow';
  const freerun = freerunOf(columns, i);
  // Below its domain's freerun nobody is paused, except by the limit of the writeback context itself.
  if (isFarBelow(dirty, freerun)) return 'strictlimit';
  // Without a cgroup of its own there is no other domain than the global one.
  if (!inCgroup) return 'global';
  if (states !== undefined && global >= 0) return againstGlobalState(states, global, dirty, freerun);
  // The global background threshold is no less than 0 and the global limit no less than the threshold (but may lag behind
  // it), so a freerun well below half of the global limit is no global one.
  if (!columns.limitIsOwn && columns.limit !== undefined && freerun < 0.4 * columns.limit[i]) return 'memcg';
  return 'unknown';
}

function againstGlobalState(states: GlobalStateColumns, g: number, dirty: number, freerun: number): Domain {
  const globalFreerun = (states.dirtyThresh[g] + states.backgroundThresh[g]) / 2;
  const globalDirty = states.nrDirty[g] + states.nrWriteback[g] + (states.nrUnstable?.[g] ?? 0);
  if (!Number.isNaN(freerun)) {
    if (isFarBelow(freerun, globalFreerun)) return 'memcg';
    if (isClose(freerun, globalFreerun)) return isFarBelow(dirty, globalDirty) ? 'memcg' : 'global';
  }
  if (isFarBelow(dirty, globalDirty)) return 'memcg';
  return isClose(dirty, globalDirty) ? 'global' : 'unknown';
}

/** global_dirty_state comes from the same pass through balance_dirty_pages(), microseconds before. */
const SAME_PASS_NS = 20e6;

/**
 * Gives, for events asked for in time order, the same task's last global_dirty_state before each. The CPU is not compared:
 * a task may move between the two. One walk over the states for all events.
 */
export class GlobalStateCursor {
  private readonly states: GlobalStateColumns;
  private readonly latest: Map<number, number>;
  private next = 0;

  /** `pids`: the tasks that will be asked for. */
  constructor(states: GlobalStateColumns, pids: Iterable<number>) {
    this.states = states;
    this.latest = new Map([...pids].map((pid) => [pid, -1]));
  }

  /** Index of the state, or -1. */
  before(timeNs: number, pid: number): number {
    const times = this.states.timeNs;
    for (; this.next < times.length && times[this.next] <= timeNs; this.next++) {
      const owner = this.states.pid[this.next];
      if (this.latest.has(owner)) this.latest.set(owner, this.next);
    }
    const found = this.latest.get(pid) ?? -1;
    return found >= 0 && timeNs - times[found] <= SAME_PASS_NS ? found : -1;
  }
}
