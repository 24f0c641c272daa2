import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runSlices } from '../../../electron/derive/schedule.ts';
import {
  PREEMPTED,
  runTimes,
  type ScheduleColumns,
  type TaskSchedule,
  taskSchedules,
} from '../../../electron/derive/task-schedule.ts';

/**
 * CPUs, wake-ups and losses drawn as text, 10 ns a character. A letter is a task on a CPU, a space idle; a run that ends in
 * a capital is preempted (R+), one that ends in a digit leaves with that prev_state, any other sleeps (S).
 *
 *   0      |aaA bb  |
 *   1      |  cc aa |
 *   wakeup |   ba   |
 *   lost   |      ! |
 */
const STEP = 10;
const pidOf = (letter: string): number => (letter === ' ' ? 0 : letter.toLowerCase().charCodeAt(0));

function columnsOf(drawing: string): ScheduleColumns {
  const rows = [...drawing.matchAll(/^\s*(\w+) *\|(.*)\|$/gm)].map(([, name, picture]) => ({ name, picture }));
  const width = Math.max(...rows.map(({ picture }) => picture.length));
  const marks = (wanted: string) =>
    rows
      .filter(({ name }) => name === wanted)
      .flatMap(({ picture }) => [...picture].map((mark, i) => ({ mark, at: i * STEP })))
      .filter(({ mark }) => mark !== ' ')
      .sort((a, b) => a.at - b.at);
  const lostNs = marks('lost').map(({ at }) => at);
  const all: { time: number; prev: number; next: number; state: number }[] = [];
  const cpus: { cpu: number; slices: ReturnType<typeof runSlices> }[] = [];
  for (const { name, picture } of rows.filter((row) => /^\d+$/.test(row.name))) {
    const own: typeof all = [];
    let running = pidOf(picture[0]);
    for (let i = 1; i < picture.length; i++) {
      const last = picture[i - 1];
      if (/\d/.test(picture[i]) || (pidOf(picture[i]) === running && !/[A-Z\d]/.test(last))) continue;
      const state = /[A-Z]/.test(last) ? 0x100 : /\d/.test(last) ? Number(last) : 1;
      const next = pidOf(picture[i]);
      own.push({ time: i * STEP, prev: running, next, state: running === 0 ? 0 : state });
      running = next;
    }
    const switches = {
      n: own.length,
      time: Float64Array.from(own, ({ time }) => time),
      prevPid: own.map(({ prev }) => prev),
      nextPid: own.map(({ next }) => next),
    };
    cpus.push({ cpu: Number(name), slices: runSlices(switches, 0, width * STEP, lostNs) });
    all.push(...own);
  }
  all.sort((a, b) => a.time - b.time);
  const wakeups = marks('wakeup');
  return {
    cpus,
    switches: {
      n: all.length,
      time: Float64Array.from(all, ({ time }) => time),
      prevPid: all.map(({ prev }) => prev),
      prevState: all.map(({ state }) => state),
    },
    wakeups: {
      n: wakeups.length,
      time: Float64Array.from(wakeups, ({ at }) => at),
      pid: wakeups.map(({ mark }) => pidOf(mark)),
    },
    lostNs,
    endNs: width * STEP,
  };
}

/** A digit is the CPU it ran on, `~` woken up and waiting, `-` preempted. */
function drawn({ running, waiting }: TaskSchedule, width: number): string {
  const picture = new Array<string>(width).fill(' ');
  const paint = (from: number, to: number, mark: string): void => {
    for (let i = from / STEP; i < to / STEP; i++) {
      // Nothing may be painted twice: a task does one thing at a time.
      picture[i] = picture[i] === ' ' ? mark : '?';
    }
  };
  running.from.forEach((from, i) => {
    paint(from, running.to[i], String(running.cpu[i]));
  });
  waiting.from.forEach((from, i) => {
    paint(from, waiting.to[i], waiting.kind[i] === PREEMPTED ? '-' : '~');
  });
  return picture.join('');
}

const laneOf = (drawing: string, task = 'a'): string => {
  const columns = columnsOf(drawing);
  const schedule = taskSchedules(columns, [pidOf(task)]).get(pidOf(task)) as TaskSchedule;
  return `|${drawn(schedule, columns.endNs / STEP)}|`;
};

