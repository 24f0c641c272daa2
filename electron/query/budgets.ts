/**
 * How much memory an open workspace may keep for what it could read again. What is in use at the moment comes on top, so
 * this bounds what stays, not what is needed; a recording of any size opens with any budget, only slower.
 */
export interface MemoryBudgets {
  /** Decoded chunks of the index. */
  chunks: number;
  /** Columns of event types and their fields. */
  samples: number;
  /** Evaluated series with their levels. */
  series: number;
  /** Who ran when, per CPU. */
  slices: number;
  /** Schedules of the tasks that have lanes, and their lanes reduced to pixels. */
  tasks: number;
  /** Lanes reduced to pixels. */
  levels: number;
  /** Rows that filters let pass. */
  lists: number;
}

const DEFAULT_MIB = 1024;

/** Splits a total; REMORA_MEMORY_MIB sets it for all workspaces of a process. */
export function memoryBudgets(totalMiB = Number(process.env.REMORA_MEMORY_MIB ?? DEFAULT_MIB)): MemoryBudgets {
  const total = (Number.isFinite(totalMiB) && totalMiB > 0 ? totalMiB : DEFAULT_MIB) * 1024 * 1024;
  return {
    chunks: total * 0.2,
    samples: total * 0.23,
    series: total * 0.2,
    slices: total * 0.15,
    tasks: total * 0.07,
    levels: total * 0.05,
    lists: total * 0.1,
  };
}
