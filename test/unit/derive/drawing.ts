import { findEpisodes, type ThrottleInput, type ThrottleOptions } from '../../../electron/derive/throttle.ts';
import type { GlobalStateColumns, ThrottleColumns } from '../../../electron/derive/throttle-columns.ts';
import { indexSwitches } from '../../../electron/derive/throttle-switches.ts';

/**
 * Throttling drawn as text, one character for 10 ms:
 *
 *   dd-1 web 8:0 |P==  .P=   P|
 *
 * `P` is an event with a pause of 10 ms and 10 more for each `=` behind it, `.` an event with pause 0, `-` one with pause -10.
 */
export const STEP_NS = 10e6;
const STEP_MS = 10;

interface DrawnEvent {
  timeNs: number;
  pid: number;
  cgroup: string;
  bdi: string;
  pause: number;
}

function eventsOf(drawing: string): DrawnEvent[] {
  const events: DrawnEvent[] = [];
  for (const line of drawing.split('\n')) {
    if (line.trim() === '') continue;
    const found = /^\s*\w+-(\d+) +(\S+) +(\S+) +\|(.*)\|$/.exec(line);
    if (found === null) throw new Error(`not a drawing: ${line}`);
    const [, pid, cgroup, bdi, picture] = found;
    for (let i = 0; i < picture.length; i++) {
      const event = { timeNs: i * STEP_NS, pid: Number(pid), cgroup, bdi, pause: 0 };
      if (picture[i] === 'P') {
        const width = 1 + picture.slice(i + 1).search(/[^=]|$/);
        events.push({ ...event, pause: width * STEP_MS });
      } else if (picture[i] === '.') events.push(event);
      else if (picture[i] === '-') events.push({ ...event, pause: -STEP_MS });
    }
  }
  return events.sort((a, b) => a.timeNs - b.timeNs);
}

function named(values: string[]): { index: number[]; names: string[] } {
  const names = [...new Set(values)];
  return { index: values.map((value) => names.indexOf(value)), names };
}

/** Values of other columns: one for all events, or by event in time order. */
type Fields = Partial<
  Record<
    'limit' | 'setpoint' | 'dirty' | 'wbSetpoint' | 'wbDirty' | 'dirtyRatelimit' | 'taskRatelimit' | 'think',
    number | number[]
  >
>;

export function columnsOf(drawing: string, fields: Fields = {}, limitIsOwn = false): ThrottleColumns {
  const events = eventsOf(drawing);
  const columns: ThrottleColumns = {
    timeNs: Float64Array.from(events, ({ timeNs }) => timeNs),
    cpu: events.map(() => 0),
    pid: events.map(({ pid }) => pid),
    bdi: named(events.map(({ bdi }) => bdi)),
    cgroup: named(events.map(({ cgroup }) => cgroup)),
    pause: Float64Array.from(events, ({ pause }) => pause),
    limitIsOwn,
  };
  for (const [name, value] of Object.entries(fields) as [keyof Fields, number | number[]][]) {
    columns[name] = Float64Array.from(events, (_, i) => (typeof value === 'number' ? value : value[i]));
  }
  return columns;
}

/** Columns of one global_dirty_state 1 µs before every event. */
export function globalStates(
  events: ThrottleColumns,
  dirty: number,
  background: number,
  thresh: number,
): GlobalStateColumns {
  const n = events.timeNs.length;
  return {
    timeNs: events.timeNs.map((time) => time - 1000),
    cpu: events.cpu,
    pid: events.pid,
    nrDirty: new Float64Array(n).fill(dirty),
    nrWriteback: new Float64Array(n),
    backgroundThresh: new Float64Array(n).fill(background),
    dirtyThresh: new Float64Array(n).fill(thresh),
  };
}

/**
 * What a task did, in the same scale: `#` it runs, `D` and `S` it sleeps, `r` it waits for the CPU. It runs up to the instant
 * of a `D` and from the instant of the next `#` on; changes lie 1 µs behind the step, so an event comes before its sleep.
 */
export function switchesOf(drawing: string) {
  const state: Record<string, number> = { D: 2, S: 1, r: 0, Z: 32 };
  const switches: { timeNs: number; prev: number; prevState: number; next: number }[] = [];
  let endNs = 0;
  const pids: number[] = [];
  for (const line of drawing.trim().split('\n')) {
    const found = /^\s*\w+-(\d+) +\|(.*)\|$/.exec(line);
    if (found === null) throw new Error(`not a drawing: ${line}`);
    const pid = Number(found[1]);
    pids.push(pid);
    [...found[2]].forEach((now, i, all) => {
      const before = i === 0 ? '#' : all[i - 1];
      const timeNs = i * STEP_NS + 1000;
      if (before === '#' && now !== '#') switches.push({ timeNs, prev: pid, prevState: state[now], next: 0 });
      if (before !== '#' && now === '#') switches.push({ timeNs, prev: 0, prevState: 0, next: pid });
    });
    endNs = Math.max(endNs, found[2].length * STEP_NS);
  }
  switches.push({ timeNs: endNs, prev: 999, prevState: 0, next: 0 });
  switches.sort((a, b) => a.timeNs - b.timeNs);
  return indexSwitches(
    {
      timeNs: Float64Array.from(switches, ({ timeNs }) => timeNs),
      prevPid: switches.map(({ prev }) => prev),
      prevState: switches.map(({ prevState }) => prevState),
      nextPid: switches.map(({ next }) => next),
    },
    pids,
  );
}

export function derive(events: ThrottleColumns, more: Partial<ThrottleInput> = {}, options: ThrottleOptions = {}) {
  return findEpisodes(
    {
      stream: 0,
      events,
      cgroupAt: (value) => (/^\d+$/.test(value) ? { ino: value, path: '' } : { ino: '', path: value }),
      commOf: () => 'dd',
      ...more,
    },
    options,
  );
}

/** Episodes as `pid cgroup bdi |  ####   |`, one line each, in the scale of the drawings. */
export function draw(episodes: ReturnType<typeof derive>['episodes']): string[] {
  return episodes.map(({ task, cgroup, bdi, fromNs, toNs }) => {
    const bar = '#'.repeat(Math.round((toNs - fromNs) / STEP_NS));
    return `dd-${task.pid} ${cgroup.path} ${bdi} |${' '.repeat(Math.round(fromNs / STEP_NS))}${bar}|`;
  });
}
