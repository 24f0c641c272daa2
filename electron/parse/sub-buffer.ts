import type { TraceAbi } from './recording.ts';

/**
 * The ring buffer's sub-buffers: `kernel/trace/ring_buffer.c` (buffer_data_page, rb_update_event, ring_buffer_read_page)
 * and the machine's own `header_page`.
 *
 *   u64  timestamp                  time of the first event
 *   long commit                     bits 0..26 bytes of data; 31: events were lost before this sub-buffer;
 *                                   30: their count is stored behind the data, as a long
 *   data: records, 4-byte aligned
 *
 * A record starts with a word: type_len (5 bits), time_delta (27 bits); low bits first on little-endian machines, high
 * bits first on big-endian ones.
 *   type_len 0       u32 length follows (it counts itself), then the payload
 *   type_len 1..28   payload of 4·type_len bytes
 *   29 padding       u32 length; delta 0: the rest of the sub-buffer is empty; else a discarded event
 *   30 time extend   u32: upper bits of a delta (<< 27)
 *   31 time stamp    u32: upper bits of an absolute time (<< 27), whose bits above 59 are the sub-buffer's
 *
 * Columns that the scan fills, one entry per event, in the buffer's order. Owned by the caller, reused between scans.
 */
export interface EventColumns {
  /** Raw clock ticks relative to the origin that the scanner was given. Exact below 2^53. */
  time: Float64Array;
  /** Kernel's event id: common_type. */
  id: Uint16Array;
  /** common_pid. */
  pid: Int32Array;
  /** Position of the record's first word in the CPU's unpacked data, relative to the scan's base position. */
  position: Uint32Array;
}

export const CHUNK_EVENTS = 65_536;

export function newColumns(capacity = CHUNK_EVENTS): EventColumns {
  return {
    time: new Float64Array(capacity),
    id: new Uint16Array(capacity),
    pid: new Int32Array(capacity),
    position: new Uint32Array(capacity),
  };
}

/** What the head's formats say about the layout that the scanner needs. */
export interface SubBufferLayout {
  abi: TraceAbi;
  subBufferBytes: number;
  /** Size of `commit`: 4 or 8, from header_page, which states the kernel's long where the file's states user space's. */
  commitBytes: 4 | 8;
  /** Offset of the first record. */
  dataOffset: number;
  /** Where common_type (u16) and common_pid (i32) lie in a payload. */
  typeOffset: number;
  pidOffset: number;
}

/**
 * Events lost before the event with index `beforeIndex` of this CPU; `count` -1: the kernel did not say. `beforeRecord`: that event is the
 * first record of the sub-buffer that says so; else time stamps or discarded events come before it, or the sub-buffer has no event.
 */
export interface LostEvents {
  beforeIndex: number;
  count: number;
  beforeRecord: boolean;
}

/** Something in a sub-buffer that cannot be: the rest of that sub-buffer is left out. */
export interface SubBufferDamage {
  /** In the unpacked CPU data. */
  position: number;
  message: string;
  expected: string;
  found: string;
}

const COMMIT_MASK = 0x07ff_ffff;
const MISSED_EVENTS = 0x8000_0000;
const MISSED_STORED = 0x4000_0000;
const TWO_32 = 4_294_967_296;
const TWO_27 = 134_217_728;

/**
 * Scans the sub-buffers of one CPU, in order, batch by batch. Holds no payload: columns out, words in. One instance per
 * CPU, as absolute time stamps, counts and damage carry over.
 */
export class SubBufferScanner {
  readonly #layout: SubBufferLayout;
  readonly #originHigh: number;
  readonly #originLow: number;
  /** Index of the next event of this CPU. */
  eventIndex = 0;
  readonly lost: LostEvents[] = [];
  readonly damage: SubBufferDamage[] = [];
  /** Sub-buffers met, and bytes of event data in them. */
  subBuffers = 0;
  dataBytes = 0;

  /** `origin`: raw ticks that column times are relative to. */
  constructor(layout: SubBufferLayout, origin: bigint) {
    this.#layout = layout;
    this.#originHigh = Number((origin >> 32n) & 0xffff_ffffn);
    this.#originLow = Number(origin & 0xffff_ffffn);
  }

