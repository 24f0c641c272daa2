/** Rows in a block: a power of two. */
const BLOCK_BITS = 16;
const BLOCK_ROWS = 1 << BLOCK_BITS;
const MASK = BLOCK_ROWS - 1;
const ROW_BYTES = 14;

/**
 * Rows of a list that grows at its end: a time, an event's place among those of its CPU, and which CPU, as a number of the
 * list's own. In blocks, so that growing copies nothing and takes no more than a block too much.
 */
export class FoundRows {
  readonly #times: Float64Array[] = [];
  readonly #indexes: Uint32Array[] = [];
  readonly #sources: Uint16Array[] = [];
  n = 0;

  get bytes(): number {
    return this.#times.length * BLOCK_ROWS * ROW_BYTES;
  }

  push(time: number, index: number, source: number): void {
    const block = this.n >>> BLOCK_BITS;
    if (block === this.#times.length) {
      this.#times.push(new Float64Array(BLOCK_ROWS));
      this.#indexes.push(new Uint32Array(BLOCK_ROWS));
      this.#sources.push(new Uint16Array(BLOCK_ROWS));
    }
    const at = this.n & MASK;
    (this.#times[block] as Float64Array)[at] = time;
    (this.#indexes[block] as Uint32Array)[at] = index;
    (this.#sources[block] as Uint16Array)[at] = source;
    this.n++;
  }

  time(row: number): number {
    return (this.#times[row >>> BLOCK_BITS] as Float64Array)[row & MASK] as number;
  }

  index(row: number): number {
    return (this.#indexes[row >>> BLOCK_BITS] as Uint32Array)[row & MASK] as number;
  }

  source(row: number): number {
    return (this.#sources[row >>> BLOCK_BITS] as Uint16Array)[row & MASK] as number;
  }

  /** The first row whose time is not below `limit`. Times ascend. */
  firstFrom(limit: number): number {
    let low = 0;
    let high = this.n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time(middle) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
