/**
 * Reads the text that `trace-cmd report` prints, for counts that are independent of Remora's parser. Only what tests
 * count with: one line per event, `k=v` fields. Lines of multi-line events and of lost events are no events.
 *
 *             bash-188   [001] .....    55.008142: sched_process_fork:   comm=bash pid=188 child_comm=bash child_pid=189
 */
export interface ReportEvent {
  comm: string;
  pid: number;
  cpu: number;
  /** `seconds.microseconds` as printed, rounded by trace-cmd. */
  time: string;
  name: string;
  /** The event's own text. */
  info: string;
}

const LINE = /^\s*(.*?)-(\d+)\s+\[(\d+)\]\s+\S+\s+(\d+\.\d+):\s+(\S+):\s*(.*)$/;

export function reportEvents(text: string): ReportEvent[] {
  const events: ReportEvent[] = [];
  for (const line of text.split('\n')) {
    const match = LINE.exec(line);
    if (match === null) continue;
    const [, comm, pid, cpu, time, name, info] = match as unknown as [
      string,
      string,
      string,
      string,
      string,
      string,
      string,
    ];
    events.push({ comm, pid: Number(pid), cpu: Number(cpu), time, name, info });
  }
  return events;
}

/** The `name=value` pairs of an event's text, values as printed. */
export function pairs(info: string): Map<string, string> {
  return new Map([...info.matchAll(/(\w+)=(\S+)/g)].map((match) => [match[1] as string, match[2] as string]));
}

/** `bdi 8:0: limit=…`: a device's name has a colon of its own; the text ends with the last one before the pairs. */
export function bdiOf(info: string): string {
  return /^bdi (.*?): \w+=/.exec(info)?.[1] ?? '';
}

export interface PauseCount {
  /** Events with pause > 0. */
  pauses: number;
  pauseMs: number;
  /** Distinct threads among them. */
  tasks: number;
  maxPauseMs: number;
}

/** What throttling each cgroup (by inode number, as text) suffered, from the text alone. */
export function pausesByCgroup(text: string): Map<string, PauseCount> {
  const threads = new Map<string, Set<number>>();
  const counts = new Map<string, PauseCount>();
  for (const { name, info, pid } of reportEvents(text)) {
    if (name !== 'balance_dirty_pages') continue;
    const fields = pairs(info);
    const pause = Number(fields.get('pause'));
    if (!(pause > 0)) continue;
    const cgroup = fields.get('cgroup_ino') ?? '';
    const count = counts.get(cgroup) ?? { pauses: 0, pauseMs: 0, tasks: 0, maxPauseMs: 0 };
    const seen = threads.get(cgroup) ?? new Set();
    threads.set(cgroup, seen.add(pid));
    counts.set(cgroup, {
      pauses: count.pauses + 1,
      pauseMs: count.pauseMs + pause,
      tasks: seen.size,
      maxPauseMs: Math.max(count.maxPauseMs, pause),
    });
  }
  return counts;
}
