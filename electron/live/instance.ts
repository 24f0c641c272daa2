import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { type KernelFilter, kernelFilter, typedPosition } from '../../shared/filter/kernel.ts';
import { type AvailableEvent, availableEvents, bySystem, type EventChoice, eventsOf } from './event-choice.ts';
import type { Machine } from './machine.ts';
import { clocks, controlError, readControl, writeControl } from './tracefs.ts';

/** How an instance shall capture. */
export interface InstanceSettings {
  events: readonly EventChoice[];
  clock?: string | undefined;
  /** Ring buffer of each CPU, in KiB. */
  bufferKiB?: number | undefined;
  /** Only these CPUs. */
  cpus?: readonly number[] | undefined;
  /** Only these threads, and with `children` what they start. */
  pids?: readonly number[] | undefined;
  /** A kernel stack trace behind every event. */
  stacks?: boolean | undefined;
}

/** One CPU's line of `per_cpu/cpuN/stats`. */
export interface CpuStats {
  /** Events in the buffer, and their bytes. */
  entries: number;
  bytes: number;
  /** Events that the kernel lost: the oldest were written over, or new ones found no room. */
  lost: number;
  /** Events that were read out. */
  read: number;
}

/** Text of `stats`: lines `name: number`. */
export function parseStats(text: string): CpuStats {
  const value = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1] ?? 0);
  return {
    entries: value('entries'),
    bytes: value('bytes'),
    lost: value('overrun') + value('commit overrun') + value('dropped events'),
    read: value('read events'),
  };
}

const PREFIX = 'remora-';

/**
 * When a process started, in clock ticks since boot, out of its `/proc/PID/stat`: proc(5), field 22. Null for one that has ended and
 * that nobody has asked after yet.
 */
export function startInStat(stat: string): string | null {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
}

/** When a process started; null where there is none. */
async function startOf(machine: Machine, pid: number): Promise<string | null> {
  try {
    return startInStat((await machine.read(`/proc/${pid}/stat`)).toString('latin1'));
  } catch (error) {
    if (error instanceof RemoraError) throw error;
    return null;
  }
}

let made = 0;

/**
 * A ring buffer of our own: a folder below `instances`, with its own events, filters, clock and size, so that whoever else
 * traces is left alone. Its name says which process it belongs to (pid and start time, as pids are used again).
 */
export class TraceInstance {
  readonly root: string;
  readonly path: string;
  readonly name: string;
  readonly #machine: Machine;
  /** What was asked for and could not be had exactly; for people. */
  readonly notes: string[] = [];
  /** The events that are captured, once configured. */
  events: AvailableEvent[] = [];
  #removed = false;

  private constructor(machine: Machine, root: string, name: string) {
    this.#machine = machine;
    this.root = root;
    this.name = name;
    this.path = join(root, 'instances', name);
  }

  static async make(machine: Machine, root: string): Promise<TraceInstance> {
    const start = await startOf(machine, machine.pid);
    const name = `${PREFIX}${machine.pid}-${start}${made > 0 ? `-${made}` : ''}`;
    made++;
    const instance = new TraceInstance(machine, root, name);
    await instance.#make();
    return instance;
  }

  async #make(): Promise<void> {
    try {
      await this.#machine.makeInstance(this.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const full = code === 'ENOMEM' || code === 'ENOSPC';
      if (full) {
        const message = `no other tracing instance could be made (${code}): \`remora record --stale\` lists those that were left behind`;
        throw new RemoraError({ code: 'file', file: this.path, message }, { cause: error });
      }
      throw controlError(this.#machine, this.path, 'made', error);
    }
    await this.#set('tracing_on', '0');
  }

  #set(name: string, value: string): Promise<void> {
    return writeControl(this.#machine, join(this.path, name), value);
  }

