import { printText, type Spec } from './printf.ts';
import { latin1Bytes, type TextSink } from './text-sink.ts';

/** A bitmask as hexadecimal words of 32 bits, highest first: `00000000,0000000f`. */
export function printBitmask(out: TextSink, spec: Spec, mask: Uint8Array, littleEndian: boolean): void {
  let text = '';
  for (let i = 0; i < mask.length; i++) {
    const value = mask[littleEndian ? i : mask.length - 1 - i];
    if (i > 0 && i % 4 === 0) text = `,${text}`;
    text = value.toString(16).padStart(2, '0') + text;
  }
  const bytes = latin1Bytes(text);
  printText(out, spec, bytes, 0, bytes.length);
}

/** A CPU mask as a list of ranges: `0-3,7`. */
export function printCpumask(out: TextSink, spec: Spec, mask: Uint8Array, littleEndian: boolean): void {
  const bits = mask.length * 8;
  const has = (bit: number): boolean =>
    bit < bits && ((mask[littleEndian ? bit >>> 3 : mask.length - 1 - (bit >>> 3)] >>> (bit & 7)) & 1) === 1;
  const ranges: string[] = [];
  for (let bit = 0; bit < bits; bit++) {
    if (!has(bit)) continue;
    const first = bit;
    while (has(bit + 1)) bit++;
    ranges.push(first === bit ? String(first) : `${first}-${bit}`);
  }
  const bytes = latin1Bytes(ranges.join(','));
  printText(out, spec, bytes, 0, bytes.length);
}
