import type { ByteSource } from '../parse/byte-source.ts';
import type { SymbolIndex } from '../parse/print-format/symbols.ts';
import type { KernelMemory } from './kernel-cursor.ts';
import type { ReportKernel } from './report-kernel.ts';

const PIECE_BYTES = 1 << 16;
/** A line has six characters at least. */
const SHORTEST_LINE = 6;
const ROOM_WORDS = Math.ceil(PIECE_BYTES / SHORTEST_LINE);

/** Memory that it takes. */
export const SYMBOL_BYTES = PIECE_BYTES + 3 * (4 * ROOM_WORDS + 8);

/**
 * Reads a kernel's symbols by the kernel of report, piece by piece: they are five megabytes, more memory than all that the report itself
 * touches. Null where a line is longer than a piece.
 */
export class KernelSymbols {
  readonly #kernel: ReportKernel;
  readonly #memory: KernelMemory;
  readonly #pieceAt: number;
  /** The addresses' halves, and the names' beginnings. */
  readonly #roomsAt: [number, number, number];

  constructor(kernel: ReportKernel, memory: KernelMemory) {
    this.#kernel = kernel;
    this.#memory = memory;
    this.#pieceAt = memory.take(PIECE_BYTES);
    const room = (): number => memory.take(4 * ROOM_WORDS);
    this.#roomsAt = [room(), room(), room()];
  }

  index(text: ByteSource): SymbolIndex | null {
    const most = Math.ceil(text.size / SHORTEST_LINE);
    const lists = [new Uint32Array(most), new Uint32Array(most), new Uint32Array(most)] as const;
    const piece = this.#memory.bytes(this.#pieceAt, PIECE_BYTES);
    const { words } = this.#memory;
    const { symbolsEnd, symbolsStopped } = this.#kernel;
    let count = 0;
    for (let at = 0; at < text.size; ) {
      const length = Math.min(PIECE_BYTES, text.size - at);
      const last = at + length === text.size;
      text.read(at, length, piece);
      const found = this.#kernel.readSymbols(this.#pieceAt, this.#pieceAt + length, last, ...this.#roomsAt, at);
      lists.forEach((list, i) => {
        const room = (this.#roomsAt[i] as number) >>> 2;
        list.set(words.subarray(room, room + found), count);
      });
      count += found;
      const read = symbolsEnd.value - this.#pieceAt;
      if (symbolsStopped.value !== 0 || last) break;
      if (read === 0) return null;
      at += read;
    }
    const [high, low, nameAt] = lists.map((list) => list.subarray(0, count)) as [Uint32Array, Uint32Array, Uint32Array];
    return { high, low, nameAt };
  }
}
