import { type ByteSource, wholeOf } from '../byte-source.ts';
import { latin1Bytes } from './text-sink.ts';

/**
 * Kernel addresses as text: `/proc/kallsyms` (`ffffffff81000000 T _stext [module]`) and `printk_formats`
 * (`0xffffffff82345678 : "Rescheduling interrupts"`), both as recorded. Built when first asked: most recordings print
 * no address, and a kernel has 200,000 symbols.
 */
export class Symbols {
  readonly #openKallsyms: () => ByteSource;
  readonly #printkFormats: string;
  #table: SymbolTable | null = null;
  #index: ((text: ByteSource) => SymbolIndex | null) | null = null;
  #formats: Map<bigint, Uint8Array> | null = null;
  /** Functions found lately: traces name the same few again and again. */
  readonly #found = new Map<number, KernelFunction | null>();
  /** Addresses by name: what a print format names is looked for by each that has it. */
  readonly #addresses = new Map<string, bigint>();

  /** `kallsyms` opens the text, once, when the first symbol is looked up. */
  constructor(kallsyms: () => ByteSource, printkFormats: string) {
    this.#openKallsyms = kallsyms;
    this.#printkFormats = printkFormats;
  }

  /** Has the text of kallsyms read by other means, which may leave it to the usual one. */
  indexBy(index: (text: ByteSource) => SymbolIndex | null): void {
    this.#index = index;
  }

  get #symbols(): SymbolTable {
    if (this.#table === null) {
      const text = this.#openKallsyms();
      this.#table = new SymbolTable(text, this.#index?.(text) ?? readKallsyms(wholeOf(text)));
    }
    return this.#table;
  }

  /** The symbol that an address lies in; null where none is known. */
  functionAt(high: number, low: number): KernelFunction | null {
    // Exact for the addresses of any one kernel: they share the upper bits.
    const key = (high | 0) * 4_294_967_296 + (low >>> 0);
    let found = this.#found.get(key);
    if (found === undefined) {
      found = this.#symbols.find(high >>> 0, low >>> 0);
      if (this.#found.size > 50_000) this.#found.clear();
      this.#found.set(key, found);
    }
    return found !== null && found.atHigh === high >>> 0 && found.atLow === low >>> 0 ? found : this.#verify(high, low);
  }

  /** Two addresses that differ in their lowest bits can share a key; the table decides. */
  #verify(high: number, low: number): KernelFunction | null {
    return this.#symbols.find(high >>> 0, low >>> 0);
  }

  /** Address of a symbol by name; 0 where it is not known. */
  addressOf(name: string): bigint {
    let address = this.#addresses.get(name);
    if (address === undefined) {
      address = this.#symbols.addressOf(name);
      this.#addresses.set(name, address);
    }
    return address;
  }

  /** The constant string at an address, quotes and the last `\n` left off, escapes kept; undefined where none is known. */
  stringAt(high: number, low: number): Uint8Array | undefined {
    this.#formats ??= readPrintkFormats(this.#printkFormats);
    if (this.#formats.size === 0) return undefined;
    return this.#formats.get((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  }
}

/** The symbols of a text in its order: addresses as two halves, and where in it the names begin. */
export interface SymbolIndex {
  high: Uint32Array;
  low: Uint32Array;
  nameAt: Uint32Array;
}

/** A kernel function, found for one address. */
export interface KernelFunction {
  /** Bytes of the name. */
  name: Uint8Array;
  /** Where the function starts, as two halves, unsigned. */
  high: number;
  low: number;
  /** The address that was looked up. */
  atHigh: number;
  atLow: number;
}

/** Addresses as two halves and names by where they begin in the text, all in the order of its lines. */
class SymbolTable {
  readonly #text: ByteSource;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #nameAt: Uint32Array;
  /** Lines by address; made for the first search: a recording that names one symbol does without. */
  #byAddress: Uint32Array | null = null;

  constructor(text: ByteSource, { high, low, nameAt }: SymbolIndex) {
    this.#text = text;
    this.#high = high;
    this.#low = low;
    this.#nameAt = nameAt;
  }

  /**
   * Bisects as C's bsearch does, which decides between symbols at one address. An address belongs to the symbol at or
   * before it, but none lies behind the last symbol, and two names for one address leave what follows to the last.
   */
  find(high: number, low: number): KernelFunction | null {
    const highs = this.#high;
    const lows = this.#low;
    this.#byAddress ??= addressOrder(highs, lows);
    const order = this.#byAddress;
    let from = 0;
    let to = order.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const at = order[middle];
      const distance = high === highs[at] ? low - lows[at] : high - highs[at];
      const next = order[middle + 1];
      const within =
        distance === 0 ||
        (distance > 0 && next !== undefined && (high === highs[next] ? low < lows[next] : high < highs[next]));
      if (within) {
        const name = this.#nameOf(at);
        return { name, high: highs[at], low: lows[at], atHigh: high, atLow: low };
      }
      if (distance < 0) to = middle;
      else from = middle + 1;
    }
    return null;
  }

  #nameOf(line: number): Uint8Array {
    for (let length = USUAL_NAME; ; length *= 2) {
      const text = this.#text.read(this.#nameAt[line], length);
      const end = nameEnd(text, 0);
      if (end < text.length || text.length < length) return text.subarray(0, end);
    }
  }

  /**
   * Of several symbols of one name the one at the lowest address; 0 where there is none. Looks through the whole text, piece by piece:
   * to be kept.
   */
  addressOf(name: string): bigint {
    if (name === '') return 0n;
    const text = this.#text;
    const piece = Buffer.alloc(PIECE_BYTES + name.length);
    let lowest: bigint | null = null;
    // Pieces overlap, so that one holds all of a name that begins in it.
    for (let from = 0; from < text.size; from += PIECE_BYTES) {
      const length = text.read(from, piece.length, piece).length;
      for (let at = piece.indexOf(name, 0, 'latin1'); at >= 0; at = piece.indexOf(name, at + 1, 'latin1')) {
        if (at >= PIECE_BYTES || at + name.length > length) break;
        const line = this.#lineOfName(from + at);
        if (line < 0 || this.#nameOf(line).length !== name.length) continue;
        const address = (BigInt(this.#high[line]) << 32n) | BigInt(this.#low[line]);
        if (lowest === null || address < lowest) lowest = address;
      }
    }
    return lowest ?? 0n;
  }

  /** The line whose name begins at `at`; −1 where none does. */
  #lineOfName(at: number): number {
    let from = 0;
    let to = this.#nameAt.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      if (this.#nameAt[middle] < at) from = middle + 1;
      else to = middle;
    }
    return this.#nameAt[from] === at ? from : -1;
  }
}

