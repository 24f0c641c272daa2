import { readFileSync } from 'node:fs';
import { kernelPath } from '../installation.ts';
import type { SubBufferLayout } from '../parse/sub-buffer.ts';
import { type EncodedChunk, rarePlace } from '../store/chunk-encoder.ts';

/** What `kernel/slab-kernel.ts` exports: functions as they are, variables in boxes. Places are in bytes of `memory`. */
interface KernelExports {
  memory: { readonly buffer: ArrayBuffer };
  begin(subBuffer: number, data: number, commit: number, type: number, pid: number, rawOrigin: bigint): void;
  scan(start: number, length: number, position: number): number;
  pack(): number;
  reset(): void;
  eventList: Variable;
  eventCount: Variable;
  pidList: Variable;
  pidCount: Variable;
  lost: Variable;
  kept: Variable;
  chunk: Variable;
  rare: Variable;
  batch: Variable;
  wanted: Variable;
  named: Variable;
  events: Variable;
  kinds: Variable;
  pids: Variable;
  lostCount: Variable;
  keptCount: Variable;
  unusual: Variable;
  flags: Variable;
  checksum: Variable;
  firstPosition: Variable;
  from: Variable;
  to: Variable;
  rareBelow: Variable;
  rareBytes: Variable;
  rareChecksum: Variable;
}
interface Variable {
  readonly value: number;
}

/** Sub-buffers that the kernel's batch has room for. */
export const KERNEL_BATCH_BYTES = 1 << 19;
const MOST_PIDS = 1 << 22;
const KINDS = 65_536;
/** Bytes of an entry in the lists of kept and of lost events. */
const ENTRY_BYTES = 24;

/** An event that the kernel picked out: where it is in the chunk, and its record in the batch. */
export interface PickedEvent {
  event: number;
  byte: number;
  id: number;
  pid: number;
  time: number;
}

/**
 * The compiled inner loop of indexing, one for each thread: see kernel/slab-kernel.ts. Fill `batch`, `scan`, and `take` the chunk
 * when it is full. For layouts that `handles` says no to, and for what a scan calls unusual, there is the general code.
 */
export class SlabKernel {
  readonly #exports: KernelExports;
  readonly #view: DataView;
  readonly #lists: Uint32Array;
  /** Sub-buffers to scan. The general code may use it as well. */
  readonly batch: Uint8Array;
  /** Tables of KeptEvents: by kernel id, and by pid. */
  readonly wanted: Uint8Array;
  readonly named: Uint8Array;

  constructor() {
    const { exports } = new WebAssembly.Instance(compiled(), {});
    const kernel = exports as KernelExports;
    this.#exports = kernel;
    const { buffer } = kernel.memory;
    this.#view = new DataView(buffer);
    this.#lists = new Uint32Array(buffer);
    this.batch = new Uint8Array(buffer, kernel.batch.value, KERNEL_BATCH_BYTES);
    this.wanted = new Uint8Array(buffer, kernel.wanted.value, KINDS);
    this.named = new Uint8Array(buffer, kernel.named.value, MOST_PIDS);
  }

  static handles({ abi, subBufferBytes }: SubBufferLayout): boolean {
    return abi.littleEndian && subBufferBytes <= KERNEL_BATCH_BYTES;
  }

  /** Begins with data of this layout; times count from `rawOrigin`. */
  begin({ subBufferBytes, dataOffset, commitBytes, typeOffset, pidOffset }: SubBufferLayout, rawOrigin: bigint): void {
    this.#exports.begin(subBufferBytes, dataOffset, commitBytes, typeOffset, pidOffset, rawOrigin);
  }

  /**
   * Scans whole sub-buffers of the batch from byte `start` up to `length` into the open chunk; `position` is the batch's place
   * relative to the chunk's base. Returns the byte after the last one scanned: one that might not fit is left.
   */
  scan(start: number, length: number, position: number): number {
    return this.#exports.scan(start, length, position);
  }

