import { closeSync, existsSync, openSync, readFileSync, writeSync } from 'node:fs';
import { join, relative } from 'node:path';
import { type CgroupHierarchy, foldersBelow } from './cgroup-folders.ts';

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

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

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

/** Samples counters into an instance's trace_marker. Nobody is told of a marker that the kernel refuses. */
export class CounterSampler {
  readonly #marker: number;
  readonly #timer: NodeJS.Timeout;
  readonly #hierarchy: CgroupHierarchy | null;
  readonly #top: string | null;
  readonly #inodeOf: (path: string) => string | undefined;

  /** `cgroup`: only that folder and those below; else the whole hierarchy. `inodeOf` knows a folder's inode. */
  constructor(
    instance: string,
    everyMs: number,
    hierarchy: CgroupHierarchy | null,
    cgroup: string | undefined,
    inodeOf: (path: string) => string | undefined,
  ) {
    this.#marker = openSync(join(instance, 'trace_marker'), 'w');
    this.#hierarchy = hierarchy;
    this.#top = cgroup ?? hierarchy?.root ?? null;
    this.#inodeOf = inodeOf;
    this.#timer = setInterval(() => this.sample(), everyMs);
    this.#timer.unref();
  }

  sample(): void {
    this.#say('vmstat', '', readPairs(read('/proc/vmstat'), VMSTAT));
    this.#say('meminfo', '', readPairs(read('/proc/meminfo'), MEMINFO));
    for (const kind of ['memory', 'io', 'cpu'])
      this.#say(`pressure.${kind}`, '', readPressure(read(`/proc/pressure/${kind}`)));
    if (this.#top === null || this.#hierarchy === null) return;
    let left = MOST_CGROUPS;
    for (const folder of foldersBelow(this.#top)) {
      if (left-- === 0) break;
      this.#sampleCgroup(folder, this.#hierarchy);
    }
  }

  #sampleCgroup(folder: string, { root, v2 }: CgroupHierarchy): void {
    const path = `/${relative(root, folder)}`;
    const labels = ` cgroup=${escaped(path)} ino=${this.#inodeOf(folder) ?? 0}`;
    this.#say('memory.stat', labels, readPairs(read(join(folder, 'memory.stat')), MEMORY_STAT));
    const limits = (v2 ? LIMITS.v2 : LIMITS.v1).flatMap((name): Values => {
      const value = read(join(folder, `memory.${name}`)).trim();
      return /^\d+$/.test(value) && Number(value) < NO_LIMIT ? [[LIMIT_NAMES[name] ?? name, value]] : [];
    });
    this.#say('memory', labels, limits);
    if (!v2) return;
    this.#say('memory.events', labels, readPairs(read(join(folder, 'memory.events')), null));
    for (const kind of ['memory', 'io', 'cpu']) {
      const file = join(folder, `${kind}.pressure`);
      if (existsSync(file)) this.#say(`pressure.${kind}`, labels, readPressure(read(file)));
    }
  }

  #say(source: string, labels: string, values: Values): void {
    for (const line of counterLines(source, labels, values)) {
      try {
        writeSync(this.#marker, `${line}\n`);
      } catch {
        return;
      }
    }
  }

  close(): void {
    clearInterval(this.#timer);
    closeSync(this.#marker);
  }
}
