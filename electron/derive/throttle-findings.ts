import type { Episode, Finding } from '../../shared/model.ts';
import { formatNumber, formatValue } from '../../shared/units.ts';
import { cgroupLabel } from './cgroups.ts';
import { cgroupValue, type ThrottleInput } from './throttle.ts';
import { isImpossible, isPause, LONGEST_POSSIBLE_PAUSE_MS, UNDERFLOW } from './throttle-columns.ts';

/** Values in the events that no reader should take at face value; one finding per kind and cgroup, at the first event. */
export function findingsOf(input: ThrottleInput, episodes: readonly Episode[]): Finding[] {
  const found = [...oddValues(input), ...asyncEpisodes(episodes)];
  return found.sort((a, b) => a.atNs - b.atNs);
}

interface Odd {
  kind: string;
  first: number;
  events: number;
}

function oddValues(input: ThrottleInput): Finding[] {
  const { events } = input;
  const { timeNs, pause, think, dirty, cgroup } = events;
  const odd = new Map<string, Odd>();
  const note = (kind: string, i: number): void => {
    const key = `${kind} ${cgroup?.index[i] ?? 0}`;
    const known = odd.get(key);
    if (known === undefined) odd.set(key, { kind, first: i, events: 1 });
    else known.events++;
  };
  for (let i = 0; i < timeNs.length; i++) {
    if (dirty !== undefined && dirty[i] >= UNDERFLOW) note('dirty-underflow', i);
    if (isImpossible(pause[i]) || (pause[i] > 0 && !isPause(pause[i]))) note('impossible-pause', i);
    else if (think !== undefined && isImpossible(think[i])) note('impossible-think', i);
  }
  return [...odd.values()].map(({ kind, first, events: count }) => {
    const info = input.cgroupAt(cgroupValue(events, first), timeNs[first]);
    const where = cgroup === undefined ? '' : ` of cgroup ${cgroupLabel(info)}`;
    const many = count === 1 ? `In one event${where}` : `In ${count} events${where}`;
    return { kind, message: `${many} ${oddMessage(input, kind, first)}`, atNs: timeNs[first] };
  });
}

function oddMessage({ events }: ThrottleInput, kind: string, first: number): string {
  const first_ms = (column: Float64Array | undefined): string => formatValue(column?.[first] ?? Number.NaN, 'ms');
  switch (kind) {
    case 'dirty-underflow':
      return `dirty is ${formatNumber(events.dirty?.[first] ?? Number.NaN)} pages, just below 2^64: the kernel's count of dirty pages went below zero. The value is kept out of comparisons.`;
    case 'impossible-pause':
      return `pause is impossible (first ${first_ms(events.pause)}; the kernel asks for at most 200 ms, and up to ${formatValue(LONGEST_POSSIBLE_PAUSE_MS, 'ms')} is believed). It is not counted as a pause.`;
    default:
      return `think is impossible (first ${first_ms(events.think)}): the kernel's clock arithmetic wrapped around.`;
  }
}

function asyncEpisodes(episodes: readonly Episode[]): Finding[] {
  const async = episodes.filter((episode) => episode.domain === 'async');
  const first = async[0];
  if (first === undefined) return [];
  const pauses = async.reduce((sum, episode) => sum + episode.pauses, 0);
  const message =
    `${pauses} ${pauses === 1 ? 'pause' : 'pauses'} in ${async.length} ${async.length === 1 ? 'episode' : 'episodes'} were asked ` +
    'for but not slept, by sched_switch: asynchronous writes (io_uring, NOWAIT) get -EAGAIN instead. They count in pauseMs, not in sleptMs.';
  return [{ kind: 'async-pauses', message, atNs: first.fromNs }];
}
