import { describe, expect, it } from 'vitest';
import { hexRows, hexText } from '../../../renderer/panels/hex-rows.ts';

const bytes = new Uint8Array([...new TextEncoder().encode('8:0\0dirty limit~'), 0xff, 0x7f, 0x80]);

describe('hex dump', () => {
  it('has every byte once, in order, with its offset', () => {
    const rows = hexRows(bytes, 8);
    expect(rows.map((row) => row.offset)).toEqual([0, 8, 16]);
    const all = rows.flatMap((row) => row.bytes);
    expect(all.map((byte) => byte.offset)).toEqual([...bytes.keys()]);
    expect(all.map((byte) => Number.parseInt(byte.hex, 16))).toEqual([...bytes]);
  });

  it('prints as hexdump -C does', () => {
    expect(hexText(bytes)).toBe(
      [
        '00000000  38 3a 30 00 64 69 72 74  79 20 6c 69 6d 69 74 7e  |8:0.dirty limit~|',
        '00000010  ff 7f 80                                          |...|',
      ].join('\n'),
    );
  });

  it('has no rows for no bytes', () => {
    expect(hexRows(new Uint8Array(0))).toEqual([]);
  });
});
