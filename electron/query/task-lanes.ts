import type { TaskLane, TaskLaneSlices, TaskLanesResult, TaskLaneWaits } from '../../shared/api.ts';
import type { TaskChoice } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { runTimes, type ScheduleColumns, type TaskSchedule, taskSchedules } from '../derive/task-schedule.ts';
import { ByteBudgetCache } from './byte-budget-cache.ts';
import type { Lanes } from './lanes.ts';
import { coarserDensity, type DensityLevel, densityWindow, isLevel, wholeBuckets } from './levels.ts';
import { ReducedSlices } from './reduced-slices.ts';
import type { Samples } from './samples.ts';
import { taskCounts, taskDensities } from './task-density.ts';
import { lostIn, type Trace, type TraceStream, upperBound } from './trace.ts';

/** Buckets of a task's finest density level: finer windows hold few enough events to be counted. */
const MOST_BUCKETS = 1 << 17;

/** A task of a stream. */
interface Chosen {
  stream: TraceStream;
  pid: number;
}

/** Lanes of tasks at a resolution: where each ran, when it waited for a CPU, and its events. */
export class TaskLanes {
  readonly #trace: Trace;
  readonly #samples: Samples;
  readonly #lanes: Lanes;
  readonly #finestNs: number;
  readonly #schedules: ByteBudgetCache<string, TaskSchedule>;
  readonly #reduced: ReducedSlices;
  readonly #densities: ByteBudgetCache<string, DensityLevel>;
  readonly #pids = new Map<TraceStream, Set<number>>();

