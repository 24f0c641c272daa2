import { payloadOf, type SubBufferLayout } from './sub-buffer.ts';

/**
 * How a record is found in a CPU's data, given its position there: what reading payloads needs to know about the kind of
 * recording. One per stream; stateless to its users.
 */
export interface RecordAccess {
  /** Blocks are read from multiples of this, in multiples of it: a record does not cross them, unless `payload` says so. */
  readonly blockUnit: number;
  /**
   * The payload of the record that begins at `at` of `view`, whose data ends at `end`: within `[at, end)`. Null where the
   * record may go on behind `end`: then more is to be read, from the record on. With `last`, there is no more.
   */
  payload(view: DataView, at: number, end: number, last: boolean): RecordPlace | null;
}

export interface RecordPlace {
  at: number;
  length: number;
}

/** Records of a ring buffer: each lies inside its sub-buffer and states its length. */
export function ringBufferAccess({ subBufferBytes, abi }: SubBufferLayout): RecordAccess {
  return {
    blockUnit: subBufferBytes,
    payload(view, at, end) {
      const place = payloadOf(view, at, abi.littleEndian);
      return { at: place.at, length: Math.max(0, Math.min(place.length, end - place.at)) };
    },
  };
}
