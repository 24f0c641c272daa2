import type { GlobalStateColumns, ThrottleColumns } from '../../../electron/derive/throttle-columns.ts';
import type { SwitchColumns } from '../../../electron/derive/throttle-switches.ts';

/**
 * Columns from the text that `trace-cmd report` prints, for an independent look at a recording. Times in ns from 0, to the
 * microsecond that the text has.
 */
export interface ReportLine {
  comm: string;
  pid: number;
  cpu: number;
  timeNs: number;
  event: string;
  text: string;
}

export function* reportLines(report: string, events: readonly string[]): Generator<ReportLine> {
  const wanted = new Set(events);
  for (const line of report.split('\n')) {
    const found = /^\s*(.+)-(\d+)\s+\[(\d+)\]\s+(?:\S+\s+)?(\d+)\.(\d{6}): (\w+): +(.*)$/.exec(line);
    if (found === null || !wanted.has(found[6])) continue;
    const timeNs = Number(found[4]) * 1e9 + Number(found[5]) * 1e3;
    yield { comm: found[1], pid: Number(found[2]), cpu: Number(found[3]), timeNs, event: found[6], text: found[7] };
  }
}

/** `key=value` pairs; numbers as BigInt would print them, or text. */
export const pairs = (text: string): Map<string, string> =>
  new Map([...text.matchAll(/(\w+)=(\S+)/g)].map(([, key, value]) => [key, value]));

export function throttleColumns(lines: readonly ReportLine[]): ThrottleColumns {
  const values = lines.map(({ text }) => pairs(text));
  const number = (...names: string[]): Float64Array | undefined => {
    const name = names.find((candidate) => values[0]?.has(candidate));
    return name === undefined ? undefined : Float64Array.from(values, (pair) => Number(pair.get(name)));
  };
  const named = (texts: string[]) => {
    const names = [...new Set(texts)];
    const indexOf = new Map(names.map((name, i) => [name, i]));
    return { names, index: texts.map((text) => indexOf.get(text) as number) };
  };
  const cgroup = ['cgroup_ino', 'cgroup'].find((name) => values[0]?.has(name));
  return {
    timeNs: Float64Array.from(lines, ({ timeNs }) => timeNs),
    cpu: lines.map(({ cpu }) => cpu),
    pid: lines.map(({ pid }) => pid),
    bdi: named(lines.map(({ text }) => /^bdi (.*?): /.exec(text)?.[1] ?? '')),
    cgroup: cgroup === undefined ? undefined : named(values.map((pair) => pair.get(cgroup) ?? '')),
    limit: number('limit'),
    setpoint: number('setpoint'),
    dirty: number('dirty'),
    wbSetpoint: number('wb_setpoint', 'bdi_setpoint'),
    wbDirty: number('wb_dirty', 'bdi_dirty'),
    limitIsOwn: values[0]?.has('wb_setpoint') ?? false,
    dirtyRatelimit: number('dirty_ratelimit'),
    taskRatelimit: number('task_ratelimit'),
    pause: number('pause') ?? new Float64Array(lines.length),
    think: number('think'),
  };
}

export function globalStateColumns(lines: readonly ReportLine[]): GlobalStateColumns {
  const values = lines.map(({ text }) => pairs(text));
  const number = (name: string): Float64Array => Float64Array.from(values, (pair) => Number(pair.get(name)));
  return {
    timeNs: Float64Array.from(lines, ({ timeNs }) => timeNs),
    cpu: lines.map(({ cpu }) => cpu),
    pid: lines.map(({ pid }) => pid),
    nrDirty: number('dirty'),
    nrWriteback: number('writeback'),
    backgroundThresh: number('bg_thresh'),
    dirtyThresh: number('thresh'),
  };
}

/** `prev:1 [120] D ==> next:2 [120]`; states as the kernel numbers them, a preempted R as 256. */
export function switchColumns(lines: readonly ReportLine[]): SwitchColumns {
  const states: Record<string, number> = { R: 0, 'R+': 256, S: 1, D: 2, T: 4, t: 8, X: 16, Z: 32, P: 64, I: 128 };
  const found = lines.map(({ text }) => /:(\d+) \[-?\d+\] (\S+) ==> .*:(\d+) \[-?\d+\]$/.exec(text) as RegExpExecArray);
  return {
    timeNs: Float64Array.from(lines, ({ timeNs }) => timeNs),
    prevPid: found.map((match) => Number(match[1])),
    prevState: found.map((match) => states[match[2]] ?? 0),
    nextPid: found.map((match) => Number(match[3])),
  };
}
