import { checksumOf } from './chunk-codec.ts';
import type { ChunkSelection } from './chunk-selection.ts';

/**
 * The events of a chunk's rare kinds once more, apart from the columns: who asks for such a kind reads a few kilobytes instead of half
 * a megabyte, and has to sum up nothing. Kinds in the order of the dictionary, each one's events in theirs; one column after the other:
 *
 *   time      Float64 ns of the stream
 *   position  Uint32 bytes from the chunk's first record
 *   pid       Int32
 *   at        Uint16 place in the chunk
 *
 * 18 bytes an event, of a sixteenth of the events at most.
 */

/** Kinds whose events are kept apart are together at most this part of a chunk, as a shift. */
const PART_SHIFT = 4;
/** A chunk of more kinds has none kept apart. */
export const MOST_RARE_KINDS = 256;

export interface RareEvents {
  /** Kinds with at most this many events in the chunk are kept apart; 0: none. */
  below: number;
  bytes: Uint8Array;
  checksum: number;
}

/** Bytes of `n` events. */
export const rareBytes = (n: number): number => 16 * n + ((2 * n + 3) & ~3);

/** The largest `below` for a chunk of `count` events with the dictionary `events`: the rarest kinds that are within the limit together. */
export function rareBelow(events: Uint32Array, count: number): number {
  const kinds = events.length >>> 1;
  if (kinds > MOST_RARE_KINDS) return 0;
  const counts = new Uint32Array(kinds);
  for (let i = 0; i < kinds; i++) counts[i] = events[i * 2 + 1] as number;
  counts.sort();
  const most = count >>> PART_SHIFT;
  let [below, total] = [0, 0];
  for (let i = 0; i < kinds; ) {
    const next = counts[i] as number;
    // Those that are as frequent as each other are in together, or out.
    while (i < kinds && counts[i] === next) {
      total += next;
      i++;
    }
    if (total > most) break;
    below = next;
  }
  return below;
}

/** Events of all kinds that are kept apart; `upTo`: of those before this place in the dictionary. */
export function countRare(events: Uint32Array, below: number, upTo = events.length): number {
  let n = 0;
  for (let i = 1; i < upTo; i += 2) if ((events[i] as number) <= below) n += events[i] as number;
  return n;
}

/** Views of `n` events' columns. `at` bytes into `buffer`, a multiple of 8. */
export const rareColumns = (buffer: ArrayBuffer, at: number, n: number) => ({
  time: new Float64Array(buffer, at, n),
  position: new Uint32Array(buffer, at + 8 * n, n),
  pid: new Int32Array(buffer, at + 12 * n, n),
  at: new Uint16Array(buffer, at + 16 * n, n),
});

/** What is stored of a chunk's rare events. */
export interface RareBlobs {
  rare: Uint8Array;
  rare_checksum: number;
}

/**
 * The events of the kind at place `place` of the dictionary, which is one of those kept apart; the columns lie in the blob where typed
 * arrays can begin there. Throws RangeError where it is not what was written.
 */
export function selectRare(
  { rare, rare_checksum }: RareBlobs,
  events: Uint32Array,
  below: number,
  place: number,
): ChunkSelection {
  const all = countRare(events, below);
  const dictionary = new Uint8Array(events.buffer, events.byteOffset, events.byteLength);
  if (rare.length !== rareBytes(all) || checksumOf({ events: dictionary, columns: rare }) !== rare_checksum)
    throw new RangeError('a chunk of the index is damaged');
  const aligned = rare.byteOffset % 8 === 0 ? rare : rare.slice();
  const columns = rareColumns(aligned.buffer as ArrayBuffer, aligned.byteOffset, all);
  const from = countRare(events, below, place);
  const n = events[place + 1] as number;
  return {
    n,
    at: Uint32Array.from(columns.at.subarray(from, from + n)),
    time: columns.time.subarray(from, from + n),
    pid: columns.pid.subarray(from, from + n),
    position: columns.position.subarray(from, from + n),
  };
}
