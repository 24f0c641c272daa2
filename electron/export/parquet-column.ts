import type { ColumnSource } from 'hyparquet-writer';
import type { Cell, ColumnType } from './convert-columns.ts';

type SchemaElement = NonNullable<Parameters<typeof import('hyparquet-writer').parquetWrite>[0]['schema']>[number];

/** A column of a Parquet table. Numbers are exact; see ColumnType for what a cell is. */
export interface ParquetColumn {
  name: string;
  type: ColumnType;
  nullable: boolean;
  /** Texts that hardly repeat. */
  distinct?: boolean;
}

/**
 * Types that every reader of Parquet knows: integers of 32 and 64 bits, unsigned only where 64 bits are needed, doubles,
 * UTF-8 and bytes.
 */
const physical: Record<ColumnType, Pick<SchemaElement, 'type' | 'converted_type'>> = {
  int32: { type: 'INT32' },
  int64: { type: 'INT64' },
  uint64: { type: 'INT64', converted_type: 'UINT_64' },
  double: { type: 'DOUBLE' },
  text: { type: 'BYTE_ARRAY', converted_type: 'UTF8' },
  bytes: { type: 'BYTE_ARRAY' },
};

export const schemaElement = ({ name, type, nullable }: ParquetColumn): SchemaElement => ({
  name,
  ...physical[type],
  repetition_type: nullable ? 'OPTIONAL' : 'REQUIRED',
});

type Numbers = Int32Array | BigInt64Array | BigUint64Array | Float64Array;
const numbersOf: Partial<Record<ColumnType, new (length: number) => Numbers>> = {
  int32: Int32Array,
  int64: BigInt64Array,
  uint64: BigUint64Array,
  double: Float64Array,
};
const FIRST_CAPACITY = 256;

/** Cells of one column that wait for their row group. */
export class ColumnBuffer {
  readonly #column: ParquetColumn;
  /** Numbers in an array of their own type, everything else as it is. */
  #numbers: Numbers | null;
  #values: Cell[] = [];
  /** Places of nulls among the numbers. */
  #nulls: number[] = [];
  #n = 0;
  /** About how many bytes of memory the cells take. */
  bytes = 0;

  constructor(column: ParquetColumn) {
    this.#column = column;
    const make = numbersOf[column.type];
    this.#numbers = make === undefined ? null : new make(FIRST_CAPACITY);
  }

  /** Bytes are copied. */
  push(cell: Cell): void {
    const numbers = this.#numbers;
    const at = this.#n++;
    if (numbers === null) {
      this.#values[at] = cell instanceof Uint8Array ? cell.slice() : cell;
      // Texts that repeat are one string many times.
      this.bytes += 8 + (typeof cell === 'string' && !this.#column.distinct ? 8 : ((cell as string)?.length ?? 0) + 24);
      return;
    }
    const roomy = at < numbers.length ? numbers : this.#grow(numbers);
    this.bytes += roomy.BYTES_PER_ELEMENT;
    if (cell === null) this.#nulls.push(at);
    else roomy[at] = cell as never;
  }

  #grow(numbers: Numbers): Numbers {
    const larger = new (numbers.constructor as new (length: number) => Numbers)(numbers.length * 2);
    larger.set(numbers as never);
    this.#numbers = larger;
    return larger;
  }

  /** All cells, for the writer; the buffer is empty afterwards. Valid until the next `push`. */
  take(): ColumnSource {
    const { name, type, distinct } = this.#column;
    const n = this.#n;
    const data = this.#numbers === null ? this.#values : this.#withNulls(this.#numbers.subarray(0, n));
    this.#values = [];
    this.#nulls = [];
    this.#n = 0;
    this.bytes = 0;
    const source = { name, data } as ColumnSource;
    if (type === 'int32') return { ...source, encoding: 'DELTA_BINARY_PACKED' };
    // Dictionaries of bigint cost more time than they save bytes; the compressor finds what repeats.
    if (type === 'int64' || type === 'uint64') return { ...source, encoding: 'PLAIN' };
    // Readers leave out row groups by the ranges of their numbers; texts are spread over all of them.
    if (type !== 'text') return source;
    if (!distinct) return { ...source, statistics: false };
    return { ...source, data: utf8Of(data as string[]), encoding: 'PLAIN', statistics: false };
  }

  #withNulls(numbers: Numbers): Numbers | Cell[] {
    if (this.#nulls.length === 0) return numbers;
    const cells: Cell[] = Array.from(numbers as ArrayLike<number>);
    for (const at of this.#nulls) cells[at] = null;
    return cells;
  }
}

const encoder = new TextEncoder();
/** Texts are encoded together, which is many times faster than one by one. */
const TOGETHER = 4096;

function utf8Of(texts: readonly string[]): Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let from = 0; from < texts.length; from += TOGETHER) {
    const some = texts.slice(from, from + TOGETHER);
    const joined = some.join('');
    const bytes = encoder.encode(joined);
    if (bytes.length !== joined.length) {
      // Not all of it is ASCII: lengths in bytes are not those in characters.
      for (const text of some) all.push(encoder.encode(text));
      continue;
    }
    let at = 0;
    for (const text of some) {
      all.push(new Uint8Array(bytes.buffer, at, text.length));
      at += text.length;
    }
  }
  return all;
}
