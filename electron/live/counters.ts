import { join, relative } from 'node:path';
import type { CgroupHierarchy } from './cgroup-folders.ts';
import type { Machine } from './machine.ts';

/**
 * Counters of the machine and its cgroups, written into the trace itself as lines of `trace_marker`, so that any recording
 * carries them on its own clock. A line is
 * ```
 * remora:counters SOURCE [cgroup=PATH ino=INODE] NAME=VALUE NAME=VALUE …
 * ```
 * PATH is below the hierarchy's root, `/` for itself; a space, `%` or control character in it is written `%XX`. Values are decimal.
 * SOURCE and unit: `vmstat` pages (nr_*, workingset_*) and counts; `meminfo` KiB; `memory.stat` bytes and counts, as the kernel has
 * them; `memory` bytes (current, low, high, max; `max` where there is no limit is left out); `memory.events` counts;
 * `pressure.memory`, `pressure.io`, `pressure.cpu` (some, full: total stall in µs). A sample of many values is several lines.
 */
const MARK = 'remora:counters';
/** Old kernels cut a marker at 1 KiB. */
const LINE_BYTES = 960;
/** cgroups beyond this many are left out of a sample. */
const MOST_CGROUPS = 256;

const VMSTAT =
  /^(nr_(free_pages|dirty|writeback|dirtied|written|dirty_threshold|dirty_background_threshold|file_pages|active_file|inactive_file|throttled_written)|workingset_\w+|pgscan_\w+|pgsteal_\w+|allocstall_\w+|pgmajfault|oom_kill)$/;
const MEMINFO =
  /^(MemTotal|MemFree|MemAvailable|Buffers|Cached|Dirty|Writeback|WritebackTmp|Active\(file\)|Inactive\(file\)|AnonPages)$/;
const MEMORY_STAT =
  /^(anon|file|cache|rss|dirty|writeback|file_dirty|file_writeback|file_mapped|active_file|inactive_file|pgscan\w*|pgsteal\w*|workingset_\w+|total_dirty|total_writeback)$/;

type Values = [name: string, value: string][];

/** `name value`, `name: value unit` or `name value …` per line, those that `wanted` takes. */
export function readPairs(text: string, wanted: RegExp | null): Values {
  return text.split('\n').flatMap((line): Values => {
    const match = /^(\S+?):?\s+(-?\d+)/.exec(line);
    return match !== null && (wanted === null || wanted.test(match[1] as string))
      ? [[match[1] as string, match[2] as string]]
      : [];
  });
}

/** `some avg10=0.00 avg60=0.00 avg300=0.00 total=123`: the totals. */
export function readPressure(text: string): Values {
  return [...text.matchAll(/^(some|full) .*total=(\d+)/gm)].map((match) => [match[1] as string, match[2] as string]);
}

/** Lines of a sample, none longer than a marker may be. */
export function counterLines(source: string, labels: string, values: Values): string[] {
  const start = `${MARK} ${source}${labels}`;
  const lines: string[] = [];
  let line = start;
  for (const [name, value] of values) {
    const more = ` ${name}=${value}`;
    if (line.length + more.length > LINE_BYTES && line !== start) {
      lines.push(line);
      line = start;
    }
    line += more;
  }
  if (line !== start) lines.push(line);
  return lines;
}

/** Control characters, spaces and `%` of a path as `%XX` of its UTF-8 bytes. */
const escaped = (path: string): string =>
  [...path].map((char) => (char > ' ' && char !== '%' && char !== '\x7f' ? char : encodeURIComponent(char))).join('');

const LIMITS = {
  v2: ['current', 'low', 'high', 'max'],
  v1: ['usage_in_bytes', 'soft_limit_in_bytes', 'limit_in_bytes'],
};
const LIMIT_NAMES: Record<string, string> = {
  usage_in_bytes: 'current',
  soft_limit_in_bytes: 'low',
  limit_in_bytes: 'max',
};
/** What v1 says where there is no limit: the largest multiple of a page. */
const NO_LIMIT = 2 ** 62;

