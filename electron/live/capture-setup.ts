import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { pageLayout } from '../parse/layout.ts';
import type { SubBufferLayout } from '../parse/sub-buffer.ts';
import { threadsOf } from './cgroup-folders.ts';
import { availableEvents, presetChoices } from './event-choice.ts';
import { encodeFixedHead, firstOptions, type HeadSource, readHeadSource } from './head-bytes.ts';
import { TraceInstance } from './instance.ts';
import type { Machine, Ring } from './machine.ts';
import type { CheckedCaptureOrder } from './protocol.ts';
import { ownerName, RecordingFile } from './recording-file.ts';
import { clocks, findTracefs, readControl } from './tracefs.ts';

/** A capture that only has to be switched on. */
export interface PreparedCapture {
  /** Where tracefs is. */
  root: string;
  instance: TraceInstance;
  ring: Ring;
  /** Complete and empty. */
  file: RecordingFile;
  layout: SubBufferLayout;
  /** Ring buffer of each CPU. */
  bufferBytes: number;
  /** Threads that are followed; undefined: everybody's events. */
  followed: readonly number[] | undefined;
}

/** Makes the instance, as ordered, and the recording. Rejects with RemoraError; then nothing is left behind. */
export async function prepareCapture(machine: Machine, order: CheckedCaptureOrder): Promise<PreparedCapture> {
  const root = await findTracefs(machine);
  const instance = await TraceInstance.make(machine, root);
  let ring: Ring | null = null;
  try {
    const followed = await tasksToFollow(machine, order);
    await configure(machine, root, instance, order, followed);
    const head = await readHeadSource(machine, root, instance.path, instance.events);
    const layout = layoutOf(head);
    const cpus = await instance.cpus();
    const dataBytes = head.pageBytes - layout.dataOffset;
    ring = await machine.openRing(instance.path, cpus, { bytes: head.pageBytes, dataBytes });
    const bufferBytes = Math.max(1, await bufferKiBOf(machine, instance.path)) * 1024;
    const file = RecordingFile.create({
      path: order.path,
      fixed: encodeFixedHead(head),
      options: await firstOptions(machine, instance.path, order.program),
      clock: (await clocks(machine, instance.path)).chosen,
      littleEndian: machine.littleEndian,
      pageBytes: head.pageBytes,
      cpus,
      cmdlinesCapacity: await cmdlinesCapacity(machine, root),
      owner: { pid: process.pid, instance: ownerName() },
    });
    return { root, instance, ring, file, layout, bufferBytes, followed };
  } catch (error) {
    ring?.close();
    await instance.remove();
    throw error;
  }
}

async function configure(
  machine: Machine,
  root: string,
  instance: TraceInstance,
  order: CheckedCaptureOrder,
  pids: number[] | undefined,
): Promise<void> {
  const events = [...order.events];
  if (order.presets.length > 0) {
    const available = await availableEvents(machine, root);
    for (const preset of order.presets) events.push(...presetChoices(preset, available));
  }
  const bufferKiB = order.bufferKiB ?? defaultBufferKiB((await instance.cpus()).length, await machine.memoryBytes());
  await instance.configure({ ...order, events, bufferKiB, pids });
}

/** Threads of the processes and the cgroup that the order names; undefined: everybody's events. */
async function tasksToFollow(machine: Machine, { pids, cgroup }: CheckedCaptureOrder): Promise<number[] | undefined> {
  if (pids === undefined && cgroup === undefined) return undefined;
  const threads = await Promise.all((pids ?? []).map((pid) => threadsOfProcess(machine, pid)));
  if (cgroup !== undefined) threads.push(await threadsOf(machine, cgroup));
  return threads.flat();
}

/** Threads of a process now. Throws RemoraError `not-found` where there is no such process. */
async function threadsOfProcess(machine: Machine, pid: number): Promise<number[]> {
  try {
    return (await machine.list(`/proc/${pid}/task`)).map(Number);
  } catch (error) {
    throw new RemoraError({ code: 'not-found', message: `there is no process ${pid}` }, { cause: error });
  }
}

/** The sub-buffers of the traced kernel, by its header_page; the common fields are where all kernels have them. */
function layoutOf({ headerPage, pageBytes, littleEndian }: HeadSource): SubBufferLayout {
  const commitBytes = pageLayout(headerPage.toString('latin1')).commitBytes ?? 8;
  const abi = { littleEndian, longBytes: commitBytes } as const;
  // u64 time stamp, long commit.
  return { abi, subBufferBytes: pageBytes, commitBytes, dataOffset: 8 + commitBytes, typeOffset: 0, pidOffset: 4 };
}

/** Room for two turns of a busy CPU, but never more than a 64th of the memory for all. */
export function defaultBufferKiB(cpus: number, memoryBytes: number): number {
  return Math.max(1024, Math.min(8192, Math.floor(memoryBytes / 1024 / 64 / cpus)));
}

/** `1410` or, before the first use, `7 (expanded: 1410)`. */
async function bufferKiBOf(machine: Machine, instance: string): Promise<number> {
  const numbers = (await readControl(machine, join(instance, 'buffer_size_kb'))).match(/\d+/g) ?? ['0'];
  return Number(numbers.at(-1));
}

/** Lines `pid comm` for as many tasks as the kernel saves, and twice that, as names are collected. */
async function cmdlinesCapacity(machine: Machine, root: string): Promise<number> {
  const saved = Number.parseInt(await readControl(machine, join(root, 'saved_cmdlines_size')), 10) || 128;
  return Math.min(Math.max(saved * 2 * 24, 1 << 16), 1 << 20);
}