  /**
   * Scans `words`, the unpacked CPU data from `position` on as native 32-bit words of whole sub-buffers (for a machine
   * of the other byte order, swapped word by word), starting with the sub-buffer at `fromByte`. Columns fill from
   * `count`; positions are stored relative to `basePosition`. Stops before a sub-buffer that might not fit, so that no
   * state is held inside one. Returns where it stopped: the byte after the last scanned sub-buffer, and the new count.
   */
  scan(
    words: Uint32Array,
    position: number,
    fromByte: number,
    columns: EventColumns,
    count: number,
    basePosition: number,
  ): { nextByte: number; count: number } {
    const { subBufferBytes, commitBytes, dataOffset, abi } = this.#layout;
    const { time, id, pid, position: positions } = columns;
    const capacity = time.length;
    const bigEndian = !abi.littleEndian;
    // Smallest record: a word and a 4-byte payload.
    const mostEvents = Math.ceil((subBufferBytes - dataOffset) / 8);
    const typeWord = this.#layout.typeOffset >>> 2;
    const typeShift = ((this.#layout.typeOffset & 2) !== 0) !== bigEndian ? 16 : 0;
    const pidWord = this.#layout.pidOffset >>> 2;
    const headerWords = Math.max(typeWord, pidWord) + 1;
    const lengthBytes = words.length * 4;
    let byte = fromByte;
    let n = count;

    for (; byte + subBufferBytes <= lengthBytes; byte += subBufferBytes) {
      if (n + mostEvents > capacity) {
        // A full-size estimate rarely holds; the commit tells how many bytes there really are.
        const committed = Math.min(
          (words[(byte >>> 2) + (bigEndian && commitBytes === 8 ? 3 : 2)] as number) & COMMIT_MASK,
          subBufferBytes - dataOffset,
        );
        if (n + Math.ceil(committed / 8) > capacity && n > 0) break;
      }
      const start = byte >>> 2;
      const low = words[start + (bigEndian ? 1 : 0)] as number;
      const high = words[start + (bigEndian ? 0 : 1)] as number;
      const commit = words[start + (bigEndian && commitBytes === 8 ? 3 : 2)] as number;
      this.subBuffers++;
      const size = commit & COMMIT_MASK;
      const firstOfPage = n;
      if (size > subBufferBytes - dataOffset) {
        this.damage.push({
          position: position + byte + 8,
          message: `a sub-buffer of ${subBufferBytes} bytes says it holds ${size}: left out`,
          expected: `at most ${subBufferBytes - dataOffset} bytes`,
          found: `${size} bytes`,
        });
        continue;
      }
      if ((size & 3) !== 0) {
        this.damage.push({
          position: position + byte + 8,
          message: `a sub-buffer says it holds ${size} bytes, which are no whole words: what is whole is read`,
          expected: 'a multiple of 4 bytes',
          found: `${size} bytes`,
        });
      }
      this.dataBytes += size;
      let at = start + (dataOffset >>> 2);
      // Empty columns hold any sub-buffer of events; of one that is noise, what they hold is read.
      const end = at + Math.min(size >>> 2, capacity * 2);
      let now = (high - this.#originHigh) * TWO_32 + (low - this.#originLow);
      const topBits = high & 0xf800_0000;

      while (at < end) {
        const word = words[at] as number;
        const typeLength = bigEndian ? word >>> 27 : word & 31;
        const delta = bigEndian ? word & 0x07ff_ffff : word >>> 5;
        let payload: number;
        let payloadWords: number;
        if (typeLength >= 1 && typeLength <= 28) {
          payload = at + 1;
          payloadWords = typeLength;
        } else if (typeLength === 0) {
          const length = words[at + 1] as number;
          payload = at + 2;
          payloadWords = (length - 1) >>> 2;
          if (at + 1 >= end || length < 4) {
            this.#broken(position, at, 'a record of 4 bytes or more', `a record of ${length} bytes`);
            break;
          }
        } else if (typeLength === 30) {
          if (at + 1 >= end) {
            this.#broken(position, at, 'a time extend of 8 bytes', 'a time extend that is cut');
            break;
          }
          now += (words[at + 1] as number) * TWO_27 + delta;
          at += 2;
          continue;
        } else if (typeLength === 31) {
          if (at + 1 >= end) {
            this.#broken(position, at, 'a time stamp of 8 bytes', 'a time stamp that is cut');
            break;
          }
          now = this.#absolute(words[at + 1] as number, delta, topBits, now);
          at += 2;
          continue;
        } else {
          // Padding: without a delta the rest is empty, else an event was discarded in place.
          now += delta;
          if (delta === 0) {
            const left = (end - at - 1) * 4;
            if (left > 0)
              this.#broken(
                position,
                at,
                'nothing behind the padding that ends a sub-buffer',
                `${left} bytes behind it`,
              );
            break;
          }
          const length = words[at + 1] as number;
          if (at + 1 >= end || length > subBufferBytes) {
            const most = `a discarded event of at most ${subBufferBytes} bytes`;
            this.#broken(position, at, most, `a discarded event of ${length} bytes`);
            break;
          }
          at += 1 + ((length + 3) >>> 2);
          continue;
        }
        if (payload + payloadWords > end) {
          const left = Math.max(0, end - payload) * 4;
          const bytes = payloadWords * 4;
          this.#broken(
            position,
            at,
            `a record of at most ${left} bytes`,
            `a record of ${bytes} bytes, ${left} are left`,
          );
          break;
        }
        now += delta;
        time[n] = now;
        if (payloadWords >= headerWords) {
          id[n] = ((words[payload + typeWord] as number) >>> typeShift) & 0xffff;
          pid[n] = words[payload + pidWord] as number;
        } else {
          id[n] = payloadWords > typeWord ? ((words[payload + typeWord] as number) >>> typeShift) & 0xffff : 0;
          pid[n] = payloadWords > pidWord ? (words[payload + pidWord] as number) : 0;
        }
        positions[n] = position + at * 4 - basePosition;
        n++;
        at = payload + payloadWords;
      }

      if ((commit & MISSED_EVENTS) !== 0) {
        let missed = -1;
        const stored = start + ((dataOffset + size) >>> 2);
        if ((commit & MISSED_STORED) !== 0 && dataOffset + size + commitBytes <= subBufferBytes) {
          missed = words[stored + (bigEndian && commitBytes === 8 ? 1 : 0)] as number;
          if (commitBytes === 8) missed += (words[stored + (bigEndian ? 0 : 1)] as number) * TWO_32;
        }
        const beforeRecord = n > firstOfPage && positions[firstOfPage] === position + byte + dataOffset - basePosition;
        this.lost.push({ beforeIndex: this.eventIndex, count: missed, beforeRecord });
      }
      this.eventIndex += n - firstOfPage;
    }
    return { nextByte: byte, count: n };
  }

  /** Time of a type-31 record relative to the origin: 59 bits of it, completed from the sub-buffer's time stamp. */
  #absolute(upper: number, lower: number, topBits: number, previous: number): number {
    // absolute = upper << 27 | lower, as high and low words.
    let high = (upper >>> 5) + (topBits >>> 0);
    const low = ((upper & 31) * TWO_27 + lower) >>> 0;
    let now = (high - this.#originHigh) * TWO_32 + (low - this.#originLow);
    // The low 59 bits wrapped since the sub-buffer began.
    if (topBits !== 0 && now + TWO_32 * 0x0400_0000 < previous) {
      high += 0x0800_0000;
      now = (high - this.#originHigh) * TWO_32 + (low - this.#originLow);
    }
    return now;
  }

  #broken(position: number, word: number, expected: string, found: string): void {
    const message = `${found}: the rest of the sub-buffer is left out`;
    this.damage.push({ position: position + word * 4, message, expected, found });
  }
}

/** Swaps the bytes of every 32-bit word in place: how a big-endian machine's sub-buffers become native words. */
export function swapWords(bytes: Uint8Array): void {
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length & ~3).swap32();
}

/** Where a record's payload lies, given the position of its first word in `view`: the inverse of the scan's columns. */
export function payloadOf(view: DataView, at: number, littleEndian: boolean): { at: number; length: number } {
  const word = view.getUint32(at, littleEndian);
  const typeLength = littleEndian ? word & 31 : word >>> 27;
  if (typeLength !== 0) return { at: at + 4, length: typeLength * 4 };
  const length = view.getUint32(at + 4, littleEndian) - 4;
  return { at: at + 8, length: (length + 3) & ~3 };
}
