import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openTrace } from '../../../electron/engine/open.ts';
import { findCgroups } from '../../../electron/query/cgroups.ts';
import { CommFinder } from '../../../electron/query/comms.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { type BuiltFormat, type BuiltValue, payloadOf } from '../../build/formats.ts';
import type { BufferEvent, RingAbi } from '../../build/sub-buffer.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-kept-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const number = (name: string, declaration: string, bytes: number) =>
  ({ name, declaration, bytes, signed: false, kind: 'number' }) as const;
const mkdir: BuiltFormat = {
  system: 'cgroup',
  name: 'cgroup_mkdir',
  id: 60,
  fields: [
    number('root', 'int', 4),
    number('id', 'u64', 8),
    { name: 'path', declaration: '__data_loc char[]', bytes: 4, signed: false, kind: 'data-loc' },
  ],
  printFmt: '"root=%d", REC->root',
};
const taskSwitch: BuiltFormat = {
  system: 'sched',
  name: 'sched_switch',
  id: 61,
  fields: [
    { name: 'prev_comm', declaration: 'char[16]', bytes: 16, signed: false, kind: 'chars' },
    number('prev_pid', 'pid_t', 4),
  ],
  printFmt: '"%s", REC->prev_comm',
};
const noise: BuiltFormat = {
  system: 'sample',
  name: 'noise',
  id: 62,
  fields: [number('value', 'u32', 4)],
  printFmt: '"%u", REC->value',
};

/** Task 7 is in saved_cmdlines, 100 to 104 are not; more events than one chunk holds, and cgroups in all of them. */
function recordingOf(abi: RingAbi, cgroups: number): Uint8Array {
  const event = (format: BuiltFormat, time: number, pid: number, values: BuiltValue[]): BufferEvent => ({
    time: BigInt(time),
    payload: payloadOf(format, { flags: 0, preemptCount: 0, pid }, values, abi.littleEndian),
  });
  const cpu = (n: number): BufferEvent[] =>
    Array.from({ length: 70_000 }, (_, i) => {
      const time = 1_000_000 + i * 1000 + n * 300;
      if (i % Math.ceil(70_000 / cgroups) === 7) return event(mkdir, time, 1, [0n, BigInt(500 + i), `/made/${n}/${i}`]);
      const pid = i % 3 === 0 ? 7 : 100 + ((i >> 4) % 5);
      if (i % 50 === 20) return event(taskSwitch, time, pid, [`at ${n} ${i}`, BigInt(pid)]);
      return event(noise, time, pid, [BigInt(i)]);
    });
  return buildTraceDat({
    version: 6,
    compression: 'none',
    abi,
    formats: [mkdir, taskSwitch, noise],
    buffers: [{ name: '', clock: 'local', cpus: [cpu(0), cpu(1)] }],
    comms: [[7, 'seven']],
    uname: 'Linux built 1.0',
    kallsyms: '',
    printkFormats: '',
    options: [],
  });
}

/** What opening tells of cgroups and tasks: from what was kept, and from the index. */
async function bothWays(bytes: Uint8Array, threads: number) {
  const path = join(folder, 'r.dat');
  writeFileSync(path, bytes);
  const { trace, close } = await openTrace({ paths: [path], cacheFolder: folder, noCache: true, threads });
  try {
    const [recording] = trace.recordings;
    if (recording === undefined) throw new Error('nothing was opened');
    const told = () => ({
      cgroups: findCgroups(trace, new Samples(trace), []).entries,
      comms: [100, 101, 102, 103, 104, 105].map((pid) => new CommFinder(trace, recording).find(pid)),
    });
    const { kept } = recording;
    const fromKept = told();
    recording.kept = null;
    return { kept, fromKept, fromIndex: told() };
  } finally {
    close();
  }
}

describe('what indexing keeps', () => {
  it.each([
    { littleEndian: true, longBytes: 8, subBufferBytes: 4096, threads: 1 },
    { littleEndian: true, longBytes: 4, subBufferBytes: 4096, threads: 2 },
    { littleEndian: false, longBytes: 8, subBufferBytes: 8192, threads: 2 },
  ] as const)('is what the index would tell: %o', async ({ threads, ...abi }) => {
    const { kept, fromKept, fromIndex } = await bothWays(recordingOf(abi, 40), threads);
    expect(kept?.filter(({ id }) => id === mkdir.id).length).toBe(80);
    expect(
      kept
        ?.filter(({ id }) => id === taskSwitch.id)
        .map(({ pid }) => pid)
        .sort(),
    ).toEqual([100, 101, 102, 103, 104]);
    expect(fromKept).toEqual(fromIndex);
    expect(fromKept.cgroups.length).toBe(80);
    expect(fromKept.comms).toEqual([...Array.from({ length: 5 }, () => expect.stringMatching(/^at 0 \d+$/)), null]);
  });

  it('is nothing where it would be much', async () => {
    const { kept, fromKept } = await bothWays(
      recordingOf({ littleEndian: true, longBytes: 8, subBufferBytes: 4096 }, 7000),
      1,
    );
    expect(kept).toBeNull();
    expect(fromKept.cgroups.length).toBe(14_000);
  });
});