/** A name ends before a space, a tab or the line's end. */
function nameEnd(text: Uint8Array, from: number): number {
  let end = from;
  while (end < text.length && text[end] > 32) end++;
  return end;
}

/** Bytes of the text that are looked through at once: no more, as they are fresh memory. */
const PIECE_BYTES = 1 << 16;
/** Nearly every name is shorter. */
const USUAL_NAME = 64;

/** Lines of kallsyms are no shorter than this: an address, its kind and a name, with a line end. */
const SHORTEST_LINE = 6;
const NEWLINE = 10;
const SPACE = 32;
const DOLLAR = 36;

/** Up to the first line that is none. Absolute symbols (per-CPU offsets) and arm's `$a` marks are no functions. */
export function readKallsyms(text: Uint8Array): SymbolIndex {
  const most = Math.ceil(text.length / SHORTEST_LINE);
  const high = new Uint32Array(most);
  const low = new Uint32Array(most);
  const nameAt = new Uint32Array(most);
  let count = 0;
  for (let at = 0; at < text.length; ) {
    if (text[at] === NEWLINE) {
      at++;
      continue;
    }
    let upper = 0;
    let lower = 0;
    let digits = 0;
    let space = at;
    for (; space < text.length && text[space] !== SPACE; space++) {
      const digit = HEX_DIGITS[text[space]];
      digits |= digit;
      upper = (upper << 4) | (lower >>> 28);
      lower = (lower << 4) | digit;
    }
    const name = space + 3;
    if (digits > 15 || space === at || space - at > 16) break;
    // A name has a character at least, and `kind` is one.
    if (text[space + 2] !== SPACE || !(text[name] > SPACE)) break;
    const kind = text[space + 1];
    if (kind === NEWLINE) break;
    if (text[name] !== DOLLAR && kind !== 0x41 && kind !== 0x61) {
      high[count] = upper;
      low[count] = lower;
      nameAt[count++] = name;
    }
    at = name;
    while (at < text.length && text[at] !== NEWLINE) at++;
    at++;
  }
  return { high: high.slice(0, count), low: low.slice(0, count), nameAt: nameAt.slice(0, count) };
}

const FEW_SYMBOLS = 1000;

/** The order of addresses, by radix sort; of several symbols at one address the last line comes first. */
function addressOrder(high: Uint32Array, low: Uint32Array): Uint32Array {
  const count = high.length;
  const reversed = new Uint32Array(count);
  for (let i = 0; i < count; i++) reversed[i] = count - 1 - i;
  // Counting 65,536 kinds does not pay for a few.
  if (count < FEW_SYMBOLS) return reversed.sort((a, b) => high[a] - high[b] || low[a] - low[b]);
  const byLow = orderByHalf(orderByHalf(reversed, low, 0), low, 16);
  return orderByHalf(orderByHalf(byLow, high, 0), high, 16);
}

/** Sorts `order` by 16 bits of the keys; equal ones stay as they are. */
function orderByHalf(order: Uint32Array, keys: Uint32Array, shift: number): Uint32Array {
  const starts = new Uint32Array(0x1_0001);
  for (let i = 0; i < order.length; i++) starts[((keys[i] >>> shift) & 0xffff) + 1]++;
  // A kernel's addresses share their upper bits.
  if (order.length === 0 || starts[((keys[0] >>> shift) & 0xffff) + 1] === order.length) return order;
  for (let i = 0; i < 0xffff; i++) starts[i + 1] += starts[i];
  const sorted = new Uint32Array(order.length);
  for (let i = 0; i < order.length; i++) sorted[starts[(keys[order[i]] >>> shift) & 0xffff]++] = order[i];
  return sorted;
}

/** Values of the digits by their code; 16 for what is none. */
const HEX_DIGITS = Uint8Array.from({ length: 256 }, (_, code) => {
  const value = Number.parseInt(String.fromCharCode(code), 16);
  return Number.isNaN(value) ? 16 : value;
});

function readPrintkFormats(text: string): Map<bigint, Uint8Array> {
  const formats = new Map<bigint, Uint8Array>();
  for (const line of text.split('\n')) {
    const parts = /^:*([^:]+):.?(.*)$/s.exec(line);
    if (parts === null) continue;
    const digits = /^\s*(?:0[xX])?([0-9a-fA-F]+)/.exec(parts[1]);
    const address = digits === null ? 0n : BigInt.asUintN(64, BigInt(`0x${digits[1]}`));
    let format = parts[2];
    if (format.startsWith('"')) format = format.slice(1);
    if (format.endsWith('"')) format = format.slice(0, -1);
    if (format.endsWith('\\n')) format = format.slice(0, -2);
    // Of several lines for one address the last one counts.
    formats.set(address, latin1Bytes(format));
  }
  return formats;
}
