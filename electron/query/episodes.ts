import type { EpisodesResult } from '../../shared/api.ts';
import type { EventTypeInfo } from '../../shared/model.ts';
import { findEpisodes } from '../derive/throttle.ts';
import type { GlobalStateColumns, NamedColumn, ThrottleColumns } from '../derive/throttle-columns.ts';
import { indexSwitches, type SwitchIndex } from '../derive/throttle-switches.ts';
import { type TotalKey, totalEpisodes } from '../derive/throttle-totals.ts';
import { cgroupFieldOf } from './groups.ts';
import { LargeLanes } from './large-lanes.ts';
import { maskOf } from './sample-filter.ts';
import type { Samples, TypeSamples } from './samples.ts';
import { scanSwitches } from './switch-scan.ts';
import type { Trace, TraceStream } from './trace.ts';

/** Throttle episodes of a workspace: collects the columns that derive/throttle.ts works on, stream by stream. */
export class EpisodeQueries {
  readonly #trace: Trace;
  readonly #samples: Samples;
  readonly #found = new Map<string, Pick<EpisodesResult, 'episodes' | 'findings'>>();

  constructor(trace: Trace, samples: Samples) {
    this.#trace = trace;
    this.#samples = samples;
  }

  /** `where` chooses among the events that episodes are made of: empty for all. Throws `bad-expression`. */
  find(by: TotalKey, gapMs?: number, where = ''): EpisodesResult {
    const key = JSON.stringify([gapMs, where]);
    let found = this.#found.get(key);
    if (found === undefined) {
      found = this.#derive(gapMs, where);
      // One entry for the default and one for the user's own.
      if (this.#found.size > 1) this.#found.clear();
      this.#found.set(key, found);
    }
    return { ...found, totals: totalEpisodes(found.episodes, by) };
  }

  #derive(gapMs: number | undefined, where: string): Pick<EpisodesResult, 'episodes' | 'findings'> {
    const episodes: EpisodesResult['episodes'] = [];
    const findings: EpisodesResult['findings'] = [];
    const type = this.#type('writeback', 'balance_dirty_pages');
    if (type === undefined) return { episodes, findings };
    const mask = maskOf(this.#trace, this.#samples, type, where);
    for (const stream of this.#trace.streams) {
      const events = this.#throttleColumns(type, stream, mask);
      if (events === null) continue;
      const switches = this.#switches(stream, events.pid);
      const globalState = this.#globalState(stream);
      const found = findEpisodes(
        {
          stream: stream.info.index,
          events,
          ...(switches === null ? {} : { switches }),
          ...(globalState === null ? {} : { globalState }),
          cgroupAt: (value, timeNs) => this.#trace.cgroupAt(value, timeNs),
          commOf: (pid) => stream.recording.commOf(pid),
        },
        { firstId: episodes.length, ...(gapMs === undefined ? {} : { gapMs }) },
      );
      episodes.push(...found.episodes);
      findings.push(...found.findings);
    }
    return { episodes, findings };
  }

  #type(system: string, event: string): EventTypeInfo | undefined {
    return this.#trace.eventTypes.find((type) => type.system === system && type.name === event);
  }