  constructor(trace: Trace, samples: Samples, lanes: Lanes) {
    this.#trace = trace;
    this.#samples = samples;
    this.#lanes = lanes;
    const budget = trace.budgets.tasks;
    this.#schedules = new ByteBudgetCache(
      budget * 0.5,
      ({ running, waiting }) => (running.from.length + waiting.from.length) * 20,
    );
    this.#reduced = new ReducedSlices(budget * 0.1);
    this.#densities = new ByteBudgetCache(budget * 0.4, ({ counts }) => counts.byteLength);
    this.#finestNs = 2 ** Math.max(0, Math.ceil(Math.log2(Math.max(1, trace.durationNs) / MOST_BUCKETS)));
  }

  /**
   * The window is widened to whole buckets of `resolutionNs`. `tasks`: the ones wanted, in their order; null: the `most`
   * that ran longest. Throws `not-found` where a task is named that no stream knows.
   */
  window(
    fromNs: number,
    toNs: number,
    resolutionNs: number,
    tasks: readonly TaskChoice[] | null,
    most: number,
  ): TaskLanesResult {
    const { from, to, buckets } = wholeBuckets(fromNs, toNs, resolutionNs);
    const ranked = tasks === null ? this.#ranked(fromNs, toNs) : this.#named(tasks);
    const chosen = ranked.slice(0, tasks === null ? most : ranked.length);
    const lost: TaskLanesResult['lost'] = {};
    const lanes = new Map<string, TaskLane>();
    for (const [stream, pids] of byStream(chosen)) {
      const index = stream.info.index;
      lost[index] = stream.cpus.flatMap((cpu) => lostIn(stream, cpu, from, to)).sort((a, b) => a.atNs - b.atNs);
      const schedules = this.schedulesOf(stream, pids);
      const densities = this.#densitiesOf(stream, pids, from, resolutionNs, buckets);
      for (const pid of pids) {
        const key = keyOf(stream, pid);
        const schedule = schedules?.get(pid) ?? null;
        lanes.set(key, {
          stream: index,
          pid,
          comm: stream.recording.commOf(pid),
          slices: schedule && this.#slicesOf(key, schedule, from, to, resolutionNs),
          waits: schedule && this.#waitsOf(key, schedule, from, to, resolutionNs),
          density: densities.get(pid) as Uint32Array,
          ranNs: schedule && ranIn(schedule, fromNs, toNs),
        });
      }
    }
    return {
      fromNs: from,
      toNs: to,
      resolutionNs,
      lanes: chosen.map(({ stream, pid }) => lanes.get(keyOf(stream, pid)) as TaskLane),
      moreTasks: ranked.length - chosen.length,
      lost,
    };
  }

  /** Schedules at full resolution on the workspace axis; null where the stream has no sched_switch. Shared: not to be written to. */
  schedulesOf(stream: TraceStream, pids: readonly number[]): Map<number, TaskSchedule> | null {
    const cpus = this.#cpusOf(stream);
    if (cpus.length === 0) return null;
    const schedules = new Map<number, TaskSchedule>();
    // All that are missing are found in one pass.
    let found: Map<number, TaskSchedule> | null = null;
    for (const pid of pids) {
      const make = (): TaskSchedule => {
        found ??= taskSchedules(this.#columnsOf(stream, cpus), pids);
        return found.get(pid) as TaskSchedule;
      };
      schedules.set(pid, this.#schedules.get(keyOf(stream, pid), make));
    }
    return schedules;
  }

  /** Tasks by how long they ran in the window, then, of streams that do not tell, by how many events they have in it. */
  #ranked(fromNs: number, toNs: number): Chosen[] {
    const ranked: (Chosen & { ranNs: number; events: number })[] = [];
    for (const stream of this.#trace.streams) {
      const cpus = this.#cpusOf(stream);
      // The last event of all is at the end of the whole window, and belongs to it.
      const scores = cpus.length > 0 ? runTimes(cpus, fromNs, toNs) : taskCounts(this.#trace, stream, fromNs, toNs + 1);
      for (const [pid, score] of scores) {
        if (pid <= 0) continue;
        ranked.push({ stream, pid, ranNs: cpus.length > 0 ? score : 0, events: cpus.length > 0 ? 0 : score });
      }
    }
    return ranked.sort(
      (a, b) => b.ranNs - a.ranNs || b.events - a.events || a.stream.info.index - b.stream.info.index || a.pid - b.pid,
    );
  }

  #named(tasks: readonly TaskChoice[]): Chosen[] {
    const chosen = new Map<string, Chosen>();
    for (const task of tasks) {
      let found = 0;
      for (const stream of this.#trace.streams) {
        if ('pid' in task && task.stream !== undefined && task.stream !== stream.info.index) continue;
        // Looking for a task takes a pass over all events: one with its stream was found before.
        const pids = 'pid' in task && task.stream !== undefined ? [task.pid] : this.#pidsOf(stream);
        for (const pid of pids) {
          if ('pid' in task ? pid !== task.pid : stream.recording.commOf(pid) !== task.comm) continue;
          chosen.set(keyOf(stream, pid), { stream, pid });
          found++;
        }
      }
      if (found === 0) throw new RemoraError({ code: 'not-found', message: unknownTask(task) });
    }
    return [...chosen.values()];
  }

  /** All tasks of a stream but idle: those with events, and those that only ever ran. Ascending. */
  #pidsOf(stream: TraceStream): Set<number> {
    let pids = this.#pids.get(stream);
    if (pids === undefined) {
      const all = [
        ...taskCounts(this.#trace, stream, Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).keys(),
        ...runTimes(this.#cpusOf(stream), Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY).keys(),
      ];
      pids = new Set(all.filter((pid) => pid > 0).sort((a, b) => a - b));
      this.#pids.set(stream, pids);
    }
    return pids;
  }

  #cpusOf(stream: TraceStream): { cpu: number; slices: ScheduleColumns['cpus'][number]['slices'] }[] {
    return stream.cpus.flatMap((cpu) => {
      const slices = this.#lanes.slicesOf(stream, cpu);
      return slices === null ? [] : [{ cpu: cpu.cpu, slices }];
    });
  }

  #columnsOf(stream: TraceStream, cpus: ScheduleColumns['cpus']): ScheduleColumns {
    const [time, prevPid, prevState] = this.#eventsOf(stream, ['sched_switch'], ['prev_pid', 'prev_state']);
    const woken = this.#eventsOf(stream, ['sched_wakeup', 'sched_wakeup_new'], ['pid', 'success']);
    // Kernels before 4.4 also trace wake-ups of tasks that were awake.
    const real = woken[2].includes(0) ? woken[1].map((pid, i) => (woken[2][i] === 0 ? Number.NaN : pid)) : woken[1];
    const ends = stream.cpus.map(({ chunks }) => Math.max(chunks.at(-1)?.toNs ?? 0, chunks.at(-1)?.floorNs ?? 0));
    return {
      cpus,
      switches: { n: time.length, time, prevPid, prevState },
      wakeups: { n: real.length, time: woken[0], pid: real },
      lostNs: stream.cpus.flatMap((cpu) => cpu.lost.map(({ atNs }) => atNs + stream.offsetNs)).sort((a, b) => a - b),
      endNs: Math.max(0, ...ends) + stream.offsetNs,
    };
  }

  /** Time and two fields of a stream's sched events of some names, ascending in time. Not to be written to. */
  #eventsOf(
    stream: TraceStream,
    names: readonly string[],
    fields: readonly [string, string],
  ): [Float64Array, Float64Array, Float64Array] {
    const types = this.#trace.eventTypes.filter(({ system, name }) => system === 'sched' && names.includes(name));
    const parts = types.map(({ type }) => {
      const { n, time, stream: streams } = this.#samples.ofType(type);
      const [first, second] = [this.#samples.numbers(type, fields[0]), this.#samples.numbers(type, fields[1])];
      // Millions of them are not copied where they are all of this stream.
      if (this.#trace.streams.length === 1) return [time, first, second];
      const own = Uint32Array.from({ length: n }, (_, i) => i).filter((i) => streams[i] === stream.info.index);
      return [time, first, second].map((column) => Float64Array.from(own, (i) => column[i] as number));
    });
    const [time, first, second] = [0, 1, 2].map((column) =>
      parts.length === 1 ? parts[0]?.[column] : joined(parts.map((part) => part[column] as Float64Array)),
    );
    if (parts.length < 2) return [time, first, second] as [Float64Array, Float64Array, Float64Array];
    const order = Uint32Array.from((time as Float64Array).keys());
    order.sort((a, b) => ((time as Float64Array)[a] as number) - ((time as Float64Array)[b] as number));
    const ordered = (column: Float64Array | undefined) => Float64Array.from(order, (i) => column?.[i] as number);
    return [ordered(time), ordered(first), ordered(second)];
  }

  #slicesOf(key: string, { running }: TaskSchedule, from: number, to: number, resolutionNs: number): TaskLaneSlices {
    // Slices of CPUs reduce as slices of tasks do: what shares a bucket is named by what took longest.
    const all = { n: running.from.length, from: running.from, to: running.to, pid: running.cpu };
    const { pid, ...reduced } = this.#reduced.window(`${key} running`, all, from, to, resolutionNs);
    return { ...reduced, cpu: pid };
  }

  #waitsOf(key: string, { waiting }: TaskSchedule, from: number, to: number, resolutionNs: number): TaskLaneWaits {
    const all = { n: waiting.from.length, from: waiting.from, to: waiting.to, pid: waiting.kind };
    const { pid, fromNs, toNs, merged } = this.#reduced.window(`${key} waiting`, all, from, to, resolutionNs);
    return { fromNs, toNs, kind: Uint8Array.from(pid), merged };
  }

  #densitiesOf(
    stream: TraceStream,
    pids: readonly number[],
    from: number,
    resolutionNs: number,
    buckets: number,
  ): Map<number, Uint32Array> {
    if (!isLevel(resolutionNs) || resolutionNs < this.#finestNs)
      return taskDensities(this.#trace, stream, pids, from, resolutionNs, buckets);
    const first = Math.floor(Math.min(0, stream.info.fromNs) / this.#finestNs);
    const finest = (): Map<number, Uint32Array> =>
      taskDensities(
        this.#trace,
        stream,
        pids,
        first * this.#finestNs,
        this.#finestNs,
        Math.floor(Math.max(0, stream.info.toNs) / this.#finestNs) - first + 1,
      );
    let found: Map<number, Uint32Array> | null = null;
    const levelOf = (pid: number, levelNs: number): DensityLevel =>
      this.#densities.get(`${keyOf(stream, pid)} ${levelNs}`, () => {
        if (levelNs > this.#finestNs) return coarserDensity(levelOf(pid, levelNs / 2));
        found ??= finest();
        return { resolutionNs: levelNs, first, counts: found.get(pid) as Uint32Array };
      });
    return new Map(pids.map((pid) => [pid, densityWindow(levelOf(pid, resolutionNs), from, buckets)]));
  }
}

const keyOf = (stream: TraceStream, pid: number): string => `${stream.info.index}:${pid}`;

const unknownTask = (task: TaskChoice): string =>
  'pid' in task
    ? `no task with pid ${task.pid} ran or has events: \`remora info\` lists those that do`
    : `no task is called “${task.comm}”: \`remora info\` lists the names`;

function byStream(chosen: readonly Chosen[]): Map<TraceStream, number[]> {
  const groups = new Map<TraceStream, number[]>();
  for (const { stream, pid } of chosen) {
    const pids = groups.get(stream);
    if (pids) pids.push(pid);
    else groups.set(stream, [pid]);
  }
  return groups;
}

function joined(parts: readonly Float64Array[]): Float64Array {
  const all = new Float64Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}

function ranIn({ running }: TaskSchedule, fromNs: number, toNs: number): number {
  const { from, to } = running;
  let ran = 0;
  for (let i = upperBound(to, fromNs); i < from.length && (from[i] as number) < toNs; i++)
    ran += Math.min(to[i] as number, toNs) - Math.max(from[i] as number, fromNs);
  return ran;
}