/** What is sampled, and where it goes. */
export interface CounterSettings {
  /** The instance whose trace_marker takes the lines. */
  instance: string;
  everyMs: number;
  hierarchy: CgroupHierarchy | null;
  /** Only that folder and those below; else the whole hierarchy. */
  cgroup: string | undefined;
  /** Knows a folder's inode. */
  inodeOf: (path: string) => string | undefined;
}

/** Samples counters into an instance's trace_marker. Nobody is told of a marker that the kernel refuses. */
export class CounterSampler {
  readonly #machine: Machine;
  readonly #settings: CounterSettings;
  readonly #timer: NodeJS.Timeout;
  #sampling: Promise<void> | null = null;

  constructor(machine: Machine, settings: CounterSettings) {
    this.#machine = machine;
    this.#settings = settings;
    this.#timer = setInterval(() => void this.sample(), settings.everyMs);
    this.#timer.unref();
  }

  /** Samples once; a sample that is being taken is waited for instead. Never rejects. */
  sample(): Promise<void> {
    this.#sampling ??= this.#sample()
      .catch(() => {})
      .finally(() => {
        this.#sampling = null;
      });
    return this.#sampling;
  }

  async #sample(): Promise<void> {
    const { hierarchy, cgroup } = this.#settings;
    const vmstat = this.#read('/proc/vmstat');
    const meminfo = this.#read('/proc/meminfo');
    await this.#say('vmstat', '', readPairs(await vmstat, VMSTAT));
    await this.#say('meminfo', '', readPairs(await meminfo, MEMINFO));
    for (const kind of ['memory', 'io', 'cpu'])
      await this.#say(`pressure.${kind}`, '', readPressure(await this.#read(`/proc/pressure/${kind}`)));
    if (hierarchy === null) return;
    const folders = [...(await this.#machine.cgroupFolders(cgroup ?? hierarchy.root)).keys()];
    for (const folder of folders.slice(0, MOST_CGROUPS)) await this.#sampleCgroup(folder, hierarchy);
  }

  async #sampleCgroup(folder: string, { root, v2 }: CgroupHierarchy): Promise<void> {
    const path = `/${relative(root, folder)}`;
    const labels = ` cgroup=${escaped(path)} ino=${this.#settings.inodeOf(folder) ?? 0}`;
    const names = v2 ? LIMITS.v2 : LIMITS.v1;
    const stat = this.#read(join(folder, 'memory.stat'));
    const texts = await Promise.all(names.map((name) => this.#read(join(folder, `memory.${name}`))));
    await this.#say('memory.stat', labels, readPairs(await stat, MEMORY_STAT));
    const limits = names.flatMap((name, i): Values => {
      const value = (texts[i] as string).trim();
      return /^\d+$/.test(value) && Number(value) < NO_LIMIT ? [[LIMIT_NAMES[name] ?? name, value]] : [];
    });
    await this.#say('memory', labels, limits);
    if (!v2) return;
    await this.#say('memory.events', labels, readPairs(await this.#read(join(folder, 'memory.events')), null));
    for (const kind of ['memory', 'io', 'cpu'])
      await this.#say(`pressure.${kind}`, labels, readPressure(await this.#read(join(folder, `${kind}.pressure`))));
  }

  /** Empty where it is not there, or has gone. */
  async #read(path: string): Promise<string> {
    try {
      return (await this.#machine.read(path)).toString('utf8');
    } catch {
      return '';
    }
  }

  async #say(source: string, labels: string, values: Values): Promise<void> {
    const marker = join(this.#settings.instance, 'trace_marker');
    for (const line of counterLines(source, labels, values)) await this.#machine.write(marker, `${line}\n`);
  }

  close(): void {
    clearInterval(this.#timer);
  }
}
