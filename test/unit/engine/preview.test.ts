import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { previewOf } from '../../../electron/engine/preview.ts';
import { bytesSource } from '../../../electron/parse/byte-source.ts';
import { openCpuBytes } from '../../../electron/parse/cpu-data.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { recordings } from '../../build/arbitrary.ts';
import { buildTraceDat } from '../../build/trace-dat.ts';
import { corpusFile } from '../../corpus.ts';

/** Bytes of data and time of every sub-buffer of a little-endian 64-bit recording, read without the code under test. */
function subBuffersOf(path: string): Map<number, { time: bigint; bytes: number }[]> {
  const source = bytesSource(readFileSync(path), path);
  const head = readTraceDat(source);
  const found = new Map<number, { time: bigint; bytes: number }[]>();
  for (const data of head.buffers[0]?.cpus ?? []) {
    const bytes = openCpuBytes(source, data, head.compression);
    const all = Buffer.from(bytes.read(0, bytes.size));
    const pages = [];
    for (let at = 0; at < all.length; at += 4096) {
      pages.push({ time: all.readBigUInt64LE(at), bytes: all.readUInt32LE(at + 8) & 0x7ffffff });
    }
    found.set(data.cpu, pages);
  }
  return found;
}

describe.each(['small-v6.dat', 'host-clock-boot.dat', 'host-lost.dat'])('preview of %s', (name) => {
  const path = corpusFile(name);

  it.skipIf(path === null)('holds all data of a recording that is small enough to be read whole, at its time', () => {
    const source = bytesSource(readFileSync(path as string), name);
    const preview = previewOf(source, readTraceDat(source));
    const pages = subBuffersOf(path as string);
    expect(preview?.lanes.map(({ cpu }) => cpu)).toEqual([...pages.keys()]);
    const first = [...pages.values()].map(([page]) => page?.time as bigint).reduce((a, b) => (b < a ? b : a));
    expect(preview?.originNs).toBe(String(first));
    for (const lane of preview?.lanes ?? []) {
      const own = pages.get(lane.cpu) ?? [];
      const total = own.reduce((sum, { bytes }) => sum + bytes, 0);
      const drawn = lane.bytes.reduce((sum, bytes) => sum + bytes, 0);
      // Beyond the number of samples pages are left out, and the ones read stand for them.
      if (own.length <= 192) expect(drawn).toBeCloseTo(total, 3);
      else expect(Math.abs(drawn / total - 1)).toBeLessThan(0.1);
    }
  });
});

it('has the lanes that the workspace will have: every CPU of every buffer, in its order', () => {
  fc.assert(
    fc.property(recordings, ({ recording }) => {
      const source = bytesSource(buildTraceDat(recording), 'built.dat');
      const head = readTraceDat(source);
      const preview = previewOf(source, head);
      if (preview === null) return;
      expect(preview.lanes.map(({ stream, cpu }) => [stream, cpu])).toEqual(
        head.buffers.flatMap(({ name, cpus }) => cpus.map(({ cpu }) => [name, cpu])),
      );
    }),
    { numRuns: 100 },
  );
});
