/**
 * What the throttle derivation reads: columns of `writeback:balance_dirty_pages` (include/trace/events/writeback.h,
 * mm/page-writeback.c), one stream's events of all CPUs merged in time order. All columns have the length of `timeNs`; they
 * are borrowed and not written to. A column is absent where the kernel's format has no such field. 64-bit values come
 * as Float64, so a counter just below 2^64 reads 18446744073709552000.
 */
export interface ThrottleColumns {
  /** ns on the workspace axis, ascending. */
  timeNs: Float64Array;
  cpu: ArrayLike<number>;
  /** common_pid: the task that dirties. */
  pid: ArrayLike<number>;
  bdi: NamedColumn;
  /** cgroup_ino as decimal text, or the path where the field is a string (4.4); absent: no such field (3.x). */
  cgroup?: NamedColumn;
  /** Pages. */
  limit?: Float64Array;
  setpoint?: Float64Array;
  dirty?: Float64Array;
  /** wb_setpoint and wb_dirty, or bdi_setpoint and bdi_dirty. */
  wbSetpoint?: Float64Array;
  wbDirty?: Float64Array;
  /** True where the fields are called wb_…: then limit and setpoint are those of the domain that throttles. */
  limitIsOwn: boolean;
  /** KiB/s. */
  dirtyRatelimit?: Float64Array;
  taskRatelimit?: Float64Array;
  /** ms; `pause` is signed. */
  pause: Float64Array;
  think?: Float64Array;
}

/** A column of few different strings: `names[index[i]]` is the value of event i. */
export interface NamedColumn {
  index: ArrayLike<number>;
  names: readonly string[];
}

/** Columns of `writeback:global_dirty_state`, in time order; pages. */
export interface GlobalStateColumns {
  timeNs: Float64Array;
  cpu: ArrayLike<number>;
  pid: ArrayLike<number>;
  nrDirty: Float64Array;
  nrWriteback: Float64Array;
  /** Only before 5.8. */
  nrUnstable?: Float64Array;
  backgroundThresh: Float64Array;
  dirtyThresh: Float64Array;
}

/** A numeric column as a NamedColumn of decimal texts: inode numbers, which are few. */
export function nameNumbers(values: ArrayLike<number>): NamedColumn {
  const index = new Uint32Array(values.length);
  const names: string[] = [];
  const known = new Map<number, number>();
  let last = Number.NaN;
  let lastIndex = 0;
  for (let i = 0; i < values.length; i++) {
    const value = values[i];
    if (value !== last) {
      last = value;
      const found = known.get(value);
      lastIndex = found ?? names.length;
      if (found === undefined) {
        known.set(value, lastIndex);
        names.push(Number.isInteger(value) ? BigInt(value).toString() : String(value));
      }
    }
    index[i] = lastIndex;
  }
  return { index, names };
}

/**
 * The kernel asks for at most MAX_PAUSE = 200 ms (mm/page-writeback.c). Fifty times that is a broken calculation (3.3-rc1
 * had 4294824915 ms, jiffies that wrapped around), not a pause.
 */
export const LONGEST_POSSIBLE_PAUSE_MS = 10_000;

/** Counters of pages are unsigned: beyond this they went below zero. */
export const UNDERFLOW = 2 ** 63;

/** True for a pause that a task was asked to make. */
export const isPause = (pauseMs: number): boolean => pauseMs > 0 && pauseMs <= LONGEST_POSSIBLE_PAUSE_MS;

/** True for a duration in ms, of either sign, that no kernel can have meant: farther from 0 than 2^31. */
export const isImpossible = (ms: number): boolean => Math.abs(ms) >= 2 ** 31;
