import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordAccess } from '../../../electron/parse/record-access.ts';
import { PayloadReader } from '../../../electron/query/payload.ts';
import type { TraceCpu, TraceStream } from '../../../electron/query/trace.ts';

/** Data in which a record at `at` is one byte of length and as many bytes; a record begins at every multiple of 16. */
const SIZE = 1 << 18;
const data = Uint8Array.from({ length: SIZE }, (_, i) => (i % 16 === 0 ? 8 : (i * 31 + (i >>> 8)) & 0xff));

/** `unit` 1: a record may go on behind the block, as lines of text do. */
function readerOf(unit: number, blockBytes: number): { reader: PayloadReader; bytesRead: () => number } {
  const access: RecordAccess = {
    blockUnit: unit,
    payload: (view, at, end, last) => {
      if (at + 9 > end && !last) return null;
      return { at: at + 1, length: Math.min(view.getUint8(at), end - at - 1) };
    },
  };
  let read = 0;
  const bytes = {
    cpu: 0,
    size: SIZE,
    read: (position: number, length: number, into?: Uint8Array) => {
      const piece = data.subarray(position, Math.min(SIZE, position + length));
      read += piece.length;
      const target = into ?? new Uint8Array(piece.length);
      target.set(piece);
      return target.subarray(0, piece.length);
    },
    fileOffset: (position: number) => position,
    warnings: [],
  };
  const reader = new PayloadReader({ access } as unknown as TraceStream, { bytes } as unknown as TraceCpu, blockBytes);
  return { reader, bytesRead: () => read };
}

const payloadAt = (reader: PayloadReader, position: number): number[] => {
  const { view, at, length } = reader.read(position);
  return Array.from({ length }, (_, i) => view.getUint8(at + i));
};

describe('payloads that are expected', () => {
  it('are what they are without being expected, whichever of them are asked for', () => {
    const places = fc.uniqueArray(fc.nat(SIZE / 16 - 1), { minLength: 1, maxLength: 60 });
    fc.assert(
      fc.property(
        places,
        fc.constantFrom(1, 4096),
        fc.constantFrom(4096, 32_768, 1 << 18),
        fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
        fc.nat(SIZE / 16 - 1),
        (numbers, unit, blockBytes, asked, stranger) => {
          const base = 16 * Math.min(...numbers);
          const positions = numbers.map((n) => n * 16).sort((a, b) => a - b);
          const { reader } = readerOf(unit, blockBytes);
          reader.expect(
            positions.map((position) => position - base),
            base,
          );
          const wanted = positions.filter((_, i) => asked[i]);
          // One that was not announced, in the middle.
          wanted.splice(wanted.length >> 1, 0, stranger * 16);
          for (const position of wanted) {
            expect(payloadAt(reader, position)).toEqual([...data.subarray(position + 1, position + 9)]);
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('are read without what lies in wide gaps between them', () => {
    const positions = [0, 16, 5000, 100_000, 200_000, 200_016];
    const { reader, bytesRead } = readerOf(4096, 1 << 18);
    reader.expect(positions, 0);
    for (const position of positions) payloadAt(reader, position);
    expect(bytesRead()).toBe(2 * 4096 + 4096 + 4096);
  });
});
