import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type OpenedTrace, openTrace } from '../../../electron/engine/open.ts';
import { FilteredLists } from '../../../electron/query/filtered-list.ts';
import type { ChunkSource, Trace } from '../../../electron/query/trace.ts';
import type { Chunk } from '../../../electron/store/chunk-codec.ts';
import type { ChunkInfo } from '../../../electron/store/workspace-store.ts';

/** A filter's list follows a trace that grows within a chunk, as the last one of a capture does. */
const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const folder = mkdtempSync(join(tmpdir(), 'remora-growing-list-'));
let opened: OpenedTrace;
beforeAll(async () => {
  opened = await openTrace({ paths: [sample], cacheFolder: folder });
});
afterAll(() => {
  opened.close();
  rmSync(folder, { recursive: true, force: true });
});

/** The first `count` events of a chunk. */
function cutChunk(chunk: Chunk, count: number): Chunk {
  const { ordered, time, sortTime, id, pid, position } = chunk;
  const cut = { time: time.subarray(0, count), sortTime: sortTime.subarray(0, count), id: id.subarray(0, count) };
  return { count, ordered, ...cut, pid: pid.subarray(0, count), position: position.subarray(0, count) };
}

function cutInfo(info: ChunkInfo, chunk: Chunk): ChunkInfo {
  const counts = new Map<number, number>();
  for (const id of chunk.id) counts.set(id, (counts.get(id) ?? 0) + 1);
  const toNs = chunk.time[chunk.count - 1] as number;
  return { ...info, count: chunk.count, toNs, events: Uint32Array.from([...counts].flat()) };
}

/** A trace of the same recording that has a share of each CPU's events, and can be given more of them. */
function growingTrace(whole: Trace): { trace: Trace; grow(share: number): void } {
  const cuts = new Map<ChunkInfo, Chunk>();
  const chunks: ChunkSource = {
    get: (info) => cuts.get(info) ?? whole.chunks.get(info),
    select(info, id) {
      const chunk = this.get(info);
      const at = Uint32Array.from(chunk.id.keys()).filter((i) => chunk.id[i] === id);
      return {
        n: at.length,
        at,
        time: Float64Array.from(at, (i) => chunk.time[i] as number),
        pid: Int32Array.from(at, (i) => chunk.pid[i] as number),
        position: Uint32Array.from(at, (i) => chunk.position[i] as number),
      };
    },
  };
  const streams = whole.streams.map((stream) => ({
    ...stream,
    cpus: stream.cpus.map((cpu) => ({ ...cpu, chunks: [] as ChunkInfo[] })),
  }));
  return {
    trace: { ...whole, chunks, streams },
    grow(share) {
      for (const [s, { cpus }] of streams.entries())
        for (const [c, cpu] of cpus.entries()) {
          const all = whole.streams[s]?.cpus[c]?.chunks ?? [];
          const events = Math.floor((whole.streams[s]?.cpus[c]?.events ?? 0) * share);
          cpu.chunks = all.flatMap((info) => {
            const count = Math.min(info.count, events - info.firstIndex);
            if (count <= 0) return [];
            if (count === info.count) return [info];
            const chunk = cutChunk(whole.chunks.get(info), count);
            const cut = cutInfo(info, chunk);
            cuts.set(cut, chunk);
            return [cut];
          });
        }
    },
  };
}

it.each([
  ['one rare kind', 'sched_process_fork'],
  ['a rare kind, decoded', 'balance_dirty_pages: pause > 0'],
  ['one common kind', 'writeback_mark_inode_dirty'],
  ['several kinds', 'system == "sched"'],
])('%s: every event is in the list once, as if all had been there at first', async (_name, filter) => {
  const listOf = async (lists: FilteredLists): Promise<number[]> => {
    const list = lists.get(filter);
    await expect.poll(() => list.complete).toBe(true);
    return Array.from({ length: list.n }, (_, row) => list.timeOf(row));
  };
  const expected = await listOf(new FilteredLists(opened.trace));
  expect(expected.length).toBeGreaterThan(40);
  const { trace, grow } = growingTrace(opened.trace);
  const lists = new FilteredLists(trace);
  for (const share of [0.1, 0.25, 0.37, 0.5, 0.9]) {
    grow(share);
    expect((await listOf(lists)).length).toBeLessThan(expected.length);
  }
  grow(1);
  expect(await listOf(lists)).toEqual(expected);
});
