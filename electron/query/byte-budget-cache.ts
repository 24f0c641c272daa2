/** A least-recently-used cache bounded by bytes. One entry always fits, however large. */
export class ByteBudgetCache<K, V> {
  readonly #entries = new Map<K, { value: V; bytes: number }>();
  readonly #sizeOf: (value: V) => number;
  readonly #budgetBytes: number;
  #bytes = 0;

  constructor(budgetBytes: number, sizeOf: (value: V) => number) {
    this.#budgetBytes = budgetBytes;
    this.#sizeOf = sizeOf;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** The cached value, or `make`'s, which is then kept. */
  get(key: K, make: () => V): V {
    const found = this.#entries.get(key);
    if (found !== undefined) {
      // A Map iterates in order of insertion: moving an entry to the end makes its front the least recently used.
      this.#entries.delete(key);
      this.#entries.set(key, found);
      return found.value;
    }
    const value = make();
    const bytes = this.#sizeOf(value);
    this.#entries.set(key, { value, bytes });
    this.#bytes += bytes;
    for (const [oldest, entry] of this.#entries) {
      if (this.#bytes <= this.#budgetBytes || oldest === key) break;
      this.#entries.delete(oldest);
      this.#bytes -= entry.bytes;
    }
    return value;
  }

  /** The cached value, if there is one; that does not count as use. */
  peek(key: K): V | undefined {
    return this.#entries.get(key)?.value;
  }

  has(key: K): boolean {
    return this.#entries.has(key);
  }

  /** What is kept now, the least recently used first. */
  values(): V[] {
    return [...this.#entries.values()].map(({ value }) => value);
  }

  entries(): [K, V][] {
    return [...this.#entries].map(([key, { value }]) => [key, value]);
  }

  delete(key: K): void {
    const entry = this.#entries.get(key);
    if (entry === undefined) return;
    this.#entries.delete(key);
    this.#bytes -= entry.bytes;
  }

  clear(): void {
    this.#entries.clear();
    this.#bytes = 0;
  }
}
