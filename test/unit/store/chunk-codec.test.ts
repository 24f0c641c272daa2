import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ChunkBlobs, decodeChunk, decodeEventCounts } from '../../../electron/store/chunk-codec.ts';
import { ChunkEncoder, type EncodedChunk } from '../../../electron/store/chunk-encoder.ts';
import { selectEvents } from '../../../electron/store/chunk-selection.ts';
import { selectRare } from '../../../electron/store/rare-events.ts';

interface Event {
  time: number;
  id: number;
  pid: number;
  position: number;
}

const columnsOf = (events: readonly Event[]) => ({
  time: Float64Array.from(events, ({ time }) => time),
  id: Uint16Array.from(events, ({ id }) => id),
  pid: Int32Array.from(events, ({ pid }) => pid),
  position: Uint32Array.from(events, ({ position }) => position),
});

const stored = (chunk: EncodedChunk): ChunkBlobs => ({ ...chunk, from_ns: chunk.fromNs });

/** Ascending positions from steps; the other columns as they come, so that times go backward and pids are impossible. */
const chunks = fc
  .record({
    list: fc.array(
      fc.record({
        time: fc.oneof(fc.nat(2 ** 31), fc.integer({ min: -(2 ** 50), max: 2 ** 50 })),
        id: fc.oneof(fc.nat(3), fc.nat(65_535)),
        pid: fc.oneof(fc.nat(5), fc.nat(2 ** 22), fc.integer()),
        step: fc.oneof(fc.nat(100), fc.nat(2 ** 20)),
      }),
      { minLength: 1, maxLength: 600 },
    ),
    sorted: fc.boolean(),
    narrow: fc.boolean(),
    /** A ring buffer's records begin at whole words, a text's lines anywhere. */
    alignment: fc.constantFrom(4, 4, 1),
  })
  .map(({ list, sorted, narrow, alignment }) => {
    let position = 16;
    const events = list.map(({ step, ...event }) => {
      position += step * alignment;
      return {
        ...event,
        time: narrow ? Math.abs(event.time) % 2 ** 31 : event.time,
        pid: narrow ? Math.abs(event.pid) % 1000 : event.pid,
        position,
      };
    });
    if (sorted) {
      const times = events.map(({ time }) => time).sort((a, b) => a - b);
      events.forEach((event, i) => {
        event.time = times[i] as number;
      });
    }
    return events;
  });

