import type { RecordingHead } from '../parse/recording.ts';
import { type EventColumns, payloadOf, type SubBufferLayout, swapWords } from '../parse/sub-buffer.ts';
import type { PickedEvent } from './slab-kernel.ts';

/**
 * Some events are asked for with every opening: those that name cgroups, and of each task that the recording does not name
 * its first switch away. They are rare, and finding them again would take reading all of the index: so indexing keeps them.
 */
export interface KeptKinds {
  /** Kernel ids of the events that are all kept. */
  always: number[];
  /** Kernel id of sched_switch; -1 where the recording has none. */
  taskSwitch: number;
  /** Tasks that have a name already. */
  named: Int32Array;
}

export interface KeptEvent {
  /** Counts from the slab's first event. */
  index: number;
  timeNs: number;
  /** Kernel's event id. */
  id: number;
  pid: number;
  /** As it lies in the recording. */
  payload: Uint8Array;
}

/** More than this of one slab are not rare: then none are kept, and whoever needs them asks the index. */
const MOST_KEPT = 4096;

const MOST_PIDS = 1 << 22;

const ALWAYS = 1;
const FIRST_OF_TASK = 2;

export function keptKinds(head: RecordingHead): KeptKinds {
  return {
    always: head.formats.filter(({ system }) => system === 'cgroup').map(({ id }) => id),
    taskSwitch: head.formats.find(({ system, name }) => system === 'sched' && name === 'sched_switch')?.id ?? -1,
    named: Int32Array.from([0, ...head.comms.keys()]),
  };
}

/**
 * Picks what is to be kept out of freshly scanned columns. One for all slabs that a thread indexes: as it gets them in
 * their order, what it has seen of a task in one slab comes before whatever a later one holds.
 */
export class KeptEvents {
  /** By kernel id: how it is wanted, 0 not at all. */
  readonly #wanted: Uint8Array;
  /** By pid: 2 for tasks that need no further switch. */
  readonly #named: Uint8Array;
  #kept: KeptEvent[] = [];
  /** How many of `#kept` have no time yet, which is corrected chunk by chunk. */
  #pending = 0;
  /** Where those of the open chunk begin. */
  #chunkAt = 0;
  #complete = true;

  /** `tables`: zeros, where they are shared with the kernel: 65,536 kinds and 2^22 pids. */
  constructor({ always, taskSwitch, named }: KeptKinds, tables?: { wanted: Uint8Array; named: Uint8Array }) {
    this.#wanted = tables?.wanted ?? new Uint8Array(65_536);
    this.#named = tables?.named ?? new Uint8Array(MOST_PIDS);
    for (const id of always) this.#wanted[id] = ALWAYS;
    if (taskSwitch >= 0) this.#wanted[taskSwitch] = FIRST_OF_TASK;
    for (const pid of named) if (pid >= 0 && pid < MOST_PIDS) this.#named[pid] = FIRST_OF_TASK;
  }

  /**
   * Looks through the events `from` to `to` of the columns. `batch` holds the words that they were scanned from, the first
   * one at `batchBase` relative to what the column of positions counts from.
   */
  take(columns: EventColumns, from: number, to: number, batch: Uint8Array, batchBase: number, layout: SubBufferLayout) {
    const { id, pid } = columns;
    const [wanted, named] = [this.#wanted, this.#named];
    for (let i = from; ; i++) {
      i = nextWanted(id, pid, wanted, named, i, to);
      if (i === to) return;
      const task = pid[i] as number;
      if (wanted[id[i] as number] === FIRST_OF_TASK) {
        if (task < 0 || task >= MOST_PIDS) continue;
        named[task] = FIRST_OF_TASK;
      }
      const at = (columns.position[i] as number) - batchBase;
      if (!this.#keep({ index: i, timeNs: 0, id: id[i] as number, pid: task }, batch, at, layout)) return;
      this.#pending++;
    }
  }

  /** Keeps what the kernel picked by the same rules, out of a chunk whose first event has index `firstIndex` in the slab. */
  takePicked(picked: Iterable<PickedEvent>, batch: Uint8Array, firstIndex: number, layout: SubBufferLayout): void {
    for (const { event, byte, id, pid, time } of picked)
      if (!this.#keep({ index: firstIndex + event, timeNs: time, id, pid }, batch, byte, layout)) return;
  }

  /** Returns false, and keeps none, once it is too much. */
  #keep(event: Omit<KeptEvent, 'payload'>, batch: Uint8Array, at: number, layout: SubBufferLayout): boolean {
    if (this.#kept.length === MOST_KEPT) this.#complete = false;
    else this.#kept.push({ ...event, payload: payloadAt(batch, at, layout) });
    return this.#complete;
  }

  /**
   * A chunk is complete. What `take` kept of it gets its times, which are corrected now, and its place: the chunk's first event has
   * index `firstIndex` in the slab.
   */
  finishChunk(columns?: EventColumns, firstIndex = 0): void {
    for (; this.#pending > 0; this.#pending--) {
      const event = this.#kept[this.#kept.length - this.#pending] as KeptEvent;
      event.timeNs = columns?.time[event.index] as number;
      event.index += firstIndex;
    }
    this.#chunkAt = this.#kept.length;
  }

  /** What was picked of the open chunk is void: it is going to be looked through again. */
  forgetChunk(): void {
    for (const { id, pid } of this.#kept.splice(this.#chunkAt))
      if (this.#wanted[id] === FIRST_OF_TASK) this.#named[pid] = 0;
  }

  /** What was kept since the last call; null where it was too much. */
  finishSlab(): KeptEvent[] | null {
    const kept = this.#complete ? this.#kept : null;
    this.#kept = [];
    this.#chunkAt = 0;
    this.#complete = true;
    return kept;
  }
}

/**
 * The first place from `from` on where an event is wanted; `to` where none is. Runs over every event: one test that hardly
 * ever holds, as branches by kind could not be foretold.
 */
function nextWanted(
  id: Uint16Array,
  pid: Int32Array,
  wanted: Uint8Array,
  named: Uint8Array,
  from: number,
  to: number,
): number {
  for (let i = from; i < to; i++) {
    const known = named[(pid[i] as number) & (MOST_PIDS - 1)] as number;
    if (((wanted[id[i] as number] as number) & ~known) !== 0) return i;
  }
  return to;
}

/** A copy of the payload of the record at byte `at`, in the recording's byte order. */
function payloadAt(batch: Uint8Array, at: number, { subBufferBytes, abi }: SubBufferLayout): Uint8Array {
  const end = at - (at % subBufferBytes) + subBufferBytes;
  const record = batch.slice(at, end);
  if (!abi.littleEndian) swapWords(record);
  const place = payloadOf(new DataView(record.buffer), 0, abi.littleEndian);
  return record.slice(place.at, place.at + place.length);
}
