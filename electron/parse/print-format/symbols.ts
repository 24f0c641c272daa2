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
    return this.#symbols.addressOf(name);
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

class SymbolTable {
  readonly #text: string;
  readonly #high: Uint32Array;
  readonly #low: Uint32Array;
  readonly #nameAt: Uint32Array;
  readonly #nameEnd: Uint32Array;

  constructor(text: string, high: Uint32Array, low: Uint32Array, nameAt: Uint32Array, nameEnd: Uint32Array) {
    this.#text = text;
    this.#high = high;
    this.#low = low;
    this.#nameAt = nameAt;
    this.#nameEnd = nameEnd;
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
        const name = latin1Bytes(this.#text.slice(this.#nameAt[middle], this.#nameEnd[middle]));
        return { name, high: highs[middle], low: lows[middle], atHigh: high, atLow: low };
      }
      if (order < 0) to = middle;
      else from = next;
    }
    return null;
  }

  addressOf(name: string): bigint {
    for (let i = 0; i < this.#high.length; i++) {
      if (this.#nameEnd[i] - this.#nameAt[i] === name.length && this.#text.startsWith(name, this.#nameAt[i])) {
        return (BigInt(this.#high[i]) << 32n) | BigInt(this.#low[i]);
      }
    }
    return 0n;
  }
}

/** Up to the first line that is none. Absolute symbols (per-CPU offsets) and arm's `$a` marks are no functions. */
function readKallsyms(text: string): SymbolTable {
  const high: number[] = [];
  const low: number[] = [];
  const nameAt: number[] = [];
  const nameEnd: number[] = [];
  let sorted = true;
  for (let at = 0; at < text.length; ) {
    let end = text.indexOf('\n', at);
    if (end < 0) end = text.length;
    if (end === at) {
      at++;
      continue;
    }
    const space = text.indexOf(' ', at);
    const digits = space - at;
    const kind = text[space + 1];
    if (space < 0 || digits < 1 || digits > 16 || space + 3 >= end || text[space + 2] !== ' ') break;
    const upper = digits > 8 ? hexNumber(text, at, space - 8) : 0;
    const lower = hexNumber(text, Math.max(at, space - 8), space);
    if (upper < 0 || lower < 0) break;
    const name = space + 3;
    let stop = name;
    while (stop < end && text.charCodeAt(stop) > 32) stop++;
    if (stop === name) break;
    if (text[name] !== '$' && kind !== 'A' && kind !== 'a') {
      const last = high.length - 1;
      if (last >= 0 && (high[last] > upper || (high[last] === upper && low[last] >= lower))) sorted = false;
      high.push(upper);
      low.push(lower);
      nameAt.push(name);
      nameEnd.push(stop);
    }
    at = end + 1;
  }
  const order = Array.from(high, (_, index) => index);
  // Of several symbols at one address the last line comes first.
  if (!sorted) order.reverse().sort((a, b) => high[a] - high[b] || low[a] - low[b]);
  const pick = (values: number[]): Uint32Array => Uint32Array.from(order, (index) => values[index]);
  return new SymbolTable(text, pick(high), pick(low), pick(nameAt), pick(nameEnd));
}

/** Digits `[from, to)` as a number; −1 for what is no digit. */
function hexNumber(text: string, from: number, to: number): number {
  let value = 0;
  for (let i = from; i < to; i++) {
    const code = text.charCodeAt(i);
    const digit = code <= 57 ? code - 48 : (code | 32) - 87;
    if (digit < 0 || digit > 15 || (code > 57 && digit < 10)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

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
