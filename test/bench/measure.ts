import { spawn } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';

export interface Measured {
  /** Wall clock. */
  seconds: number;
  /** Processor time of the process and its children, user and system: what a busy machine does not change. */
  cpuSeconds: number;
  /** Largest resident memory of the process and its children together; NaN where there is no /proc. */
  peakBytes: number;
  stdout: string;
}

const POLL_MS = 20;

/** Resident bytes of a process and all below it, from /proc. */
function residentBytes(root: number): number {
  const parents = new Map<number, number>();
  const resident = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const status = readFileSync(`/proc/${name}/status`, 'latin1');
      parents.set(Number(name), Number(/^PPid:\s*(\d+)/m.exec(status)?.[1]));
      resident.set(Number(name), Number(/^VmRSS:\s*(\d+)/m.exec(status)?.[1] ?? 0) * 1024);
    } catch {
      // It ended meanwhile.
    }
  }
  let sum = 0;
  for (const pid of resident.keys()) {
    let at: number | undefined = pid;
    while (at !== undefined && at > 1 && at !== root) at = parents.get(at);
    if (at === root) sum += resident.get(pid) as number;
  }
  return sum;
}

/** Runs what follows it and tells on descriptor 3 how much processor time that took; `times` is POSIX's. */
const WITH_TIMES = '"$@"; code=$?; times >&3; exit $code';

/** The second line of `times` is the children's: `0m1.23s 0m0.45s`. */
function childSeconds(times: string): number {
  const [, children = ''] = times.trim().split('\n');
  return [...children.matchAll(/(\d+)m([\d.]+)s/g)].reduce((sum, [, m, s]) => sum + Number(m) * 60 + Number(s), 0);
}

/** Runs a command to its end: wall clock, processor time and peak memory; throws when it fails. Standard output is kept or discarded. */
export function measure(
  command: string,
  args: string[],
  env: NodeJS.ProcessEnv,
  keepOutput: boolean,
): Promise<Measured> {
  return new Promise((done, fail) => {
    const started = performance.now();
    const child = spawn('sh', ['-c', WITH_TIMES, 'sh', command, ...args], {
      env,
      stdio: ['ignore', keepOutput ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let times = '';
    child.stdio[3]?.on('data', (chunk: Buffer) => {
      times += String(chunk);
    });
    let stderr = '';
    let peakBytes = Number.NaN;
    child.stdout?.on('data', (chunk: Buffer) => {
      stdout += String(chunk);
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      stderr += String(chunk);
    });
    const poll = setInterval(() => {
      if (process.platform !== 'linux' || child.pid === undefined) return;
      const now = residentBytes(child.pid);
      peakBytes = Number.isNaN(peakBytes) ? now : Math.max(peakBytes, now);
    }, POLL_MS);
    child.once('error', (error) => {
      clearInterval(poll);
      fail(error);
    });
    child.once('close', (code) => {
      clearInterval(poll);
      const seconds = (performance.now() - started) / 1000;
      if (code === 0) done({ seconds, cpuSeconds: childSeconds(times), peakBytes, stdout });
      else fail(new Error(`${command} ${args.join(' ')}: exit ${code}: ${stderr.slice(0, 500)}`));
    });
  });
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1
    ? (sorted[middle] as number)
    : ((sorted[middle - 1] as number) + (sorted[middle] as number)) / 2;
}
