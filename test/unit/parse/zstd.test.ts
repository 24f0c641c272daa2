import * as zlib from 'node:zlib';
import { describe, expect, test } from 'vitest';
import { unpack, unpackInto } from '../../../electron/parse/decompress.ts';
import { unpackFrame, unpackFrameInto, unpacksInPlace } from '../../../electron/parse/zstd.ts';

const node = zlib as typeof zlib & { zstdCompressSync?: (bytes: Uint8Array, options?: object) => Buffer };
const { zstdCompressSync } = node;
const { ZSTD_c_contentSizeFlag, ZSTD_c_checksumFlag } = zlib.constants as unknown as Record<string, number>;

/** Some kilobytes that neither repeat nor are random. */
function content(bytes: number, seed = 1): Uint8Array {
  let state = seed;
  return Uint8Array.from({ length: bytes }, (_, i) => {
    if (i % 7 === 0) state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return i % 16 < 11 ? i >>> 6 : state >>> 24;
  });
}

function frame(bytes: Uint8Array, { sized = false, checked = false } = {}): Uint8Array {
  const params = { [ZSTD_c_contentSizeFlag as number]: +sized, [ZSTD_c_checksumFlag as number]: +checked };
  return Uint8Array.from((zstdCompressSync as NonNullable<typeof zstdCompressSync>)(bytes, { params }));
}

/** What `unpackInto` makes of it, as `unpack` would give it: bytes or the message. */
function outcome(make: () => Uint8Array): Uint8Array | string {
  try {
    return Uint8Array.from(make());
  } catch (error) {
    return (error as Error).message;
  }
}

function inPlace(packed: Uint8Array, size: number): Uint8Array {
  const into = new Uint8Array(size);
  unpackInto('zstd', packed, into);
  return into;
}

// Node 20 has no zstd to compress with: there frames are those of recordings.
describe.skipIf(zstdCompressSync === undefined)('zstd frames', () => {
  const sizes = [1, 255, 256, 4096, 40_960, 65_791, 65_792, 300_000];

  test('this Node unpacks in place: should an upgrade take that away, look for another way', () => {
    expect(unpacksInPlace()).toBe(true);
  });

  test.each(sizes)('%i bytes, with and without size and checksum', (size) => {
    const bytes = content(size);
    for (const sized of [false, true]) {
      for (const checked of [false, true]) {
        const packed = frame(bytes, { sized, checked });
        const into = new Uint8Array(size);
        expect(unpackFrameInto(packed, into)).toBe(true);
        expect(into).toEqual(bytes);
        expect(Uint8Array.from(unpackFrame(packed, size))).toEqual(bytes);
      }
    }
  });

  test('frames of another length than stated are refused, and the next is as if nothing had been', () => {
    const bytes = content(5000);
    for (const sized of [false, true]) {
      const packed = frame(bytes, { sized });
      for (const size of [1, 4999, 5001, 20_000]) {
        expect(unpackFrameInto(packed, new Uint8Array(size))).toBe(false);
        expect(() => inPlace(packed, size)).toThrow(/unpack/);
        expect(inPlace(packed, 5000)).toEqual(bytes);
      }
    }
  });

  test('several frames in one block, and bytes after a frame', () => {
    const both = Buffer.concat([frame(content(3000)), frame(content(2000))]);
    expect(unpackFrameInto(both, new Uint8Array(5000))).toBe(false);
    expect(outcome(() => inPlace(both, 5000))).toEqual(outcome(() => unpack('zstd', both, 5000)));
    const trailed = Buffer.concat([frame(content(3000)), Buffer.alloc(3)]);
    expect(outcome(() => inPlace(trailed, 3000))).toEqual(outcome(() => unpack('zstd', trailed, 3000)));
  });

  test('cut at every byte: refused, and the next frame is read', () => {
    const bytes = content(900);
    for (const checked of [false, true]) {
      const packed = frame(bytes, { checked });
      for (let length = 0; length < packed.length; length++) {
        const cut = packed.subarray(0, length);
        expect(outcome(() => inPlace(cut, 900))).toEqual(outcome(() => unpack('zstd', cut, 900)));
        expect(inPlace(packed, 900)).toEqual(bytes);
      }
    }
  });

  test('every byte flipped: never what the general code would not give, and the next frame is read', () => {
    const bytes = content(900);
    const packed = frame(bytes);
    for (let at = 0; at < packed.length; at++) {
      for (const bit of [1, 0x10, 0x80]) {
        const flipped = packed.slice();
        flipped[at] = (flipped[at] as number) ^ bit;
        const found = outcome(() => inPlace(flipped, 900));
        const general = outcome(() => unpack('zstd', flipped, 900));
        // A frame that has no checksum may be damaged and unpack all the same; the two read the same from it.
        expect(found).toEqual(general);
        expect(inPlace(packed, 900)).toEqual(bytes);
      }
    }
  });

  test('a claim of gigabytes is refused before there is memory for it', () => {
    const packed = frame(new Uint8Array(8 << 20));
    expect(packed.length).toBeLessThan(4096);
    expect(() => unpack('zstd', packed, 300 << 20)).toThrow(/claims to hold/);
  });
});