  /** Whether the last scan met what is not the kernel's business: `reset`, and let the general code make the chunk. */
  get unusual(): boolean {
    return this.#exports.unusual.value !== 0;
  }

  /** Forgets the open chunk. */
  reset(): void {
    this.#exports.reset();
  }

  /** Events in the open chunk. */
  get events(): number {
    return this.#exports.events.value;
  }

  /** What the last scan picked out for KeptEvents. */
  *picked(): Generator<PickedEvent> {
    const { kept, keptCount } = this.#exports;
    for (let i = 0; i < keptCount.value; i++) {
      const at = kept.value + i * ENTRY_BYTES;
      const word = (offset: number): number => this.#view.getUint32(at + offset, true);
      yield { time: this.#view.getFloat64(at, true), event: word(8), byte: word(12), id: word(16), pid: word(20) };
    }
  }

  /**
   * Packs the open chunk and forgets it. The columns are in a buffer of `bufferOf`; totals are added to the maps. Lost events
   * count from the chunk's first event; `atNs` is null where the chunk has none, and then there is no chunk.
   */
  take(
    bufferOf: (bytes: number) => ArrayBuffer,
    eventTotals: Map<number, number>,
    pidTotals: Map<number, number>,
  ): { chunk: EncodedChunk | null; lost: { beforeIndex: number; atNs: number | null; count: number }[] } {
    const kernel = this.#exports;
    const chunk = this.events > 0 ? this.#pack(bufferOf) : null;
    const lost = Array.from({ length: kernel.lostCount.value }, (_, i) => {
      const at = kernel.lost.value + i * ENTRY_BYTES;
      return {
        beforeIndex: this.#view.getUint32(at + 16, true),
        atNs: chunk === null ? null : this.#view.getFloat64(at, true),
        count: this.#view.getFloat64(at + 8, true),
      };
    });
    this.#addTotals(eventTotals, kernel.eventList, kernel.eventCount, kernel.kinds.value);
    this.#addTotals(pidTotals, kernel.pidList, kernel.pidCount, kernel.pids.value);
    kernel.reset();
    return { chunk, lost };
  }

  #pack(bufferOf: (bytes: number) => ArrayBuffer): EncodedChunk {
    const kernel = this.#exports;
    const length = kernel.pack();
    const [count, pids, kinds, at] = [this.events, kernel.pids.value, kernel.kinds.value, kernel.chunk.value];
    const [rareAt, rareBytes] = [rarePlace(length), kernel.rareBytes.value];
    const buffer = bufferOf(rareAt + rareBytes);
    const columns = new Uint8Array(buffer, 0, length);
    columns.set(new Uint8Array(kernel.memory.buffer, at + kinds * 8, length));
    const rare = new Uint8Array(buffer, rareAt, rareBytes);
    rare.set(new Uint8Array(kernel.memory.buffer, kernel.rare.value, rareBytes));
    return {
      count,
      fromNs: kernel.from.value,
      toNs: kernel.to.value,
      flags: kernel.flags.value,
      firstPosition: kernel.firstPosition.value,
      pids,
      events: new Uint8Array(kernel.memory.buffer).slice(at, at + kinds * 8),
      columns,
      checksum: kernel.checksum.value >>> 0,
      rare: { below: kernel.rareBelow.value, bytes: rare, checksum: kernel.rareChecksum.value >>> 0 },
    };
  }

  #addTotals(totals: Map<number, number>, keys: Variable, counts: Variable, length: number): void {
    for (let i = 0; i < length; i++) {
      const key = this.#lists[(keys.value >>> 2) + i];
      totals.set(key, (totals.get(key) ?? 0) + this.#lists[(counts.value >>> 2) + i]);
    }
  }
}

/** What is used of a global that TypeScript has among the browser's only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

let module: object | null = null;

function compiled(): object {
  module ??= new WebAssembly.Module(readFileSync(kernelPath));
  return module;
}
