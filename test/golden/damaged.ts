import { randomFrom } from '../build/random.ts';

/**
 * The list of damaged recordings, each with what trace-cmd made of it: a table row is
 *
 *   | v6-cut-40.dat | small-v6.dat cut at 40 of 5734400 | 40 | 0, 0 | 0, 0 |  |
 *
 * with the damage in words, the bytes, and exit code and lines of trace-cmd 3.1.6 and 3.3.3. The files are made anew from the words;
 * which bit was flipped and what the noise was they do not say, so these are chosen here.
 */
export interface DamagedCase {
  name: string;
  damage: string;
  /** Of trace-cmd 3.3.3. */
  exitCode: number;
  lines: number;
}

const ROW = /^\| (v\S+) \| (.*?) \| \d+ \| [-\d]+, \d+ \| ([-\d]+), (\d+) \|/gm;

export function damagedCases(table: string): DamagedCase[] {
  return [...table.matchAll(ROW)].map(([, name, damage, exitCode, lines]) => ({
    name: name as string,
    damage: damage as string,
    exitCode: Number(exitCode),
    lines: Number(lines),
  }));
}

const MAGIC_BYTES = 10;
const PAGE_SIZE_AT = MAGIC_BYTES + 4;
const COMPRESSION_AT = PAGE_SIZE_AT + 4;

/** Where a version 7 file says that its first options lie: behind the names of compression and its version. */
function optionsAt(file: Buffer): number {
  const name = file.indexOf(0, COMPRESSION_AT) + 1;
  return file.indexOf(0, name) + 1;
}

interface Rule {
  words: RegExp;
  /** Changes `file` in place, or returns another. `n` are the numbers of the words. */
  apply: (file: Buffer, n: number[], words: RegExpExecArray) => Buffer | undefined;
}

const RULES: Rule[] = [
  {
    words: /cut at (\d+) of (\d+)/,
    // Near the end, in a file of another length, as many bytes are missing.
    apply: (file, [at = 0, of = 0]) => file.subarray(0, of - at < of / 100 ? file.length - (of - at) : at),
  },
  {
    words: /one bit flipped at (\d+)/,
    apply(file, [at = 0]) {
      file[at] = (file[at] as number) ^ (1 << (at % 8));
      return undefined;
    },
  },
  {
    words: /(\d+) random bytes at (\d+)/,
    apply(file, [size = 0, at = 0]) {
      const random = randomFrom(at);
      for (let i = at; i < at + size; i++) file[i] = random(256);
      return undefined;
    },
  },
  { words: /(\d+) zero bytes at (\d+)/, apply: (file, [size = 0, at = 0]) => void file.fill(0, at, at + size) },
  { words: /version byte b'(.)'/, apply: (file, _, [, byte = '']) => void file.write(byte, MAGIC_BYTES, 'latin1') },
  { words: /byte (\d+) set to (\d+)/, apply: (file, [at = 0, value = 0]) => void file.writeUInt8(value, at) },
  { words: /page size field (0x\w+)/, apply: (file, [size = 0]) => void file.writeUInt32LE(size, PAGE_SIZE_AT) },
  {
    words: /commit of the page at (\d+) = (0x\w+)/,
    apply: (file, [at = 0, commit = 0]) => void file.writeUInt32LE(commit, at + 8),
  },
  {
    words: /first event header of the page at (\d+) = (0x\w+), next word (0x\w+)/,
    apply(file, [at = 0, header = 0, next = 0]) {
      file.writeUInt32LE(header, at + 16);
      file.writeUInt32LE(next, at + 20);
      return undefined;
    },
  },
  {
    words: /compression name "(\w+)"/,
    apply: (file, _, [, name = '']) => void file.write(name, COMPRESSION_AT, 'latin1'),
  },
  {
    words: /offset of the options section = (0x\w+) \(was (0x\w+)\)/,
    apply(file, _, [, value = '', was = '']) {
      const at = optionsAt(file);
      // Offsets near the right one are meant relative to it.
      const off = BigInt(value) - BigInt(was);
      const near = off > -16n && off < 16n;
      file.writeBigUInt64LE(near ? file.readBigUInt64LE(at) + off : BigInt(value), at);
      return undefined;
    },
  },
];

/** The damaged file; throws where the words are none of the known ones. */
export function damagedFile(intact: Uint8Array, damage: string): Uint8Array {
  for (const { words, apply } of RULES) {
    const match = words.exec(damage);
    if (match === null) continue;
    const file = Buffer.from(intact);
    return Uint8Array.from(apply(file, match.slice(1).map(Number), match) ?? file);
  }
  throw new Error(`unknown damage: ${damage}`);
}
