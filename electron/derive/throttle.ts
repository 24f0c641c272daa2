import type { CgroupInfo, Episode, Finding } from '../../shared/model.ts';
import { causeOf, type EpisodeFacts } from './throttle-cause.ts';
import { type GlobalStateColumns, isPause, type ThrottleColumns, UNDERFLOW } from './throttle-columns.ts';
import { type Domain, freerunOf, GlobalStateCursor, judgeDomain } from './throttle-domain.ts';
import { findingsOf } from './throttle-findings.ts';
import { DEFAULT_GAP_MS, findRuns, type Runs } from './throttle-runs.ts';
import { type SwitchIndex, sleepAfter } from './throttle-switches.ts';

/**
 * Throttle episodes of one stream: when balance_dirty_pages() put a task to sleep, for how long, and which limit did it.
 *
 * An episode is a run of events of one task on one (bdi, cgroup) that holds at least one event with pause > 0
 * (throttle-runs.ts). It runs from its first such event to the end (time + pause) of its last, and its pauseMs is the sum of their
 * pauses. `paused` is never added: it is the part of the same call that was slept already.
 */
export interface ThrottleInput {
  stream: number;
  events: ThrottleColumns;
  /** Absent where the stream has no sched_switch: then no sleep can be verified. */
  switches?: SwitchIndex;
  globalState?: GlobalStateColumns;
  /** The cgroup that a value of the cgroup column means at a time; called once per episode. */
  cgroupAt(value: string, timeNs: number): CgroupInfo;
  commOf(pid: number): string;
}

export interface ThrottleOptions {
  /** Longest time between the end of an event and the next of the same episode; default 1000. */
  gapMs?: number;
  /** Id of the first episode; default 0. */
  firstId?: number;
}

/** Episodes in order of their start, with ids ascending; findings by time. */
export function findEpisodes(
  input: ThrottleInput,
  options: ThrottleOptions = {},
): { episodes: Episode[]; findings: Finding[] } {
  const runs = findRuns(input.events, options.gapMs ?? DEFAULT_GAP_MS);
  const facts = gatherFacts(input, runs);
  const episodes = facts.map((fact, run): Episode => {
    const { events } = input;
    const [first, last] = [runs.first[run], runs.last[run]];
    const pid = events.pid[first];
    const verdict = verdictOf(fact);
    const identity = {
      bdi: events.bdi.names[events.bdi.index[first]] ?? '',
      cgroup: input.cgroupAt(cgroupValue(events, first), events.timeNs[first]),
      task: { pid, comm: input.commOf(pid) },
    };
    return {
      id: (options.firstId ?? 0) + run,
      stream: input.stream,
      ...identity,
      fromNs: events.timeNs[first],
      toNs: events.timeNs[last] + events.pause[last] * 1e6,
      events: fact.events,
      pauses: fact.pauses,
      pauseMs: fact.pauseMs,
      maxPauseMs: fact.maxPauseMs,
      sleptMs: fact.verified > 0 ? fact.sleptMs : null,
      minTaskRatelimitKiBps: Number.isFinite(fact.minTaskRatelimit) ? fact.minTaskRatelimit : Number.NaN,
      maxDirtyOverLimit: fact.maxDirtyOverLimit,
      domain: verdict,
      cause: causeOf(fact, verdict, identity),
    };
  });
  return { episodes, findings: findingsOf(input, episodes) };
}

/** The text of the cgroup field; empty where the format has none. */
export const cgroupValue = (events: ThrottleColumns, i: number): string =>
  events.cgroup === undefined ? '' : (events.cgroup.names[events.cgroup.index[i]] ?? '');

/** Values that stand for "no cgroup of its own": the root (inode 1, path /), none (-1 as u32), or no field at all. */
export const isRootCgroup = (value: string): boolean => ['', '/', '0', '1', '4294967295'].includes(value);

