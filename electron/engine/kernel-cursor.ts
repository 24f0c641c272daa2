import { type EventColumns, newColumns, payloadOf } from '../parse/sub-buffer.ts';
import { CpuBatches, CpuClock, type CursorPlan, Losses, type RecordView } from '../query/records.ts';
import { CURSOR, ENTRY_BYTES, type ReportKernel } from './report-kernel.ts';

/** The kernel's memory behind what it uses itself, given out piece by piece. Zero, and never given back. */
export class KernelMemory {
  readonly buffer: ArrayBuffer;
  readonly words: Uint32Array;
  readonly times: BigUint64Array;
  #at: number;

  constructor({ memory, free }: ReportKernel) {
    this.buffer = memory.buffer;
    this.words = new Uint32Array(this.buffer);
    this.times = new BigUint64Array(this.buffer);
    this.#at = free.value;
  }

  /** Where `bytes` of memory begin, at a multiple of 8. */
  take(bytes: number): number {
    const at = this.#at;
    this.#at += (bytes + 7) & ~7;
    if (this.#at > this.buffer.byteLength) throw new RangeError('the kernel has no memory left');
    return at;
  }

  bytes(at: number, length: number): Uint8Array {
    return new Uint8Array(this.buffer, at, length);
  }

  /** A copy of some text, and its length. */
  text(text: Uint8Array): [at: number, length: number] {
    const at = this.take(text.length);
    this.bytes(at, text.length).set(text);
    return [at, text.length];
  }
}

/** The columns of one sub-buffer, for those that the kernel leaves: one for all cursors. */
const columnsOf = (subBufferBytes: number): EventColumns => newColumns(Math.ceil(subBufferBytes / 8));
let shared: EventColumns | null = null;

/**
 * One CPU's records for the kernel: sub-buffers are read into its memory, and what it does not scan itself is scanned by the general
 * code into the same entries.
 */
export class KernelCursor {
  readonly batches: CpuBatches;
  readonly #buffer: number;
  readonly #memory: KernelMemory;
  readonly #kernel: ReportKernel;
  readonly #clock: CpuClock;
  /** The cursor in the kernel's memory, and its first word. */
  readonly #at: number;
  readonly #word: number;
  readonly #batchAt: number;
  readonly #view: DataView;
  readonly #losses: Losses;

  /** `at`: of the cursor in memory. The columns are texts in memory. */
  constructor(
    plan: CursorPlan,
    kernel: ReportKernel,
    memory: KernelMemory,
    at: number,
    columns: { prefix: Uint8Array; cpu: Uint8Array },
  ) {
    const { source, data, buffer, batchBytes } = plan;
    this.#kernel = kernel;
    this.#memory = memory;
    this.#buffer = buffer;
    this.#at = at;
    this.#word = at >>> 2;
    let batchAt = 0;
    this.batches = new CpuBatches(source, data, batchBytes, (bytes) => {
      batchAt = memory.take(bytes);
      return memory.bytes(batchAt, bytes);
    });
    this.#batchAt = batchAt;
    const { room, layout, origin, scanner } = this.batches;
    this.#losses = new Losses(scanner.lost);
    this.#view = new DataView(memory.buffer, batchAt, room.length);
    this.#clock = new CpuClock(source.buffer.time, data.cpu, origin);
    const entries = memory.take(Math.ceil(layout.subBufferBytes / 8) * ENTRY_BYTES);
    this.#set('entries', entries);
    this.#set('next', entries);
    this.#set('end', entries);
    this.#set('page', batchAt);
    this.#set('pagesEnd', batchAt);
    this.#set('reach', batchAt + room.length);
    const [prefix, prefixLength] = memory.text(columns.prefix);
    this.#set('prefix', prefix);
    this.#set('prefixLength', prefixLength);
    const [cpu, cpuLength] = memory.text(columns.cpu);
    this.#set('cpu', cpu);
    this.#set('cpuLength', cpuLength);
    this.#set('buffer', buffer);
    this.#set('subBuffer', layout.subBufferBytes);
    this.#set('data', layout.dataOffset);
    this.#set('plain', this.#clock.isPlain ? 1 : 0);
    memory.times[(this.#word + CURSOR.origin) >>> 1] = origin;
    memory.times[(this.#word + CURSOR.offset) >>> 1] = BigInt.asUintN(64, source.buffer.time.offsetNs);
    this.fill();
  }

  #get(name: keyof typeof CURSOR): number {
    return this.#memory.words[this.#word + CURSOR[name]];
  }

  #set(name: keyof typeof CURSOR, value: number): void {
    this.#memory.words[this.#word + CURSOR[name]] = value;
  }

  /** Gives the cursor the entries of the next sub-buffer that has some; none at the end. */
  fill(): void {
    const { batches } = this;
    const { subBufferBytes } = batches.layout;
    do {
      if (this.#get('page') + subBufferBytes > this.#get('pagesEnd')) {
        this.#set('next', this.#get('end'));
        if (!batches.next()) return;
        this.#set('page', this.#batchAt);
        this.#set('pagesEnd', this.#batchAt + batches.length);
      }
    } while (this.#kernel.scan(this.#at) === 0 && !this.#scanPage());
    // A gap is told of with the first event of its sub-buffer, or where that has none with the next there is.
    if (this.#losses.waits) this.#set('stop', this.#get('next'));
  }

  /** Scans the next sub-buffer in the general way, if there is a whole one. Whether it has events. */
  #scanPage(): boolean {
    const { words, times } = this.#memory;
    const { scanner, layout, position } = this.batches;
    const page = this.#get('page');
    const end = page + layout.subBufferBytes;
    if (end > this.#get('pagesEnd')) return false;
    this.#set('page', end);
    if (shared === null || shared.time.length < Math.ceil(layout.subBufferBytes / 8))
      shared = columnsOf(layout.subBufferBytes);
    const data = words.subarray(this.#batchAt >>> 2, end >>> 2);
    scanner.eventIndex = this.#get('count');
    const { count } = scanner.scan(data, position, page - this.#batchAt, shared, 0, position);
    const entries = this.#get('entries');
    for (let i = 0; i < count; i++) {
      this.#clock.correct(shared.time[i]);
      const word = (entries + i * ENTRY_BYTES) >>> 2;
      words[word] = this.#clock.low;
      words[word + 1] = this.#clock.high;
      words[word + 2] = this.#batchAt + shared.position[i];
    }
    this.#set('count', scanner.eventIndex);
    this.#set('end', entries + count * ENTRY_BYTES);
    if (count > 0) times[(this.#word + CURSOR.time) >>> 1] = times[entries >>> 3];
    return count > 0;
  }

  /** The next record, for the general code; its gap is then told of. */
  take(record: RecordView): void {
    const { words } = this.#memory;
    const { layout, bytes } = this.batches;
    const next = this.#get('next');
    const view = this.#view;
    const { at, length } = payloadOf(view, words[(next >>> 2) + 2] - this.#batchAt, true);
    record.buffer = this.#buffer;
    record.cpu = bytes.cpu;
    record.index = this.#get('count') - (this.#get('end') - next) / ENTRY_BYTES;
    record.timeLow = words[next >>> 2];
    record.timeHigh = words[(next >>> 2) + 1];
    // As the scan reads them: where a record ends before, they are 0.
    record.id = length > layout.typeOffset ? view.getUint16(at + layout.typeOffset, true) : 0;
    record.pid = length > layout.pidOffset ? view.getInt32(at + layout.pidOffset, true) : 0;
    record.view = view;
    record.at = at;
    record.length = length;
    record.missed = this.#losses.before(record.index);
    this.#set('stop', 0);
  }
}
