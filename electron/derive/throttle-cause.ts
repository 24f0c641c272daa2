import type { CgroupInfo } from '../../shared/model.ts';
import { formatReadable, formatValue } from '../../shared/units.ts';
import { cgroupLabel } from './cgroups.ts';
import type { Domain } from './throttle-domain.ts';

/** What the events of one episode say, gathered in one walk. Pages, KiB/s and ms; NaN where the recording does not tell. */
export interface EpisodeFacts {
  events: number;
  pauses: number;
  pauseMs: number;
  maxPauseMs: number;
  /** Pauses of which sched_switch tells whether they were slept, how many were, and for how long altogether. */
  verified: number;
  sleeps: number;
  sleptMs: number;
  minTaskRatelimit: number;
  maxDirtyRatelimit: number;
  maxDirtyOverLimit: number;
  /** The event with a pause and the most dirty pages, and what it and the global state just before it say; -1: none. */
  worst: number;
  dirty: number;
  limit: number;
  freerun: number;
  wbDirty: number;
  wbSetpoint: number;
  globalDirty: number;
  globalThresh: number;
  /** Pause time in ms that each verdict stands for. */
  verdicts: Map<Domain, number>;
}

interface Identity {
  bdi: string;
  cgroup: CgroupInfo;
  task: { pid: number; comm: string };
}

const pages = (value: number): string => formatValue(Math.round(value), 'pages');
const percent = (part: number, whole: number): string =>
  `${formatValue((part / whole) * 100, '%', { significant: 2 })}`;

/** One plain sentence: who, how long, and which numbers show why. */
export function causeOf(facts: EpisodeFacts, domain: Domain, { bdi, cgroup, task }: Identity): string {
  const times = facts.pauses === 1 ? 'once' : `${facts.pauses} times`;
  const total = formatReadable(facts.pauseMs * 1e6, 'ns');
  const who = `${task.comm === '' ? `task ${task.pid}` : task.comm} writing to ${bdi === '' ? 'an unnamed device' : bdi}`;
  const asked = domain === 'async' ? 'was told to pause' : 'was paused';
  return `${who} ${asked} ${times}, ${total} in all, ${reason(facts, domain, cgroupLabel(cgroup))}${rate(facts)}.`;
}

function reason(facts: EpisodeFacts, domain: Domain, cgroup: string): string {
  const { dirty, limit, freerun, wbDirty, wbSetpoint, globalDirty, globalThresh } = facts;
  const above = Number.isNaN(freerun) ? '' : `, above the ${pages(freerun)} below which nobody is paused`;
  switch (domain) {
    case 'memcg': {
      const machine = Number.isNaN(globalDirty)
        ? ''
        : `, while the whole machine had ${pages(globalDirty)}, ${percent(globalDirty, globalThresh)} of its threshold`;
      return `by the limit of cgroup ${cgroup}: up to ${pages(dirty)} dirty${above} in it${machine}`;
    }
    case 'global':
      return `by the limit of the whole machine: up to ${pages(dirty)} dirty, ${percent(dirty, limit)} of the limit of ${pages(limit)}${above}`;
    case 'strictlimit': {
      const own = Number.isNaN(wbDirty)
        ? ''
        : `: up to ${pages(wbDirty)} dirty on it against a setpoint of ${pages(wbSetpoint)}`;
      const rest = Number.isNaN(limit)
        ? ''
        : `, while only ${percent(dirty, limit)} of the limit of ${pages(limit)} was dirty`;
      return `by the device's own share (strict limit)${own}${rest}`;
    }
    case 'async':
      return 'but sched_switch shows that it never slept: writes that do not wait (NOWAIT) get -EAGAIN instead';
    case 'underflow':
      return 'because the count of dirty pages went below zero and reads as nearly 2^64, beyond any limit: a fault of the kernel';
    case 'unknown': {
      if (Number.isNaN(dirty) || Number.isNaN(limit)) return 'by a limit that the recording does not tell';
      const share = `up to ${pages(dirty)} dirty, ${percent(dirty, limit)} of the limit of ${pages(limit)}`;
      return `${share}; the recording does not tell whether the machine's or the cgroup's limit did it`;
    }
  }
}

/** The rate that the task was held to, and the base rate, which follows what the device can write. */
function rate({ minTaskRatelimit, maxDirtyRatelimit }: EpisodeFacts): string {
  if (!Number.isFinite(minTaskRatelimit)) return '';
  const base = maxDirtyRatelimit > 0 ? ` (base rate up to ${formatReadable(maxDirtyRatelimit, 'KiB/s')})` : '';
  if (minTaskRatelimit === 0) return `; at worst it was stopped altogether${base}`;
  return `; at worst it could write ${formatReadable(minTaskRatelimit, 'KiB/s')}${base}`;
}
