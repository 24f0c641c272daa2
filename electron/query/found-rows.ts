/** Rows in a block: a power of two. */
const BLOCK_BITS = 16;
const BLOCK_ROWS = 1 << BLOCK_BITS;
const MASK = BLOCK_ROWS - 1;
const ROW_BYTES = 18;
const NO_NUMBERS = new Float64Array(0);
const NO_SOURCES = new Uint16Array(0);

/**
 * Rows of a list that grows at its end: a time, an event's place among those of its CPU, and which CPU, as a number of the
 * list's own. In blocks, so that growing copies nothing and takes no more than a block too much. Rows can be given up at the list's
 * beginning; the others keep their numbers.
 */
export class FoundRows {
  readonly #times: Float64Array[] = [];
  readonly #indexes: Float64Array[] = [];
  readonly #sources: Uint16Array[] = [];
  /** The first row that is there, and the one behind the last. */
  first = 0;
  n = 0;

  get bytes(): number {
    return (this.#times.length - (this.first >>> BLOCK_BITS)) * BLOCK_ROWS * ROW_BYTES;
  }

  push(time: number, index: number, source: number): void {
    const block = this.n >>> BLOCK_BITS;
    if (block === this.#times.length) {
      this.#times.push(new Float64Array(BLOCK_ROWS));
      this.#indexes.push(new Float64Array(BLOCK_ROWS));
      this.#sources.push(new Uint16Array(BLOCK_ROWS));
    }
    this.#set(this.n++, time, index, source);
  }

  time(row: number): number {
    return (this.#times[row >>> BLOCK_BITS] as Float64Array)[row & MASK] as number;
  }

  index(row: number): number {
    return (this.#indexes[row >>> BLOCK_BITS] as Float64Array)[row & MASK] as number;
  }

  source(row: number): number {
    return (this.#sources[row >>> BLOCK_BITS] as Uint16Array)[row & MASK] as number;
  }

  /** The first row whose time is not below `limit`. Times ascend. */
  firstFrom(limit: number): number {
    let low = this.first;
    let high = this.n;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.time(middle) < limit) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  /**
   * Gives up rows before `end`: those that `isGone` says of, by index and source. What stays of them moves up to `end`, and only there
   * numbers change.
   */
  forget(end: number, isGone: (index: number, source: number) => boolean): void {
    let to = end;
    for (let row = end - 1; row >= this.first; row--) {
      const [index, source] = [this.index(row), this.source(row)];
      if (isGone(index, source)) continue;
      this.#set(--to, this.time(row), index, source);
    }
    const empty = this.first >>> BLOCK_BITS;
    this.first = to;
    for (let block = empty; block < to >>> BLOCK_BITS; block++) {
      this.#times[block] = NO_NUMBERS;
      this.#indexes[block] = NO_NUMBERS;
      this.#sources[block] = NO_SOURCES;
    }
  }

  #set(row: number, time: number, index: number, source: number): void {
    const block = row >>> BLOCK_BITS;
    const at = row & MASK;
    (this.#times[block] as Float64Array)[at] = time;
    (this.#indexes[block] as Float64Array)[at] = index;
    (this.#sources[block] as Uint16Array)[at] = source;
  }
}
