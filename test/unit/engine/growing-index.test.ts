import { expect, it } from 'vitest';
import { GrowingIndex } from '../../../electron/engine/growing-index.ts';
import { bytesSource } from '../../../electron/parse/byte-source.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { WorkspaceStore } from '../../../electron/store/workspace-store.ts';
import type { BufferEvent, RingAbi } from '../../build/sub-buffer.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';

const abi: RingAbi = { littleEndian: true, longBytes: 8, subBufferBytes: 1024 };
const EVENTS = 5000;

/** Events of one kind: pid 7 does the first half, pid 8 the second. */
const events = (cpu: number): BufferEvent[] =>
  Array.from({ length: EVENTS }, (_, i) => ({
    time: BigInt(1000 + i * 10 + cpu),
    payload: Uint8Array.of(9, 0, 0, 0, i < EVENTS / 2 ? 7 : 8, 0, 0, 0),
  }));

const nothing = { formats: [], comms: [], uname: '', kallsyms: '', printkFormats: '', options: [] };
const builtSource = () => {
  const buffers = [{ name: '', clock: 'local', cpus: [events(0), events(1)] }];
  return bytesSource(buildTraceDat({ version: 6, compression: 'none', abi, buffers, ...nothing }), 'built.dat');
};

it('has the counts of many chunks in few buffers, as each costs hundreds of bytes', () => {
  const source = builtSource();
  const head = readTraceDat(source);
  const whole = head.buffers[0]?.cpus.map(({ cpu, offset, bytes }) => ({ cpu, offset, bytes })) ?? [];
  const store = new WorkspaceStore('');
  try {
    // A chunk for each piece that is told.
    const giveUp = { mostBytes: 1024, mostTime: Number.POSITIVE_INFINITY, chunkOf: store.chunk.bind(store) };
    const index = new GrowingIndex(source, head, store.beginImport('built.dat', 'x'), giveUp);
    for (let end = 1024; end <= (whole[0]?.bytes ?? 0); end += 1024)
      index.advance(
        whole.map(({ cpu, offset, bytes }) => ({ cpu, offset, bytes: Math.min(end, bytes) })),
        true,
      );
    const chunks = index.cpus().flatMap((cpu) => [...cpu.chunks]);
    expect(chunks.length).toBeGreaterThan(100);
    for (const { count, events: counts } of chunks) expect([...counts]).toEqual([9, count]);
    expect(new Set(chunks.map(({ events: counts }) => counts.buffer)).size).toBe(1);
  } finally {
    store.close();
  }
});

it('gives up the chunks whose data is given up, and takes their events out of the totals', () => {
  const source = builtSource();
  const head = readTraceDat(source);
  const whole = head.buffers[0]?.cpus.map(({ cpu, offset, bytes }) => ({ cpu, offset, bytes })) ?? [];
  const store = new WorkspaceStore('');
  try {
    const giveUp = { mostBytes: 4096, mostTime: Number.POSITIVE_INFINITY, chunkOf: store.chunk.bind(store) };
    const index = new GrowingIndex(source, head, store.beginImport('built.dat', 'x'), giveUp);
    // As a capture tells it: more and more of each CPU, and from some time on less and less of its beginning.
    const tell = (from: number, to: number): void =>
      index.advance(
        whole.map(({ cpu, offset, bytes }) => {
          const [start, end] = [from, to].map((share) => Math.floor((bytes * share) / 1024) * 1024) as [number, number];
          return end > start ? { cpu, offset: offset + start, bytes: end - start } : { cpu, offset: 0, bytes: 0 };
        }),
        true,
      );
    for (let share = 0.1; share < 1; share += 0.1) tell(0, share);
    tell(0, 1);
    const held = (): { dropped: number; chunks: number; events: number }[] =>
      index.cpus().map(({ dropped, chunks, open }) => ({
        dropped,
        chunks: chunks.length,
        events: open.firstIndex + open.count - dropped,
      }));
    const before = held();
    expect(before.map(({ dropped, events: count }) => [dropped, count])).toEqual([
      [0, EVENTS],
      [0, EVENTS],
    ]);
    tell(0.75, 1);
    for (const [i, { dropped, chunks, events: count }] of held().entries()) {
      // Whole chunks of a few sub-buffers, and nothing whose data is gone.
      expect(dropped).toBeGreaterThanOrEqual(EVENTS * 0.74);
      expect(dropped).toBeLessThan(EVENTS * 0.9);
      expect(count).toBe(EVENTS - dropped);
      expect(chunks).toBeLessThan((before[i]?.chunks ?? 0) / 2);
    }
    const stored = index.cpus().reduce((sum, { chunks }) => sum + chunks.reduce((n, info) => n + info.count, 0), 0);
    expect(index.eventTotals.get(9)).toBe(stored);
    expect([...index.pidTotals]).toEqual([[8, stored]]);
    // A CPU that sleeps: what it did is too old, all of it.
    tell(1, 1);
    expect(held()).toEqual([
      { dropped: EVENTS, chunks: 0, events: 0 },
      { dropped: EVENTS, chunks: 0, events: 0 },
    ]);
    expect([...index.pidTotals, ...index.eventTotals]).toEqual([]);
  } finally {
    store.close();
  }
});