describe('a task’s lane', () => {
  it('is where it ran, on whichever CPU', () => {
    const drawing = `
      0 |aaa bb  aa|
      1 |   aaa  bb|`;
    expect(laneOf(drawing)).toBe('|000111  00|');
    expect(laneOf(drawing, 'b')).toBe('|    00  11|');
    expect(laneOf(drawing, 'c')).toBe('|          |');
  });
  it('waits from its wake-up to when it runs', () => {
    expect(
      laneOf(`
      0      |aa  bbb aa|
      wakeup |   a      |`),
    ).toBe('|00 ~~~~~00|');
  });
  it('waits from the first wake-up; one while it runs, or that does not end in a run before the end, counts so', () => {
    expect(
      laneOf(`
      0      |bbb aaa  |
      wakeup |a a  a  a|`),
    ).toBe('|~~~~000 ~|');
  });
  it('is preempted from when it was switched out while runnable to when it runs again, woken or not', () => {
    expect(
      laneOf(`
      0      |aaAbbb    |
      1      |ccccccc aa|
      wakeup |    a     |`),
    ).toBe('|000-----11|');
  });
  it('is preempted in state R too, and not in states that sleep or end', () => {
    expect(laneOf('0 |aa0bb aa|')).toBe('|000---00|');
    for (const state of [1, 2, 4, 8]) expect([state, laneOf(`0 |aa${state}bb aa|`)]).toEqual([state, '|000   00|']);
  });
  it('is preempted by itself for no time', () => {
    expect(laneOf('0 |aaAaa |')).toBe('|00000 |');
  });
  it('waits to the end of the recording where it never runs again', () => {
    expect(laneOf('0 |aaAbbbb|')).toBe('|000----|');
  });
  it('does not wait over a loss: it may have run there', () => {
    expect(
      laneOf(`
      0      |aaAbbbb aa|
      lost   |     !    |`),
    ).toBe('|000--   00|');
    expect(
      laneOf(`
      0      |bb  aaaa b|
      lost   |   !      |
      wakeup | a        |`),
    ).toBe('| ~~ 0000  |');
  });
  it('a run too short for the clock ends a wait, and begins another if it was preempted', () => {
    const columns = columnsOf('0 |aaAbbbbb|');
    // Between its slices the task came and went at 50 ns, and slept then.
    const switches = {
      n: 2,
      time: Float64Array.of(30, 50),
      prevPid: [pidOf('a'), pidOf('a')],
      prevState: [0x100, 1],
    };
    const schedule = taskSchedules({ ...columns, switches }, [pidOf('a')]).get(pidOf('a')) as TaskSchedule;
    expect(drawn(schedule, 8)).toBe('000--   ');
  });
  it('a wake-up at the instant at which it left wakes it; one to a run too short for the clock is spent on that', () => {
    expect(
      laneOf(`
      0      |aabbbaa|
      wakeup |  a    |`),
    ).toBe('|00~~~00|');
    const columns = columnsOf(`
      0      |aabbbaa|
      wakeup |   a   |`);
    const switches = { n: 2, time: Float64Array.of(20, 30), prevPid: [pidOf('a'), pidOf('a')], prevState: [1, 1] };
    const schedule = taskSchedules({ ...columns, switches }, [pidOf('a')]).get(pidOf('a')) as TaskSchedule;
    expect(drawn(schedule, 7)).toBe('00   00');
    // Had it been awake by then, it is woken to what comes next.
    const preempted = { ...switches, prevState: [0, 1] };
    const next = taskSchedules({ ...columns, switches: preempted }, [pidOf('a')]).get(pidOf('a')) as TaskSchedule;
    expect(drawn(next, 7)).toBe('00-~~00');
  });
  it('is on one CPU at a time, where two clocks say otherwise', () => {
    const columns = columnsOf(`
      0 |aaaa  |
      1 |   aa |`);
    const schedule = taskSchedules(columns, [pidOf('a')]).get(pidOf('a')) as TaskSchedule;
    expect([...schedule.running.from]).toEqual([0, 40]);
    expect([...schedule.running.to]).toEqual([40, 50]);
  });
});

describe('any schedule', () => {
  const cpuLine = fc.stringMatching(/^[abAB ]{1,40}$/);
  it('never has a task do two things at once, and keeps the time that it ran', () => {
    fc.assert(
      fc.property(
        cpuLine,
        fc.stringMatching(/^[ab ]{0,40}$/),
        fc.stringMatching(/^[! ]{0,9}$/),
        (cpu, wakeup, lost) => {
          const columns = columnsOf(`0 |${cpu}|\nwakeup |${wakeup}|\nlost |${lost}|`);
          const times = runTimes(columns.cpus, 0, columns.endNs);
          const pids = [pidOf('a'), pidOf('b')];
          for (const [pid, schedule] of taskSchedules(columns, pids)) {
            expect(drawn(schedule, columns.endNs / STEP)).not.toContain('?');
            const { from, to } = schedule.running;
            expect(from.reduce((sum, start, i) => sum + to[i] - start, 0)).toBe(times.get(pid) ?? 0);
            const { waiting } = schedule;
            waiting.from.forEach((start, i) => {
              expect(waiting.to[i]).toBeGreaterThan(start);
              for (const gap of columns.lostNs) expect(gap <= start || gap >= waiting.to[i]).toBe(true);
            });
          }
        },
      ),
    );
  });
});

describe('run times', () => {
  it('are those within the window, over all CPUs', () => {
    const { cpus } = columnsOf(`
      0 |aaaabb|
      1 |bbb aa|`);
    expect([...runTimes(cpus, 0, 60)].sort()).toEqual([
      [pidOf('a'), 60],
      [pidOf('b'), 50],
    ]);
    expect(runTimes(cpus, 35, 45).get(pidOf('a'))).toBe(10);
    expect(runTimes(cpus, 100, 200).size).toBe(0);
  });
});
