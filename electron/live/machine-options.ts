import { relative } from 'node:path';
import type { CapturePreset, MachineOptions } from '../../shared/capture.ts';
import { defaultBufferKiB } from './capture-setup.ts';
import { memoryHierarchy } from './cgroup-folders.ts';
import { type AvailableEvent, availableEvents, bySystem, eventPresets, presetEvents } from './event-choice.ts';
import { cpusOf, staleInstances } from './instance.ts';
import type { Machine } from './machine.ts';
import { clocks, findTracefs } from './tracefs.ts';

const MOST_CGROUPS = 1000;

/** What a machine can capture. Mounts tracefs where that is needed and allowed. Rejects with what is missing. */
export async function machineOptions(machine: Machine): Promise<MachineOptions> {
  const root = await findTracefs(machine);
  const available = await availableEvents(machine, root);
  const cpus = await cpusOf(machine, root);
  const memoryBytes = await machine.memoryBytes();
  return {
    rights: machine.rights,
    tracefs: root,
    systems: [...bySystem(available)].map(([name, events]) => ({ name, events: events.map((event) => event.name) })),
    presets: presetsOf(available),
    clocks: await clocks(machine, root),
    cpus,
    bufferKiB: defaultBufferKiB(cpus.length, memoryBytes),
    memoryBytes,
    ...(await cgroupsOf(machine)),
    stale: await staleInstances(machine, root),
  };
}

function presetsOf(available: readonly AvailableEvent[]): CapturePreset[] {
  return Object.entries(eventPresets).map(([preset, { title }]) => ({
    name: preset,
    title,
    events: presetEvents(preset, available).map(({ system, name }) => `${system}:${name}`),
  }));
}

async function cgroupsOf(machine: Machine): Promise<Pick<MachineOptions, 'cgroupRoot' | 'cgroups'>> {
  const root = (await memoryHierarchy(machine))?.root;
  if (root === undefined) return { cgroupRoot: '', cgroups: [] };
  const folders = [...(await machine.cgroupFolders(root)).keys()].filter((folder) => folder !== root);
  const cgroups = folders.slice(0, MOST_CGROUPS).map((folder) => relative(root, folder));
  return { cgroupRoot: root, cgroups: cgroups.sort() };
}
