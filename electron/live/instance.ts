import { closeSync, existsSync, mkdirSync, openSync, readdirSync, readFileSync, rmdirSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { type KernelFilter, kernelFilter, typedPosition } from '../../shared/filter/kernel.ts';
import { type AvailableEvent, availableEvents, bySystem, type EventChoice, eventsOf } from './event-choice.ts';
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
 * When a process started, in clock ticks since boot: proc(5), stat field 22. Null where there is no such process, or one that has
 * ended and that nobody has asked after yet.
 */
export function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? null : (fields[19] ?? null);
  } catch {
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
  /** What was asked for and could not be had exactly; for people. */
  readonly notes: string[] = [];
  /** The events that are captured, once configured. */
  events: AvailableEvent[] = [];
  #removed = false;

  constructor(root: string) {
    this.root = root;
    this.name = `${PREFIX}${process.pid}-${startOf(process.pid)}${made > 0 ? `-${made}` : ''}`;
    made++;
    this.path = join(root, 'instances', this.name);
    try {
      mkdirSync(this.path);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      const full = code === 'ENOMEM' || code === 'ENOSPC';
      if (full) {
        throw new RemoraError(
          {
            code: 'file',
            file: this.path,
            message: `no other tracing instance could be made (${code}): \`remora record --stale\` lists those that were left behind`,
          },
          { cause: error },
        );
      }
      throw controlError(root, `instances/${this.name}`, 'made', error);
    }
    writeControl(this.path, 'tracing_on', '0');
  }

  /** Sets everything up without capturing yet. On an error the instance is still there: the caller removes it. */
  configure(settings: InstanceSettings): void {
    if (settings.clock !== undefined) this.#setClock(settings.clock);
    if (settings.bufferKiB !== undefined) this.#setBuffer(settings.bufferKiB);
    if (settings.cpus !== undefined) writeControl(this.path, 'tracing_cpumask', cpuMask(settings.cpus));
    if (settings.pids !== undefined) {
      this.follow(settings.pids);
      this.#option('event-fork', true);
    }
    this.#ignoreOwnProcess();
    this.#option('stacktrace', settings.stacks === true);
    this.#option('record-tgid', true);
    this.#chooseEvents(settings.events);
  }

  #setClock(clock: string): void {
    const { all } = clocks(this.path);
    if (!all.includes(clock)) {
      throw new RemoraError({
        code: 'not-found',
        message: `this kernel has no clock ${clock}: it has ${all.join(', ')}`,
      });
    }
    writeControl(this.path, 'trace_clock', clock);
  }

  #setBuffer(kib: number): void {
    try {
      writeControl(this.path, 'buffer_size_kb', String(kib));
    } catch (error) {
      if (((error as Error).cause as NodeJS.ErrnoException).code !== 'ENOMEM') throw error;
      const message = `the kernel has not enough memory for ring buffers of ${kib} KiB on each CPU: ask for less with -b`;
      throw new RemoraError({ code: 'file', message, file: join(this.path, 'buffer_size_kb') }, { cause: error });
    }
  }

  /** Options that a kernel does not have are only missed where they were asked for. */
  #option(name: string, on: boolean): void {
    if (existsSync(join(this.path, 'options', name))) writeControl(this.path, `options/${name}`, on ? '1' : '0');
    else if (on && name !== 'record-tgid') this.notes.push(`this kernel has no option ${name} for an instance`);
  }

  /**
   * Reading a ring buffer and writing a file are system calls, wake-ups and dirty pages too: the capture leaves itself out, as
   * trace-cmd does, where the kernel can (5.7). Switches between it and others stay.
   */
  #ignoreOwnProcess(): void {
    if (!existsSync(join(this.path, 'set_event_notrace_pid'))) return;
    const own = readdirSync('/proc/self/task').join(' ');
    writeControl(this.path, 'set_event_notrace_pid', own);
  }

  /** Adds threads to those that are followed; what they start from now on is followed too. */
  follow(pids: readonly number[]): void {
    let descriptor: number;
    try {
      // Without O_TRUNC, which would forget those that are followed already.
      descriptor = openSync(join(this.path, 'set_event_pid'), 'r+');
    } catch (error) {
      throw controlError(this.path, 'set_event_pid', 'opened', error);
    }
    try {
      for (let i = 0; i < pids.length; i += 256) writeSync(descriptor, `${pids.slice(i, i + 256).join(' ')}\n`);
    } catch (error) {
      throw controlError(this.path, 'set_event_pid', 'written', error);
    } finally {
      closeSync(descriptor);
    }
  }

  #chooseEvents(choices: readonly EventChoice[]): void {
    const available = availableEvents(this.root);
    const chosen = new Map<string, AvailableEvent>();
    for (const [choice, { pattern, filter }] of choices.entries()) {
      const events = eventsOf(pattern, available);
      if (filter !== undefined && filter.trim() !== '') this.#filter(choice, pattern, events, filter);
      for (const event of events) chosen.set(`${event.system}:${event.name}`, event);
    }
    this.events = [...chosen.values()];
    this.#enable(available);
  }

  /** A filter of several events goes to those that have its fields; that the others pass unfiltered is noted. */
  #filter(choice: number, pattern: string, events: readonly AvailableEvent[], filter: string): void {
    const refused: string[] = [];
    let first: RemoraError | undefined;
    for (const { system, name } of events) {
      const said = kernelFilter(filter, fieldNames(this.path, system, name));
      if (!said.ok) {
        const { message, position } = said;
        throw new RemoraError({ code: 'bad-expression', message: `"${filter}": ${message}`, position, choice });
      }
      try {
        writeControl(this.path, `events/${system}/${name}/filter`, said.text);
      } catch (error) {
        refused.push(name);
        first ??= this.#filterError(system, name, filter, said, error as RemoraError);
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
  #filterError(
    system: string,
    name: string,
    typed: string,
    { text, anchors }: Extract<KernelFilter, { ok: true }>,
    error: RemoraError,
  ): RemoraError {
    if (!existsSync(join(this.path, `events/${system}/${name}`))) {
      return new RemoraError({
        code: 'not-found',
        message: `the event ${system}:${name} is gone: was its module unloaded?`,
      });
    }
    const log = existsSync(join(this.path, 'error_log')) ? readControl(this.path, 'error_log') : '';
    const found =
      lastFilterError(log, text) ?? filterFileError(readControl(this.path, `events/${system}/${name}/filter`));
    if (found === null) return error;
    return new RemoraError({
      code: 'bad-expression',
      message: `the kernel refuses the filter "${typed}" for ${system}:${name}: ${found.reason}`,
      position: typedPosition(anchors, wordBefore(text, found)),
    });
  }

  /** Whole systems at once where all of one is wanted: some thousand events are switched on in one go. */
  #enable(available: readonly AvailableEvent[]): void {
    const all = bySystem(available);
    const refused: string[] = [];
    for (const [system, events] of bySystem(this.events)) {
      if (events.length === all.get(system)?.length && this.#tryEnable(`events/${system}/enable`)) continue;
      for (const { name } of events)
        if (!this.#tryEnable(`events/${system}/${name}/enable`)) refused.push(`${system}:${name}`);
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

  #tryEnable(name: string): boolean {
    try {
      writeControl(this.path, name, '1');
      return true;
    } catch {
      return false;
    }
  }

  start(): void {
    writeControl(this.path, 'tracing_on', '1');
  }

  stop(): void {
    writeControl(this.path, 'tracing_on', '0');
  }

  /** CPUs that have a ring buffer, ascending. */
  cpus(): number[] {
    return readdirSync(join(this.path, 'per_cpu'))
      .flatMap((name) => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : []))
      .sort((a, b) => a - b);
  }

  /** Takes the instance away. Everything that was opened below it must be closed. True when nothing is left. */
  remove(): boolean {
    if (this.#removed) return true;
    this.#removed = removeInstance(this.path);
    return this.#removed;
  }
}

/** Names of an event's own fields, by its format file; empty where that can not be read. */
function fieldNames(instance: string, system: string, name: string): Set<string> {
  const file = `events/${system}/${name}/format`;
  if (!existsSync(join(instance, file))) return new Set();
  const fields = readControl(instance, file).matchAll(/\tfield:[^;]*?(\w+)(?:\[[^\]]*\])?;/g);
  return new Set([...fields].map((match) => match[1] as string));
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
function removeInstance(path: string): boolean {
  try {
    if (existsSync(join(path, 'tracing_on'))) writeControl(path, 'tracing_on', '0');
    rmdirSync(path);
    return true;
  } catch (error) {
    return ((error as RemoraError).cause as NodeJS.ErrnoException | undefined)?.code === 'ENOENT' || !existsSync(path);
  }
}

/** Instances of ours whose process is gone, in tracefs at `root`. Another program's are never among them. */
export function staleInstances(root: string): string[] {
  return readdirSync(join(root, 'instances')).filter((name) => {
    const match = /^remora-(\d+)-(\d+)(?:-\d+)?$/.exec(name);
    return match !== null && startOf(Number(match[1])) !== match[2];
  });
}

/** Removes what `staleInstances` lists. Returns those that could not be removed because somebody has them open. */
export function removeStaleInstances(root: string): { removed: string[]; kept: string[] } {
  const removed: string[] = [];
  const kept: string[] = [];
  for (const name of staleInstances(root)) (removeInstance(join(root, 'instances', name)) ? removed : kept).push(name);
  return { removed, kept };
}
