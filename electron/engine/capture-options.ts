import { accessSync, constants, existsSync, readdirSync, statfsSync } from 'node:fs';
import { homedir, tmpdir, totalmem } from 'node:os';
import { join, relative } from 'node:path';
import type { CaptureOptions } from '../../shared/capture.ts';
import { toErrorDetail } from '../../shared/errors.ts';
import { installationFolder } from '../installation.ts';
import { defaultBufferKiB } from '../live/capture-session.ts';
import { foldersBelow, memoryHierarchy } from '../live/cgroup-folders.ts';
import { availableEvents, bySystem, eventPresets, presetEvents } from '../live/event-choice.ts';
import { staleInstances } from '../live/instance.ts';
import { clocks, findTracefs } from '../live/tracefs.ts';

const MOST_CGROUPS = 1000;

/** What this machine can capture; where it cannot, what is missing. Reads, and mounts tracefs where that is needed and allowed. */
export function captureOptions(): CaptureOptions {
  const none: CaptureOptions = {
    problem: null,
    tracefs: '',
    systems: [],
    presets: Object.entries(eventPresets).map(([name, { title }]) => ({ name, title, events: [] })),
    clocks: { all: [], chosen: '' },
    cpus: [],
    bufferKiB: 0,
    memoryBytes: totalmem(),
    cgroupRoot: '',
    cgroups: [],
    path: '',
    diskFree: 0,
    stale: [],
  };
  try {
    const root = findTracefs();
    const available = availableEvents(root);
    const cpus = readdirSync(join(root, 'per_cpu'))
      .flatMap((name) => (/^cpu\d+$/.test(name) ? [Number(name.slice(3))] : []))
      .sort((a, b) => a - b);
    const names = (events: typeof available): string[] => events.map(({ system, name }) => `${system}:${name}`);
    return {
      ...none,
      tracefs: root,
      systems: [...bySystem(available)].map(([name, events]) => ({ name, events: events.map((event) => event.name) })),
      presets: none.presets.map((preset) => ({ ...preset, events: names(presetEvents(preset.name, available)) })),
      clocks: clocks(root),
      cpus,
      bufferKiB: defaultBufferKiB(cpus.length),
      ...cgroupsHere(),
      ...placeToRecord(),
      stale: staleInstances(root),
    };
  } catch (error) {
    return { ...none, problem: problemOf(toErrorDetail(error).message) };
  }
}

/** Errors name the command that helps in backquotes. Who lacks the rights is told how to start with them. */
function problemOf(message: string): NonNullable<CaptureOptions['problem']> {
  if (/no permission/.test(message)) {
    const command = `sudo npm --prefix ${installationFolder} run -s remora -- serve`;
    return {
      message:
        'tracing belongs to root, and this program runs without its rights; started like this it has them, in a tab of your browser',
      command,
    };
  }
  return { message, command: /`([^`]+)`/.exec(message)?.[1] ?? '' };
}

function cgroupsHere(): Pick<CaptureOptions, 'cgroupRoot' | 'cgroups'> {
  const root = memoryHierarchy()?.root;
  if (root === undefined) return { cgroupRoot: '', cgroups: [] };
  const cgroups: string[] = [];
  for (const folder of foldersBelow(root)) {
    if (cgroups.length >= MOST_CGROUPS) break;
    if (folder !== root) cgroups.push(relative(root, folder));
  }
  return { cgroupRoot: root, cgroups: cgroups.sort() };
}

/** Home, where it can be written to; a name that says when. */
function placeToRecord(): Pick<CaptureOptions, 'path' | 'diskFree'> {
  const folder = [homedir(), process.cwd(), tmpdir()].find(isWritable) ?? tmpdir();
  const now = new Date();
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${now.getFullYear()}-${two(now.getMonth() + 1)}-${two(now.getDate())}`;
  const stem = `trace-${day}-${two(now.getHours())}${two(now.getMinutes())}${two(now.getSeconds())}`;
  let path = join(folder, `${stem}.dat`);
  for (let i = 2; existsSync(path); i++) path = join(folder, `${stem}-${i}.dat`);
  const { bavail, bsize } = statfsSync(folder);
  return { path, diskFree: bavail * bsize };
}

function isWritable(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK | constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
