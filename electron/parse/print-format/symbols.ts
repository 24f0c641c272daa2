import { latin1Bytes } from './text-sink.ts';

/**
 * Kernel addresses as text: `/proc/kallsyms` (`ffffffff81000000 T _stext [module]`) and `printk_formats`
 * (`0xffffffff82345678 : "Rescheduling interrupts"`), both as recorded. Built when first asked: most recordings print
 * no address, and a kernel has 200,000 symbols.
 */
export class Symbols {
  readonly #kallsyms: string;
  readonly #printkFormats: string;
  #table: SymbolTable | null = null;
  #formats: Map<bigint, Uint8Array> | null = null;
  /** Functions found lately: traces name the same few again and again. */
  readonly #found = new Map<number, KernelFunction | null>();

  constructor(kallsyms: string, printkFormats: string) {
    this.#kallsyms = kallsyms;
    this.#printkFormats = printkFormats;
  }

  get #symbols(): SymbolTable {
    this.#table ??= readKallsyms(this.#kallsyms);
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
    return this.#mayName(name) ? this.#symbols.addressOf(name) : 0n;
  }

  /** False for what is surely no symbol's name, at a fraction of what reading all symbols costs. */
  #mayName(name: string): boolean {
    const text = this.#kallsyms;
    for (let at = text.indexOf(` ${name}`); at >= 0; at = text.indexOf(` ${name}`, at + 1)) {
      const end = at + 1 + name.length;
      if (end === text.length || text.charCodeAt(end) <= 32) return true;
    }
    return false;
  }

  /** The constant string at an address, quotes and the last `\n` left off, escapes kept; undefined where none is known. */
  stringAt(high: number, low: number): Uint8Array | undefined {
    this.#formats ??= readPrintkFormats(this.#printkFormats);
    if (this.#formats.size === 0) return undefined;
    return this.#formats.get((BigInt(high >>> 0) << 32n) | BigInt(low >>> 0));
  }
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

/** Addresses as two halves, in order; names by where they begin in the text. */
class SymbolTable {
  readonly #text: string;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #nameAt: Uint32Array;

  constructor(text: string, high: Uint32Array, low: Uint32Array, nameAt: Uint32Array) {
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
    let from = 0;
    let to = highs.length;
    while (from < to) {
      const middle = (from + to) >>> 1;
      const order = high === highs[middle] ? low - lows[middle] : high - highs[middle];
      const next = middle + 1;
      const within =
        order === 0 ||
        (order > 0 && next < highs.length && (high === highs[next] ? low < lows[next] : high < highs[next]));
      if (within) {
        const name = latin1Bytes(this.#text.slice(this.#nameAt[middle], this.#nameEnd(middle)));
        return { name, high: highs[middle], low: lows[middle], atHigh: high, atLow: low };
      }
      if (order < 0) to = middle;
      else from = next;
    }
    return null;
  }

  /** Of several symbols of one name the one at the lowest address. Looks at every symbol, whatever the name: to be kept. */
  addressOf(name: string): bigint {
    const text = this.#text;
    const firstChar = name.charCodeAt(0);
    for (let i = 0; i < this.#nameAt.length; i++) {
      const at = this.#nameAt[i];
      if (text.charCodeAt(at) !== firstChar || !text.startsWith(name, at)) continue;
      if (this.#nameEnd(i) === at + name.length) return (BigInt(this.#high[i]) << 32n) | BigInt(this.#low[i]);
    }
    return 0n;
  }

  #nameEnd(index: number): number {
    let end = this.#nameAt[index];
    while (end < this.#text.length && this.#text.charCodeAt(end) > 32) end++;
    return end;
  }
}

/** Lines of kallsyms are no shorter than this: an address, its kind and a name, with a line end. */
const SHORTEST_LINE = 6;

/** Up to the first line that is none. Absolute symbols (per-CPU offsets) and arm's `$a` marks are no functions. */
function readKallsyms(text: string): SymbolTable {
  const most = Math.ceil(text.length / SHORTEST_LINE);
  const high = new Uint32Array(most);
  const low = new Uint32Array(most);
  const nameAt = new Uint32Array(most);
  let count = 0;
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    if (end === at) {
      at++;
      continue;
    }
    const space = text.indexOf(' ', at);
    const digits = space - at;
    const name = space + 3;
    if (space < 0 || digits < 1 || digits > 16 || name >= end) break;
    if (text[space + 2] !== ' ' || text.charCodeAt(name) <= 32) break;
    const upper = digits > 8 ? hexNumber(text, at, space - 8) : 0;
    const lower = hexNumber(text, Math.max(at, space - 8), space);
    if (upper < 0 || lower < 0) break;
    const kind = text[space + 1];
    if (text[name] !== '$' && kind !== 'A' && kind !== 'a') {
      high[count] = upper;
      low[count] = lower;
      nameAt[count++] = name;
    }
    at = end + 1;
  }
  const order = addressOrder(high, low, count);
  const pick = (values: Uint32Array): Uint32Array => {
    const picked = new Uint32Array(count);
    for (let i = 0; i < count; i++) picked[i] = values[order[i]];
    return picked;
  };
  return new SymbolTable(text, pick(high), pick(low), pick(nameAt));
}

const FEW_SYMBOLS = 1000;

/** The order of addresses, by radix sort; of several symbols at one address the last line comes first. */
function addressOrder(high: Uint32Array, low: Uint32Array, count: number): Uint32Array {
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

/** Up to eight digits `[from, to)` as a number; −1 where one is none. */
function hexNumber(text: string, from: number, to: number): number {
  let value = 0;
  let digits = 0;
  for (let i = from; i < to; i++) {
    const digit = HEX_DIGITS[text.charCodeAt(i) & 0xff];
    value = (value << 4) | (digit & 15);
    digits |= digit;
  }
  return digits > 15 ? -1 : value >>> 0;
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
