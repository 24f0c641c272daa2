import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import type { Machine } from './machine.ts';
import { readControl } from './tracefs.ts';

/** An event that the kernel offers. */
export interface AvailableEvent {
  system: string;
  name: string;
}

/** What to capture: a pattern in trace-cmd's forms, and a filter in the kernel's language for the events that it names. */
export interface EventChoice {
  pattern: string;
  filter?: string | undefined;
}

/** All events of this kernel, those of loaded modules and the user's own probes included, sorted. */
export async function availableEvents(machine: Machine, root: string): Promise<AvailableEvent[]> {
  return (await readControl(machine, join(root, 'available_events')))
    .split('\n')
    .flatMap((line) => {
      const colon = line.indexOf(':');
      return colon < 0 ? [] : [{ system: line.slice(0, colon), name: line.slice(colon + 1).trim() }];
    })
    .sort((a, b) => compare(a.system, b.system) || compare(a.name, b.name));
}

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);

/**
 * The events that a pattern names: `all`, `SYSTEM`, `EVENT`, `SYSTEM:EVENT`, `SYSTEM/EVENT`, each with `*`, `?` and `[…]` as
 * in a shell. A word without a separator is a system's name first, an event's second. Throws RemoraError `not-found`.
 */
export function eventsOf(pattern: string, available: readonly AvailableEvent[]): AvailableEvent[] {
  if (pattern === 'all' || pattern === '*:*') return [...available];
  const [system, name] = pattern.split(/[:/]/, 2) as [string, string | undefined];
  const ofSystem = glob(system);
  let found: AvailableEvent[];
  if (name === undefined) {
    found = available.filter((event) => ofSystem.test(event.system));
    if (found.length === 0) found = available.filter((event) => ofSystem.test(event.name));
  } else {
    const ofName = glob(name === '' ? '*' : name);
    found = available.filter((event) => ofSystem.test(event.system) && ofName.test(event.name));
  }
  if (found.length > 0) return found;
  const near = nearest(name ?? system, available);
  const hint = near.length === 0 ? '`remora record --list` names them all' : `did you mean ${near.join(' or ')}?`;
  throw new RemoraError({ code: 'not-found', message: `this kernel has no event ${pattern}: ${hint}` });
}

/** The events of each system. */
export function bySystem(events: readonly AvailableEvent[]): Map<string, AvailableEvent[]> {
  const systems = new Map<string, AvailableEvent[]>();
  for (const event of events) {
    const list = systems.get(event.system);
    if (list === undefined) systems.set(event.system, [event]);
    else list.push(event);
  }
  return systems;
}

/** A shell's pattern as a regular expression. */
function glob(pattern: string): RegExp {
  const source = pattern
    .replace(/[.+^${}()|\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.')
    .replaceAll('[!', '[^');
  try {
    return new RegExp(`^${source}$`);
  } catch {
    return new RegExp(`^${pattern.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')}$`);
  }
}

/** Up to three events whose names are a few typing errors away or hold the word. */
function nearest(word: string, available: readonly AvailableEvent[]): string[] {
  const limit = Math.max(2, Math.floor(word.length / 4));
  return available
    .map(({ system, name }) => ({
      text: `${system}:${name}`,
      distance:
        name.includes(word) && word.length > 2 ? 0 : Math.min(distance(word, name), distance(word, system) + 0.5),
    }))
    .filter((entry) => entry.distance <= limit)
    .sort((a, b) => a.distance - b.distance || a.text.length - b.text.length)
    .slice(0, 3)
    .map(({ text }) => text);
}

/** Levenshtein's distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_unused, i) => i);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = (row[j - 1] as number) + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(change, (row[j] as number) + 1, (next[j - 1] as number) + 1));
    }
    row = next;
  }
  return row[b.length] as number;
}

/** Events for the questions people bring; a preset takes those that the kernel at hand has. */
export const eventPresets: Record<string, { title: string; patterns: string[] }> = {
  throttling: {
    title: 'Dirty-page throttling: who is paused, by which limit, and the writeback that ends it',
    patterns: [
      'writeback:balance_dirty_pages',
      'writeback:bdi_dirty_ratelimit',
      'writeback:global_dirty_state',
      'writeback:writeback_start',
      'writeback:writeback_written',
      'sched:sched_switch',
      'cgroup:cgroup_mkdir',
      'cgroup:cgroup_rmdir',
      'cgroup:cgroup_rename',
      'cgroup:cgroup_attach_task',
    ],
  },
  scheduling: {
    title: 'Which task runs on which CPU, wake-ups and migrations',
    patterns: [
      'sched:sched_switch',
      'sched:sched_wakeup',
      'sched:sched_wakeup_new',
      'sched:sched_migrate_task',
      'sched:sched_process_*',
    ],
  },
  block: {
    title: 'Block I/O: requests from insertion to completion',
    patterns: ['block:block_rq_insert', 'block:block_rq_issue', 'block:block_rq_complete', 'block:block_rq_requeue'],
  },
  reclaim: {
    title: 'Memory reclaim: direct, per cgroup, and by kswapd',
    patterns: [
      'vmscan:*reclaim_begin',
      'vmscan:*reclaim_end',
      'vmscan:mm_vmscan_kswapd_*',
      'vmscan:mm_vmscan_throttled',
      'oom:*',
    ],
  },
  syscalls: {
    title: 'Every system call, entry and exit',
    patterns: ['raw_syscalls:sys_enter', 'raw_syscalls:sys_exit'],
  },
};

/** A preset's patterns that this kernel has events for. Throws RemoraError `not-found` where it has none, or the preset is unknown. */
export function presetChoices(preset: string, available: readonly AvailableEvent[]): EventChoice[] {
  const known = eventPresets[preset];
  if (known === undefined) {
    const names = Object.keys(eventPresets).join(', ');
    throw new RemoraError({ code: 'not-found', message: `no preset is called ${preset}: there are ${names}` });
  }
  const choices = known.patterns.flatMap((pattern) => {
    const [system, name] = pattern.split(':') as [string, string];
    const [ofSystem, ofName] = [glob(system), glob(name)];
    const some = available.some((event) => ofSystem.test(event.system) && ofName.test(event.name));
    return some ? [{ pattern }] : [];
  });
  if (choices.length > 0) return choices;
  throw new RemoraError({ code: 'not-found', message: `this kernel has none of the events of the preset ${preset}` });
}

/** The events of a preset that this kernel has. Throws RemoraError `not-found` where the preset is unknown. */
export function presetEvents(preset: string, available: readonly AvailableEvent[]): AvailableEvent[] {
  const known = eventPresets[preset];
  if (known === undefined) throw new RemoraError({ code: 'not-found', message: `no preset is called ${preset}` });
  const patterns = known.patterns.map((pattern) => pattern.split(':').map(glob) as [RegExp, RegExp]);
  return available.filter(({ system, name }) =>
    patterns.some(([ofSystem, ofName]) => ofSystem.test(system) && ofName.test(name)),
  );
}
