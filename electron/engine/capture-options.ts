import { existsSync, statfsSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CaptureOptions, MachineOptions } from '../../shared/capture.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { installationFolder } from '../installation.ts';
import { mayWriteTo } from '../live/local-machine.ts';
import type { CaptureProcesses } from './capture-processes.ts';

const nothing: MachineOptions = {
  rights: '',
  tracefs: '',
  systems: [],
  presets: [],
  clocks: { all: [], chosen: '' },
  cpus: [],
  bufferKiB: 0,
  memoryBytes: 0,
  cgroupRoot: '',
  cgroups: [],
  stale: [],
};

/**
 * What a machine can capture, and where this one would keep it; where it cannot, what is missing. `host` absent: this machine.
 * Nobody is asked for a password unless `elevate`.
 */
export async function captureOptions(
  processes: CaptureProcesses,
  host: string | undefined,
  elevate: boolean,
): Promise<CaptureOptions> {
  const place = placeToRecord();
  if (!elevate && !processes.has(host) && processes.rightsFor(host)?.by === 'pkexec') {
    const message = 'tracing belongs to root: the capture, and nothing else, can be started with its rights';
    return { ...nothing, ...place, problem: { message, command: '', elevate: true } };
  }
  try {
    const options = await processes.ask(host, (process) => process.options());
    return { ...options, ...place, problem: null };
  } catch (error) {
    return { ...nothing, ...place, problem: problemOf(toErrorDetail(error).message, host) };
  }
}

/** Errors name the command that helps in backquotes. Who lacks the rights is told how to start with them. */
function problemOf(message: string, host: string | undefined): NonNullable<CaptureOptions['problem']> {
  if (host === undefined && /no permission/.test(message)) {
    const command = `sudo npm --prefix ${installationFolder} run -s remora -- serve`;
    return {
      message:
        'tracing belongs to root, and this program runs without its rights; started like this it has them, in a tab of your browser',
      command,
      elevate: false,
    };
  }
  return { message, command: /`([^`]+)`/.exec(message)?.[1] ?? '', elevate: false };
}

/** Home, where it can be written to; a name that says when. */
function placeToRecord(): Pick<CaptureOptions, 'path' | 'diskFree'> {
  const folder = [homedir(), process.cwd(), tmpdir()].find(mayWriteTo) ?? tmpdir();
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const stem = `trace-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  let path = join(folder, `${stem}.dat`);
  for (let i = 2; existsSync(path); i++) path = join(folder, `${stem}-${i}.dat`);
  const { bavail, bsize } = statfsSync(folder);
  return { path, diskFree: bavail * bsize };
}
