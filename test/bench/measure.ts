import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface Measured {
  /** Wall clock. */
  seconds: number;
  /** Processor time of the process and its children, user and system: what a busy machine does not change. */
  cpuSeconds: number;
  /** Largest resident memory of the process and its children together; NaN where there is no /proc. */
  peakBytes: number;
  stdout: string;
}

const POLL_MS = 40;

/** Most that a process and those below it have been resident, each at its own time; from /proc. */
function peakResidentBytes(pid: string): number {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'latin1');
    const own = Number(/^VmHWM:\s*(\d+)/m.exec(status)?.[1] ?? 0) * 1024;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').trim();
    return children.split(' ').reduce((sum, child) => (child === '' ? sum : sum + peakResidentBytes(child)), own);
  } catch {
    // It ended meanwhile.
    return 0;
  }
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
      const now = peakResidentBytes(String(child.pid));
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