  #throttleColumns(type: EventTypeInfo, stream: TraceStream, mask: Uint8Array | null): ThrottleColumns | null {
    const pick = new StreamPick(this.#samples.ofType(type.type), stream, mask);
    if (pick.n === 0) return null;
    const has = (field: string): boolean => type.fields.some(({ name }) => name === field);
    const optional = (...fields: string[]): Float64Array | undefined => {
      const field = fields.find(has);
      return field === undefined ? undefined : pick.numbers(this.#samples.numbers(type.type, field));
    };
    const named = (field: string): NamedColumn => {
      const { codes, values } = this.#samples.texts(type.type, field);
      return { index: pick.codes(codes), names: values };
    };
    const cgroup = cgroupFieldOf(type);
    const columns: ThrottleColumns = {
      timeNs: pick.numbers(pick.samples.time),
      cpu: pick.codes(pick.samples.cpu),
      pid: pick.pids(),
      bdi: has('bdi') ? named('bdi') : { index: new Uint32Array(pick.n), names: [''] },
      limitIsOwn: has('wb_setpoint'),
      pause: optional('pause') ?? new Float64Array(pick.n).fill(Number.NaN),
    };
    if (cgroup !== null) columns.cgroup = named(cgroup);
    const own = {
      limit: optional('limit'),
      setpoint: optional('setpoint'),
      dirty: optional('dirty'),
      wbSetpoint: optional('wb_setpoint', 'bdi_setpoint'),
      wbDirty: optional('wb_dirty', 'bdi_dirty'),
      dirtyRatelimit: optional('dirty_ratelimit'),
      taskRatelimit: optional('task_ratelimit'),
      think: optional('think'),
    };
    for (const [name, column] of Object.entries(own))
      if (column !== undefined) Object.assign(columns, { [name]: column });
    return columns;
  }

  #switches(stream: TraceStream, pids: ArrayLike<number>): SwitchIndex | null {
    const type = this.#type('sched', 'sched_switch');
    if (type === undefined) return null;
    if (LargeLanes.isNeededFor(this.#trace)) {
      const tasks = new Set(Array.from(pids));
      const switches = scanSwitches(this.#trace, stream, tasks);
      return switches && { ...indexSwitches(switches, tasks), endNs: switches.endNs };
    }
    const pick = new StreamPick(this.#samples.ofType(type.type), stream);
    if (pick.n === 0) return null;
    const column = (field: string): Float64Array => pick.numbers(this.#samples.numbers(type.type, field));
    return indexSwitches(
      {
        timeNs: pick.numbers(pick.samples.time),
        prevPid: column('prev_pid'),
        prevState: column('prev_state'),
        nextPid: column('next_pid'),
      },
      new Set(Array.from(pids)),
    );
  }

  #globalState(stream: TraceStream): GlobalStateColumns | null {
    const type = this.#type('writeback', 'global_dirty_state');
    if (type === undefined) return null;
    const pick = new StreamPick(this.#samples.ofType(type.type), stream);
    if (pick.n === 0) return null;
    const column = (field: string): Float64Array => pick.numbers(this.#samples.numbers(type.type, field));
    const unstable = type.fields.some(({ name }) => name === 'nr_unstable');
    return {
      timeNs: pick.numbers(pick.samples.time),
      cpu: pick.codes(pick.samples.cpu),
      pid: pick.pids(),
      nrDirty: column('nr_dirty'),
      nrWriteback: column('nr_writeback'),
      ...(unstable ? { nrUnstable: column('nr_unstable') } : {}),
      backgroundThresh: column('background_thresh'),
      dirtyThresh: column('dirty_thresh'),
    };
  }
}

/** The samples of one stream out of a type's, those that a mask keeps; the columns themselves where that is all. */
class StreamPick {
  readonly samples: TypeSamples;
  readonly n: number;
  readonly #indices: Uint32Array | null;

  constructor(samples: TypeSamples, stream: TraceStream, mask: Uint8Array | null = null) {
    this.samples = samples;
    const mine = samples.sources.filter((source) => source.stream === stream);
    const n = mine.reduce((sum, source) => sum + source.n, 0);
    if (mine.length === samples.sources.length && mask === null) {
      this.n = n;
      this.#indices = null;
      return;
    }
    const indices = new Uint32Array(n);
    let k = 0;
    for (let i = 0; i < samples.n; i++)
      if (samples.stream[i] === stream.info.index && mask?.[i] !== 0) indices[k++] = i;
    this.n = k;
    this.#indices = indices.subarray(0, k);
  }

  numbers(column: Float64Array): Float64Array {
    return this.#indices === null ? column : Float64Array.from(this.#indices, (i) => column[i] as number);
  }
  codes(column: Uint32Array | Uint16Array): ArrayLike<number> {
    return this.#indices === null ? column : Uint32Array.from(this.#indices, (i) => column[i] as number);
  }
  pids(): ArrayLike<number> {
    const { pid } = this.samples;
    return this.#indices === null ? pid : Int32Array.from(this.#indices, (i) => pid[i] as number);
  }
}
