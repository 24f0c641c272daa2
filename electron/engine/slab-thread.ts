import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import type { Compression } from '../parse/decompress.ts';
import type { CpuData } from '../parse/recording.ts';
import { ChunkEncoder } from '../store/chunk-encoder.ts';
import { SlabIndexer, type SlabJob, type SlabResult } from './index-slab.ts';
import { KeptEvents, type KeptKinds } from './kept-events.ts';
import { SlabKernel } from './slab-kernel.ts';

/** What all slabs of a recording have in common. */
export interface SlabWork {
  compression: Compression;
  kept: KeptKinds;
}

export interface SlabOrder {
  /** Place in the list of slabs. */
  slab: number;
  data: CpuData;
  job: SlabJob;
}

export interface SlabAnswer {
  slab: number;
  result: SlabResult;
  warnings: TraceWarning[];
  eventTotals: Map<number, number>;
  pidTotals: Map<number, number>;
}

/** Indexes slabs of one recording, whichever it is given but in their order: one in each thread that works on it. */
export class SlabThread {
  readonly #source: ByteSource;
  readonly #compression: Compression;
  readonly #encoder = new ChunkEncoder();
  readonly #indexer: SlabIndexer;
  readonly #open = new Map<string, CpuBytes>();

  constructor(source: ByteSource, { compression, kept }: SlabWork) {
    this.#source = source;
    this.#compression = compression;
    const kernel = new SlabKernel();
    this.#indexer = new SlabIndexer(this.#encoder, new KeptEvents(kept, kernel), kernel);
  }

  /** Takes back the buffers of answers that have been written. */
  recycle(buffers: readonly ArrayBuffer[]): void {
    this.#encoder.recycle(buffers);
  }

  index({ slab, data, job }: SlabOrder): SlabAnswer {
    this.#encoder.reset();
    const bytes = this.#bytesOf(data);
    const known = bytes.warnings.length;
    const result = this.#indexer.index(bytes, job);
    const { eventTotals, pidTotals } = this.#encoder;
    // What opening the data had to say is told once, by the collector.
    return { slab, result, warnings: bytes.warnings.slice(known), eventTotals, pidTotals };
  }

  /** Kept open: compressed data begins with reading its directory. */
  #bytesOf(data: CpuData): CpuBytes {
    const key = `${data.part ?? ''}:${data.cpu}:${data.offset}`;
    let bytes = this.#open.get(key);
    if (bytes === undefined) {
      bytes = openCpuBytes(this.#source, data, this.#compression);
      this.#open.set(key, bytes);
    }
    return bytes;
  }
}

/** The buffers of an answer: what moves between threads, and can be used again when it is written. */
export const buffersOf = ({ result }: SlabAnswer): ArrayBuffer[] =>
  result.chunks.map(({ chunk }) => chunk.columns.buffer as ArrayBuffer);
