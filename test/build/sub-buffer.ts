import { ByteWriter } from './bytes.ts';

/**
 * Writes ring-buffer sub-buffers as the kernel does (kernel/trace/ring_buffer.c: rb_update_event,
 * ring_buffer_read_page; include/linux/ring_buffer.h):
 *
 *   u64 time stamp, long commit, data[]
 *   data: u32 header { type_len: 5 bits, time_delta: 27 bits } …
 *     type_len 1..28  payload of 4 × type_len bytes
 *              0      u32 length (its own 4 bytes included), payload
 *              29     padding: delta 0, nothing more in this sub-buffer; else u32 length, a discarded event
 *              30     time extend: u32, bits 27.. of the delta
 *              31     absolute time stamp: u32, bits 27..58; the page's own time stamp has the rest
 * In little-endian files type_len is the low 5 bits of the header, in big-endian ones the high 5 bits.
 */
export interface BufferEvent {
  /** Raw time, as the ring buffer counts. */
  time: bigint;
  /** Padded to 4 bytes by the writer. */
  payload: Uint8Array;
  /** How its time is stored; default: a delta where it fits, an extended one where it does not. */
  stamp?: 'extend' | 'absolute';
  /** Stored, then discarded by a filter: a reader steps over it. */
  discarded?: boolean;
  /** Begins a new sub-buffer that says events were lost before it: how many, or -1 without a count. */
  lostBefore?: number;
}

export interface RingAbi {
  littleEndian: boolean;
  /** Bytes of the kernel's long: the size of the commit field. */
  longBytes: 4 | 8;
  subBufferBytes: number;
}

const DELTA_BITS = 27n;
const MAX_DELTA = (1n << DELTA_BITS) - 1n;
const MAX_SMALL_PAYLOAD = 28 * 4;
const PADDING = 29;
const TIME_EXTEND = 30;
const TIME_STAMP = 31;
const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;

export const padded = (payload: Uint8Array): Uint8Array => {
  const bytes = new Uint8Array(Math.ceil(payload.length / 4) * 4);
  bytes.set(payload);
  return bytes;
};

/** One sub-buffer in the making. */
class SubBuffer {
  readonly #abi: RingAbi;
  readonly #out: ByteWriter;
  readonly #headBytes: number;
  readonly #commitAt: number;
  readonly #lost: number;
  last: bigint;

  constructor(abi: RingAbi, time: bigint, lost: number) {
    this.#abi = abi;
    this.#out = new ByteWriter(abi.littleEndian);
    this.#out.u64(time);
    this.#commitAt = this.#out.length;
    this.#out.integer(0n, abi.longBytes);
    this.#headBytes = this.#out.length;
    this.#lost = lost;
    this.last = time;
  }

  #header(typeLen: number, delta: bigint): void {
    const d = Number(delta & MAX_DELTA);
    this.#out.u32(this.#abi.littleEndian ? d * 32 + typeLen : typeLen * 2 ** 27 + d);
  }

  /** False when there is no room left for it. */
  add(event: BufferEvent): boolean {
    const payload = padded(event.payload);
    const delta = event.time - this.last;
    const absolute = event.stamp === 'absolute' || delta < 0n;
    const extended = !absolute && (event.stamp === 'extend' || delta > MAX_DELTA);
    const long = payload.length > MAX_SMALL_PAYLOAD || payload.length === 0;
    const needed = (absolute || extended ? 8 : 0) + 4 + (long ? 4 : 0) + payload.length;
    const reserve = this.#lost > 0 ? this.#abi.longBytes : 0;
    if (this.#out.length + needed + reserve > this.#abi.subBufferBytes) return false;
    if (absolute) {
      this.#header(TIME_STAMP, event.time);
      this.#out.u32(Number((event.time >> DELTA_BITS) & 0xffff_ffffn));
    } else if (extended) {
      this.#header(TIME_EXTEND, delta);
      this.#out.u32(Number((delta >> DELTA_BITS) & 0xffff_ffffn));
    }
    const own = absolute || extended ? 0n : delta;
    if (event.discarded) {
      // A discarded event keeps its size; a delta of 0 becomes 1, for 0 would end the sub-buffer.
      this.#header(PADDING, own === 0n ? 1n : own);
      this.#out.u32(payload.length + (long ? 4 : 0));
      this.#out.raw(long ? payload : payload.subarray(4));
      this.last = event.time + (own === 0n ? 1n : 0n);
      return true;
    }
    this.#header(long ? 0 : payload.length / 4, own);
    if (long) this.#out.u32(payload.length + 4);
    this.#out.raw(payload);
    this.last = event.time;
    return true;
  }

  done(): Uint8Array {
    const out = this.#out;
    let commit = out.length - this.#headBytes;
    if (this.#lost !== 0) commit += MISSED_EVENTS;
    if (this.#lost > 0) {
      commit += MISSED_STORED;
      out.integer(BigInt(this.#lost), this.#abi.longBytes);
    }
    // The flags are bits of the long's value; in an 8-byte big-endian long they lie in its second half.
    if (this.#abi.longBytes === 8) out.patch64(this.#commitAt, commit);
    else out.patch32(this.#commitAt, commit);
    return out.padTo(this.#abi.subBufferBytes).done();
  }
}

/** The sub-buffers of one CPU, one behind the other. An event longer than a sub-buffer throws RangeError. */
export function buildSubBuffers(events: readonly BufferEvent[], abi: RingAbi): Uint8Array {
  const done: Uint8Array[] = [];
  let open: SubBuffer | null = null;
  for (const event of events) {
    const lost = event.lostBefore ?? 0;
    if (open !== null && lost === 0 && open.add(event)) continue;
    if (open !== null) done.push(open.done());
    open = new SubBuffer(abi, event.time, lost);
    if (!open.add(event)) throw new RangeError(`an event of ${event.payload.length} bytes does not fit a sub-buffer`);
  }
  if (open !== null) done.push(open.done());
  return Buffer.concat(done);
}
