import * as zlib from 'node:zlib';
import { ByteWriter, ParquetWriter } from 'hyparquet-writer';
import type { Cell } from './convert-columns.ts';
import type { ByteSink } from './convert-output.ts';
import { ColumnBuffer, type ParquetColumn, schemaElement } from './parquet-column.ts';

/** Rows of a row group, where memory allows: readers skip whole groups by the range of their times. */
const GROUP_ROWS = 131_072;

/** Zstandard where this Node has it (22.15 and newer), else the writer's own Snappy: every reader knows both. */
const zstd = zlib.zstdCompressSync as typeof zlib.zstdCompressSync | undefined;
const compression =
  zstd === undefined
    ? ({ codec: 'SNAPPY' } as const)
    : ({
        codec: 'ZSTD',
        compressors: { ZSTD: (bytes: Uint8Array) => zstd(bytes, { chunkSize: bytes.length + 1024 }) },
      } as const);

/** The library's buffer, emptied into the file after each row group. */
class SinkWriter extends ByteWriter {
  readonly #sink: ByteSink;

  constructor(sink: ByteSink) {
    super();
    this.#sink = sink;
  }

  flush(): void {
    if (this.index === 0) return;
    this.#sink.write(this.getBytes());
    // A table that waits for rows shall not hold the memory of its last group.
    this.buffer = new ArrayBuffer(1024);
    this.view = new DataView(this.buffer);
    this.index = 0;
  }

  override finish(): void {
    this.flush();
  }
}

/** One Parquet file, written row by row. Holds the rows of one row group. */
export class ParquetTable {
  readonly #writer: ParquetWriter;
  readonly #buffers: ColumnBuffer[];
  #waiting = 0;
  rows = 0;

  /** `about`: what the file's footer says of it, beside the schema. */
  constructor(sink: ByteSink, columns: readonly ParquetColumn[], about: Readonly<Record<string, string>> = {}) {
    this.#buffers = columns.map((column) => new ColumnBuffer(column));
    this.#writer = new ParquetWriter({
      writer: new SinkWriter(sink),
      schema: [{ name: 'root', num_children: columns.length }, ...columns.map(schemaElement)],
      ...compression,
      kvMetadata: Object.entries(about).map(([key, value]) => ({ key, value })),
      createdBy: 'Remora',
    });
  }

  /** Columns in their order; a row is complete with a cell in each, and is told by `endRow`. */
  get columns(): readonly Pick<ColumnBuffer, 'push'>[] {
    return this.#buffers;
  }

  endRow(): void {
    this.rows++;
    if (++this.#waiting >= GROUP_ROWS) this.flush();
  }

  addRow(cells: readonly Cell[]): void {
    for (const [i, buffer] of this.#buffers.entries()) buffer.push(cells[i] as Cell);
    this.endRow();
  }

  /** About how much memory the rows take that wait for their row group. */
  get bytes(): number {
    let bytes = 0;
    for (const buffer of this.#buffers) bytes += buffer.bytes;
    return bytes;
  }

  /** Writes the waiting rows as a row group. */
  flush(): void {
    if (this.#waiting === 0) return;
    const columnData = this.#buffers.map((buffer) => buffer.take());
    this.#writer.write({ columnData, rowGroupSize: this.#waiting });
    this.#waiting = 0;
  }

  /** The file is complete after this. */
  finish(): void {
    this.flush();
    this.#writer.finish();
  }
}