  #has(name: string): Promise<boolean> {
    return this.#machine.exists(join(this.path, name));
  }

  /** Sets everything up without capturing yet. On an error the instance is still there: the caller removes it. */
  async configure(settings: InstanceSettings): Promise<void> {
    if (settings.clock !== undefined) await this.#setClock(settings.clock);
    if (settings.bufferKiB !== undefined) await this.#setBuffer(settings.bufferKiB);
    if (settings.cpus !== undefined) await this.#set('tracing_cpumask', cpuMask(settings.cpus));
    // What followed tasks start is followed, and what tasks that are left out start is left out.
    await this.#option('event-fork', true, settings.pids !== undefined);
    if (settings.pids !== undefined) await this.follow(settings.pids);
    await this.#ignoreOwnTasks();
    await this.#option('stacktrace', settings.stacks === true, true);
    await this.#option('record-tgid', true, false);
    await this.#chooseEvents(settings.events);
  }

  async #setClock(clock: string): Promise<void> {
    const { all } = await clocks(this.#machine, this.path);
    if (!all.includes(clock)) {
      throw new RemoraError({
        code: 'not-found',
        message: `this kernel has no clock ${clock}: it has ${all.join(', ')}`,
      });
    }
    await this.#set('trace_clock', clock);
  }

  async #setBuffer(kib: number): Promise<void> {
    try {
      await this.#set('buffer_size_kb', String(kib));
    } catch (error) {
      if (((error as Error).cause as NodeJS.ErrnoException | undefined)?.code !== 'ENOMEM') throw error;
      const message = `the kernel has not enough memory for ring buffers of ${kib} KiB on each CPU: ask for less with -b`;
      throw new RemoraError({ code: 'file', message, file: join(this.path, 'buffer_size_kb') }, { cause: error });
    }
  }

  /** Options that a kernel does not have are only missed where they were asked for. */
  async #option(name: string, on: boolean, asked: boolean): Promise<void> {
    if (await this.#has(`options/${name}`)) await this.#set(`options/${name}`, on ? '1' : '0');
    else if (on && asked) this.notes.push(`this kernel has no option ${name} for an instance`);
  }

  /**
   * Reading a ring buffer and writing a file are system calls, wake-ups and dirty pages too: the capture leaves itself out, as
   * trace-cmd does, where the kernel can (5.7). Switches between it and others stay.
   */
  async #ignoreOwnTasks(): Promise<void> {
    if (!(await this.#has('set_event_notrace_pid'))) return;
    await this.#set('set_event_notrace_pid', (await this.#machine.ownTasks()).join(' '));
  }

  /** Adds threads to those that are followed; what they start from now on is followed too. */
  async follow(pids: readonly number[]): Promise<void> {
    for (let i = 0; i < pids.length; i += 256)
      await this.#set('set_event_pid', `${pids.slice(i, i + 256).join(' ')}\n`);
  }

  async #chooseEvents(choices: readonly EventChoice[]): Promise<void> {
    const available = await availableEvents(this.#machine, this.root);
    const chosen = new Map<string, AvailableEvent>();
    for (const [choice, { pattern, filter }] of choices.entries()) {
      const events = eventsOf(pattern, available);
      if (filter !== undefined && filter.trim() !== '') await this.#filter(choice, pattern, events, filter);
      for (const event of events) chosen.set(`${event.system}:${event.name}`, event);
    }
    this.events = [...chosen.values()];
    await this.#enable(available);
  }

  /** A filter of several events goes to those that have its fields; that the others pass unfiltered is noted. */
  async #filter(choice: number, pattern: string, events: readonly AvailableEvent[], filter: string): Promise<void> {
    const refused: string[] = [];
    let first: RemoraError | undefined;
    for (const { system, name } of events) {
      const said = kernelFilter(filter, await this.#fieldNames(system, name));
      if (!said.ok) {
        const { message, position } = said;
        throw new RemoraError({ code: 'bad-expression', message: `"${filter}": ${message}`, position, choice });
      }
      try {
        await this.#set(`events/${system}/${name}/filter`, said.text);
      } catch (error) {
        refused.push(name);
        first ??= await this.#filterError(system, name, filter, said, error as RemoraError);
      }
    }
    if (first !== undefined && refused.length === events.length) {
      throw first.code === 'bad-expression' ? new RemoraError({ ...first.detail, choice }) : first;
    }
    if (refused.length > 0) {
      const names =
        refused.length > 5 ? `${refused.slice(0, 5).join(', ')} and ${refused.length - 5} more` : refused.join(', ');
      this.notes.push(
        `the filter "${filter}" does not fit ${refused.length} of ${events.length} events of ${pattern}, which are captured unfiltered: ${names}`,
      );
    }
  }

  /** The kernel's own words on a filter that it refused, with the position in what was typed. */
  async #filterError(
    system: string,
    name: string,
    typed: string,
    { text, anchors }: Extract<KernelFilter, { ok: true }>,
    error: RemoraError,
  ): Promise<RemoraError> {
    if (!(await this.#has(`events/${system}/${name}`))) {
      return new RemoraError({
        code: 'not-found',
        message: `the event ${system}:${name} is gone: was its module unloaded?`,
      });
    }
    const log = (await this.#has('error_log')) ? await this.#get('error_log') : '';
    const found = lastFilterError(log, text) ?? filterFileError(await this.#get(`events/${system}/${name}/filter`));
    if (found === null) return error;
    return new RemoraError({
      code: 'bad-expression',
      message: `the kernel refuses the filter "${typed}" for ${system}:${name}: ${found.reason}`,
      position: typedPosition(anchors, wordBefore(text, found)),
    });
  }

  /** Whole systems at once where all of one is wanted: some thousand events are switched on in one go. */
  async #enable(available: readonly AvailableEvent[]): Promise<void> {
    const all = bySystem(available);
    const refused: string[] = [];
    for (const [system, events] of bySystem(this.events)) {
      if (events.length === all.get(system)?.length && (await this.#tryEnable(`events/${system}/enable`))) continue;
      for (const { name } of events)
        if (!(await this.#tryEnable(`events/${system}/${name}/enable`))) refused.push(`${system}:${name}`);
    }
    if (refused.length === this.events.length && refused.length > 0) {
      throw new RemoraError({
        code: 'file',
        message: `the kernel refuses to capture ${refused.slice(0, 5).join(', ')}`,
      });
    }
    if (refused.length > 0) this.notes.push(`the kernel refuses to capture ${refused.join(', ')}`);
    this.events = this.events.filter(({ system, name }) => !refused.includes(`${system}:${name}`));
  }

  async #tryEnable(name: string): Promise<boolean> {
    try {
      await this.#set(name, '1');
      return true;
    } catch {
      return false;
    }
  }

  /** Names of an event's own fields, by its format file; empty where that can not be read. */
  async #fieldNames(system: string, name: string): Promise<Set<string>> {
    const file = `events/${system}/${name}/format`;
    if (!(await this.#has(file))) return new Set();
    const fields = (await this.#get(file)).matchAll(/\tfield:[^;]*?(\w+)(?:\[[^\]]*\])?;/g);
    return new Set([...fields].map((match) => match[1] as string));
  }

  #get(name: string): Promise<string> {
    return readControl(this.#machine, join(this.path, name));
  }

  async start(): Promise<void> {
    await this.#set('tracing_on', '1');
  }

  async stop(): Promise<void> {
    await this.#set('tracing_on', '0');
  }

  /** CPUs that have a ring buffer, ascending. */
  cpus(): Promise<number[]> {
    return cpusOf(this.#machine, this.path);
  }

  /** Takes the instance away. Everything that was opened below it must be closed. True when nothing is left. */
  async remove(): Promise<boolean> {
    this.#removed ||= await removeInstance(this.#machine, this.path);
    return this.#removed;
  }
}

/** CPUs that have a ring buffer, ascending, of an instance or the top. */
export async function cpusOf(machine: Machine, root: string): Promise<number[]> {
  return (await machine.list(join(root, 'per_cpu')))
    .flatMap((name) => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : []))
    .sort((a, b) => a - b);
}

/** Hexadecimal groups of 32 CPUs, highest first. */
export function cpuMask(cpus: readonly number[]): string {
  const groups: number[] = [0];
  for (const cpu of cpus) {
    while (groups.length <= cpu >>> 5) groups.push(0);
    groups[cpu >>> 5] = ((groups[cpu >>> 5] as number) | (1 << (cpu & 31))) >>> 0;
  }
  return groups
    .reverse()
    .map((group, i) => (i === 0 ? group.toString(16) : group.toString(16).padStart(8, '0')))
    .join(',');
}

/**
 * The last complaint of `error_log` about this filter:
 * ```
 * [ 5707.884170] event filter parse error: error: Field not found
 *   Command: foo == 1
 *                ^
 * ```
 */
export function lastFilterError(log: string, filter: string): { reason: string; position: number } | null {
  const pattern = /^\[[^\]]*\] [^\n]*?error: ([^\n]*)\n {2}Command: ([^\n]*)\n( *)\^/gm;
  const all = [...log.matchAll(pattern)].filter((match) => match[2] === filter);
  const last = all.at(-1);
  if (last === undefined) return null;
  return {
    reason: (last[1] as string).replace(/^error: /, ''),
    position: (last[3] as string).length - '  Command: '.length,
  };
}

/** The kernel points behind a field that it does not find, people look for the field. */
function wordBefore(filter: string, { reason, position }: { reason: string; position: number }): number {
  const at = Math.min(position, filter.length);
  if (!/field not found/i.test(reason) || /\w/.test(filter[at] ?? '')) return at;
  return /\w+\s*$/.exec(filter.slice(0, at))?.index ?? at;
}

/** What older kernels leave in the filter file itself: the filter, a line with `^`, `parse_error: reason`. */
export function filterFileError(text: string): { reason: string; position: number } | null {
  const found = /\n( *)\^\nparse_error: (.*)/.exec(text);
  return found === null ? null : { reason: found[2] as string, position: (found[1] as string).length };
}

/** True when the folder is gone. The kernel keeps an instance whose files somebody has open. */
async function removeInstance(machine: Machine, path: string): Promise<boolean> {
  try {
    if (await machine.exists(join(path, 'tracing_on'))) await writeControl(machine, join(path, 'tracing_on'), '0');
    await machine.removeInstance(path);
    return true;
  } catch {
    return !(await machine.exists(path).catch(() => true));
  }
}

/** Instances of ours whose process is gone, in tracefs at `root`. Another program's are never among them. */
export async function staleInstances(machine: Machine, root: string): Promise<string[]> {
  const stale: string[] = [];
  for (const name of await machine.list(join(root, 'instances'))) {
    const match = /^remora-(\d+)-(\d+)(?:-\d+)?$/.exec(name);
    if (match !== null && (await startOf(machine, Number(match[1]))) !== match[2]) stale.push(name);
  }
  return stale;
}

/** Removes what `staleInstances` lists. Returns those that could not be removed because somebody has them open. */
export async function removeStaleInstances(
  machine: Machine,
  root: string,
): Promise<{ removed: string[]; kept: string[] }> {
  const removed: string[] = [];
  const kept: string[] = [];
  for (const name of await staleInstances(machine, root))
    ((await removeInstance(machine, join(root, 'instances', name))) ? removed : kept).push(name);
  return { removed, kept };
}
