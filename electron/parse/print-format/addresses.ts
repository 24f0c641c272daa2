import type { TextSink } from './text-sink.ts';

/** Internet addresses as text; `bytes[at…]` is the address as it is sent. */

/** `192.168.0.1`; with leading zeros `192.168.000.001`. */
export function printIp4(out: TextSink, bytes: Uint8Array, at: number, leadingZeros: boolean, reverse: boolean): void {
  for (let i = 0; i < 4; i++) {
    if (i > 0) out.byte(46);
    const value = bytes[at + (reverse ? 3 - i : i)];
    if (leadingZeros) out.decimalPadded(value, 3);
    else out.decimal(value);
  }
}

/** Eight groups of four digits. */
export function printIp6(out: TextSink, bytes: Uint8Array, at: number, colons: boolean): void {
  for (let i = 0; i < 16; i++) {
    if (colons && i > 0 && i % 2 === 0) out.byte(58);
    out.hexByte(bytes[at + i]);
  }
}

/** RFC 5952: the longest run of zero groups as `::`; addresses that hold an IPv4 one end in its form. */
export function printIp6Compressed(out: TextSink, bytes: Uint8Array, at: number): void {
  const group = (index: number): number => (bytes[at + 2 * index] << 8) | bytes[at + 2 * index + 1];
  const mapped = [0, 1, 2, 3, 4].every((index) => group(index) === 0) && group(5) === 0xffff;
  const isatap = (group(4) | 0x0200) === 0x0200 && group(5) === 0x5efe;
  const groups = mapped || isatap ? 6 : 8;

  let longest = 1;
  let gap = -1;
  for (let i = 0; i < groups; i++) {
    let zeros = 0;
    while (i + zeros < groups && group(i + zeros) === 0) zeros++;
    if (zeros > longest) {
      longest = zeros;
      gap = i;
    }
  }

  let colon = false;
  for (let i = 0; i < groups; i++) {
    if (i === gap) {
      if (colon || i === 0) out.byte(58);
      out.byte(58);
      colon = false;
      i += longest - 1;
      continue;
    }
    if (colon) out.byte(58);
    out.hex64(0, group(i));
    colon = true;
  }
  if (groups === 6) {
    if (colon) out.byte(58);
    printIp4(out, bytes, at + 12, false, false);
  }
}
