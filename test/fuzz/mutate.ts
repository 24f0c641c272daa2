import { oneOf, type Random } from '../build/random.ts';

/**
 * Damage to bytes, as disks, wires and programs do it: flipped bits, cuts, noise, zeros, pieces moved or repeated, and numbers
 * that count or point replaced by ones that lie.
 */
export type Place = (random: Random, length: number) => number;

const LYING_NUMBERS = [
  0, 1, 2, 3, 4, 7, 8, 15, 16, 28, 29, 30, 31, 127, 128, 255, 256, 4095, 4096, 4097, 65_535, 65_536, 0x7fff_ffff,
  0x8000_0000, 0xffff_fff0, 0xffff_ffff,
];
const LYING_TEXTS = [
  '-1',
  '0',
  '4294967295',
  '99999999999',
  '(',
  ')',
  '[',
  ']',
  '{',
  '"',
  '%s',
  '%*d',
  '%99999d',
  '%p',
  'REC->',
  '__get_str(',
  '->',
  '\0',
  '\n',
];
const MOST_BYTES = 1 << 16;

/** `place` chooses where; `others` are what pieces are taken from. The input is left as it is. */
export function mutate(random: Random, bytes: Uint8Array, others: readonly Uint8Array[], place: Place): Uint8Array {
  let result: Uint8Array = Uint8Array.from(bytes);
  for (let steps = 1 + random(random(4) === 0 ? 8 : 3); steps > 0 && result.length > 0; steps--) {
    result = mutateOnce(random, result, others, place);
  }
  return result;
}

function mutateOnce(random: Random, bytes: Uint8Array, others: readonly Uint8Array[], place: Place): Uint8Array {
  const at = place(random, bytes.length);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  switch (random(14)) {
    case 0:
    case 1:
      bytes[at] = (bytes[at] as number) ^ (1 << random(8));
      return bytes;
    case 2:
      bytes[at] = random(256);
      return bytes;
    case 3:
    case 4:
    case 5: {
      const size = oneOf(random, [2, 4, 4, 4, 8] as const);
      const where = random(2) === 0 ? at & ~(size - 1) : at;
      if (where + size > bytes.length) return bytes;
      const value = random(3) === 0 ? random(bytes.length * 2) : oneOf(random, LYING_NUMBERS);
      const littleEndian = random(4) > 0;
      if (size === 2) view.setUint16(where, value, littleEndian);
      else if (size === 4) view.setUint32(where, value, littleEndian);
      else view.setBigUint64(where, random(6) === 0 ? ~BigInt(value) : BigInt(value), littleEndian);
      return bytes;
    }
    case 6:
      return random(3) === 0 ? bytes.slice(0, at) : bytes.slice(0, Math.max(at, bytes.length - 1 - random(64)));
    case 7:
      bytes.fill(random(2) * 255, at, at + 1 + random(random(8) === 0 ? 4096 : 16));
      return bytes;
    case 8:
      for (let i = at; i < Math.min(bytes.length, at + 1 + random(64)); i++) bytes[i] = random(256);
      return bytes;
    case 9: {
      const from = oneOf(random, others);
      const start = random(from.length);
      const piece = from.slice(start, start + 1 + random(random(4) === 0 ? 1024 : 64));
      if (random(2) === 0) return insert(bytes, at, piece);
      bytes.set(piece.subarray(0, bytes.length - at), at);
      return bytes;
    }
    case 10: {
      const size = 1 + random(random(4) === 0 ? 512 : 16);
      return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), bytes.subarray(at + size)]));
    }
    case 11: {
      const piece = bytes.slice(at, at + 1 + random(64));
      return insert(bytes, place(random, bytes.length), piece);
    }
    case 12:
      return digits(random, bytes, at);
    default: {
      const piece = Buffer.from(oneOf(random, LYING_TEXTS), 'latin1');
      if (random(2) === 0) return insert(bytes, at, piece);
      bytes.set(piece.subarray(0, bytes.length - at), at);
      return bytes;
    }
  }
}

function insert(bytes: Uint8Array, at: number, piece: Uint8Array): Uint8Array {
  if (bytes.length + piece.length > MOST_BYTES) return bytes;
  return Uint8Array.from(Buffer.concat([bytes.subarray(0, at), piece, bytes.subarray(at)]));
}

/** Replaces the next decimal number behind `at`, such as the size of a field, by as many other digits. */
function digits(random: Random, bytes: Uint8Array, at: number): Uint8Array {
  const isDigit = (i: number): boolean => i < bytes.length && (bytes[i] as number) >= 48 && (bytes[i] as number) <= 57;
  let from = at;
  while (from < Math.min(bytes.length, at + 256) && !isDigit(from)) from++;
  for (let i = from; isDigit(i); i++) bytes[i] = 48 + random(10);
  return bytes;
}