function gatherFacts(input: ThrottleInput, runs: Runs): EpisodeFacts[] {
  const { events, switches, globalState } = input;
  const { timeNs, pid, pause } = events;
  const facts = Array.from({ length: runs.count }, emptyFacts);
  const throttled = new Set(Array.from(runs.first, (i) => pid[i]));
  const states = globalState === undefined ? null : new GlobalStateCursor(globalState, throttled);
  const ownCgroup = (events.cgroup?.names ?? []).map((value) => !isRootCgroup(value));
  const nextNs = switches === undefined ? null : nextEventOfTask(events);

  for (let i = 0; i < timeNs.length; i++) {
    const run = runs.of[i];
    if (run < 0) continue;
    const fact = facts[run];
    addEvent(fact, events, i);
    if (!isPause(pause[i])) continue;
    fact.pauses++;
    fact.pauseMs += pause[i];
    fact.maxPauseMs = Math.max(fact.maxPauseMs, pause[i]);
    const global = states?.before(timeNs[i], pid[i]) ?? -1;
    const inCgroup = events.cgroup !== undefined && ownCgroup[events.cgroup.index[i]];
    const domain = judgeDomain(events, i, inCgroup, globalState, global);
    fact.verdicts.set(domain, (fact.verdicts.get(domain) ?? 0) + pause[i]);
    if (global >= 0 && globalState !== undefined && fact.worst === i) {
      fact.globalDirty = globalState.nrDirty[global] + globalState.nrWriteback[global];
      fact.globalThresh = globalState.dirtyThresh[global];
    }
    const task = switches?.byPid.get(pid[i]);
    if (task === undefined || switches === undefined || nextNs === null) continue;
    const slept = sleepAfter(task, timeNs[i], pause[i], nextNs[i], switches.endNs);
    if (slept === null) continue;
    fact.verified++;
    fact.sleptMs += slept;
    if (slept > 0) fact.sleeps++;
  }
  return facts;
}

const emptyFacts = (): EpisodeFacts => ({
  events: 0,
  pauses: 0,
  pauseMs: 0,
  maxPauseMs: 0,
  verified: 0,
  sleeps: 0,
  sleptMs: 0,
  minTaskRatelimit: Number.POSITIVE_INFINITY,
  maxDirtyRatelimit: 0,
  maxDirtyOverLimit: 0,
  worst: -1,
  dirty: Number.NaN,
  limit: Number.NaN,
  freerun: Number.NaN,
  wbDirty: Number.NaN,
  wbSetpoint: Number.NaN,
  globalDirty: Number.NaN,
  globalThresh: Number.NaN,
  verdicts: new Map(),
});

/** What every event of the episode tells, with and without a pause. The worst event is the one with the most dirty pages. */
function addEvent(fact: EpisodeFacts, events: ThrottleColumns, i: number): void {
  fact.events++;
  const rate = events.taskRatelimit?.[i] ?? Number.NaN;
  if (rate < fact.minTaskRatelimit) fact.minTaskRatelimit = rate;
  const base = events.dirtyRatelimit?.[i] ?? 0;
  if (base > fact.maxDirtyRatelimit && base < UNDERFLOW) fact.maxDirtyRatelimit = base;
  const dirty = events.dirty?.[i] ?? Number.NaN;
  if (dirty >= UNDERFLOW) return;
  const limit = events.limit?.[i] ?? Number.NaN;
  if (limit > 0 && dirty / limit > fact.maxDirtyOverLimit) fact.maxDirtyOverLimit = dirty / limit;
  if (!isPause(events.pause[i]) || (fact.worst >= 0 && !(dirty > fact.dirty))) return;
  fact.worst = i;
  fact.dirty = dirty;
  fact.limit = limit;
  fact.freerun = freerunOf(events, i);
  fact.wbDirty = events.wbDirty?.[i] ?? Number.NaN;
  fact.wbSetpoint = events.wbSetpoint?.[i] ?? Number.NaN;
  fact.globalDirty = Number.NaN;
  fact.globalThresh = Number.NaN;
}

/**
 * One underflow spoils every comparison, and a pause that nobody slept is none, whatever the limits say. Else the verdict that
 * the most pause time stands for, leaving out events that tell nothing.
 */
function verdictOf(fact: EpisodeFacts): Domain {
  if (fact.verified > 0 && fact.verified === fact.pauses && fact.sleeps === 0) return 'async';
  if (fact.verdicts.has('underflow')) return 'underflow';
  let best: Domain = 'unknown';
  let most = 0;
  for (const [domain, ms] of fact.verdicts) {
    if (domain !== 'unknown' && ms > most) [best, most] = [domain, ms];
  }
  return best;
}

/** For each event the time of the same task's next one, on whatever bdi; infinite after its last. */
function nextEventOfTask(events: ThrottleColumns): Float64Array {
  const { timeNs, pid } = events;
  const next = new Float64Array(timeNs.length);
  const seen = new Map<number, number>();
  for (let i = timeNs.length - 1; i >= 0; i--) {
    next[i] = seen.get(pid[i]) ?? Number.POSITIVE_INFINITY;
    seen.set(pid[i], timeNs[i]);
  }
  return next;
}