describe('columns as blobs', () => {
  it('come back as they were, in any form', () => {
    const encoder = new ChunkEncoder();
    fc.assert(
      fc.property(chunks, (events) => {
        const columns = columnsOf(events);
        const chunk = encoder.encode(columns, events.length);
        const decoded = decodeChunk(stored(chunk));
        expect(decoded.time).toEqual(columns.time);
        expect(decoded.id).toEqual(columns.id);
        expect(decoded.pid).toEqual(columns.pid);
        expect(Array.from(decoded.position, (at) => at + chunk.firstPosition)).toEqual([...columns.position]);
        let most = Number.NEGATIVE_INFINITY;
        expect([...decoded.sortTime]).toEqual(events.map(({ time }) => (most = Math.max(most, time))));
        const counts = decodeEventCounts(chunk.events);
        const total = counts.reduce((sum, value, i) => sum + (i % 2 === 1 ? value : 0), 0);
        expect(total).toBe(events.length);
      }),
      { numRuns: 300 },
    );
  });

  it('give the events of one kind without the others', () => {
    const encoder = new ChunkEncoder();
    fc.assert(
      fc.property(chunks, (events) => {
        const chunk = encoder.encode(columnsOf(events), events.length);
        for (const id of new Set(events.slice(0, 3).map((event) => event.id))) {
          const own = events.map((event, at) => ({ ...event, at })).filter((event) => event.id === id);
          const selection = selectEvents(stored(chunk), id, own.length);
          expect([...selection.at]).toEqual(own.map(({ at }) => at));
          expect([...selection.time]).toEqual(own.map(({ time }) => time));
          expect([...selection.pid]).toEqual(own.map(({ pid }) => pid));
          expect(Array.from(selection.position, (at) => at + chunk.firstPosition)).toEqual(
            own.map(({ position }) => position),
          );
        }
      }),
      { numRuns: 200 },
    );
  });

  it('give a kind of which there is one in 65,536, behind the largest steps', () => {
    const count = 65_536;
    const events = Array.from({ length: count }, (_, i) => ({
      time: i * (2 ** 32 - 1) + 5,
      id: i === 7 || i === count - 1 ? 300 : i % 3,
      pid: i % 300,
      position: 16 + i * 1020,
    }));
    const chunk = new ChunkEncoder().encode(columnsOf(events), count);
    for (const [id, n] of [
      [300, 2],
      [1, 21_844],
    ] as const) {
      const own = events.map((event, at) => ({ ...event, at })).filter((event) => event.id === id);
      expect(own.length).toBe(n);
      const { at, time, pid, position } = selectEvents(stored(chunk), id, n);
      expect([...at]).toEqual(own.map((event) => event.at));
      expect([...time]).toEqual(own.map((event) => event.time));
      expect([...pid]).toEqual(own.map((event) => event.pid));
      expect(Array.from(position, (from) => from + chunk.firstPosition)).toEqual(own.map((event) => event.position));
    }
  });

  it('have the rarest kinds apart, a sixteenth of the events at most', () => {
    const encoder = new ChunkEncoder();
    let apart = 0;
    // Kinds that are rare among the others: a few of each, in chunks long enough to have room for them.
    const withRare = fc.tuple(chunks, fc.array(fc.nat(40), { maxLength: 30 })).map(([events, rare]) => {
      const last = events[events.length - 1] as Event;
      const others = Array.from({ length: 600 }, (_, i) => ({
        ...last,
        id: 7,
        position: last.position + 8 + i * 8,
      }));
      const few = rare.map((kind, i) => ({ ...last, id: 1000 + kind, position: last.position + 8000 + i * 12 }));
      return [...events, ...others, ...few];
    });
    fc.assert(
      fc.property(withRare, (events) => {
        const chunk = encoder.encode(columnsOf(events), events.length);
        const dictionary = decodeEventCounts(chunk.events);
        const { below, bytes, checksum } = chunk.rare;
        const blobs = { rare: bytes, rare_checksum: checksum };
        const counts = [...dictionary].filter((_, i) => i % 2 === 1).sort((a, b) => a - b);
        const together = (most: number): number => counts.filter((n) => n <= most).reduce((sum, n) => sum + n, 0);
        if (counts.length <= 256) {
          expect(together(below)).toBeLessThanOrEqual(events.length / 16);
          const next = counts.find((n) => n > below);
          if (next !== undefined) expect(together(next)).toBeGreaterThan(Math.floor(events.length / 16));
        } else expect(below).toBe(0);
        for (let place = 0; place < dictionary.length; place += 2) {
          const [id, n] = [dictionary[place] as number, dictionary[place + 1] as number];
          if (n > below) continue;
          apart++;
          const found = selectRare(blobs, dictionary, below, place);
          const known = selectEvents(stored(chunk), id, n);
          for (const column of ['at', 'time', 'pid', 'position'] as const)
            expect([...found[column]]).toEqual([...known[column]]);
        }
      }),
      { numRuns: 200 },
    );
    expect(apart).toBeGreaterThan(100);
  });

  it('tell when what is apart is damaged', () => {
    const events = Array.from({ length: 1000 }, (_, i) => ({
      time: i,
      id: i % 100 === 0 ? 9 : 1,
      pid: i,
      position: i * 8,
    }));
    const chunk = new ChunkEncoder().encode(columnsOf(events), events.length);
    const dictionary = decodeEventCounts(chunk.events);
    const { below, bytes, checksum } = chunk.rare;
    expect(below).toBe(10);
    for (let at = 0; at < bytes.length; at++) {
      const rare = bytes.slice();
      rare[at] = (rare[at] as number) ^ 4;
      expect(() => selectRare({ rare, rare_checksum: checksum }, dictionary, below, 0)).toThrow(/damaged/);
    }
    const rare = bytes.subarray(0, bytes.length - 4);
    expect(() => selectRare({ rare, rare_checksum: checksum }, dictionary, below, 0)).toThrow(/damaged/);
  });

  it('tell totals per pid and kind over all chunks', () => {
    const encoder = new ChunkEncoder();
    const events = [7, 7, 8, -1, 7].map((pid, i) => ({ time: i, id: i % 2, pid, position: i * 8 }));
    encoder.encode(columnsOf(events), events.length);
    encoder.encode(columnsOf(events.slice(0, 3)), 3);
    expect([...encoder.pidTotals]).toEqual(
      expect.arrayContaining([
        [7, 5],
        [8, 2],
        [-1, 1],
      ]),
    );
    expect([...encoder.eventTotals]).toEqual(
      expect.arrayContaining([
        [0, 5],
        [1, 3],
      ]),
    );
  });

  it('with any byte flipped are refused', () => {
    const encoder = new ChunkEncoder();
    const events = Array.from({ length: 50 }, (_, i) => ({ time: i * 10, id: i % 3, pid: i % 4, position: i * 8 }));
    const chunk = encoder.encode(columnsOf(events), events.length);
    for (const name of ['events', 'columns'] as const) {
      for (let at = 0; at < chunk[name].length; at++) {
        const flipped = chunk[name].slice();
        flipped[at] = (flipped[at] as number) ^ 0x10;
        expect(() => decodeChunk({ ...stored(chunk), [name]: flipped })).toThrow(/damaged/);
      }
    }
  });
});
