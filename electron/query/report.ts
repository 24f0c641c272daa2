import { cutAtNul, type Printer, UNKNOWN_EVENT } from '../parse/print-format/printer.ts';
import { PrintRecord } from '../parse/print-format/record.ts';
import { latin1Bytes, TextSink } from '../parse/print-format/text-sink.ts';
import type { RecordingHead } from '../parse/recording.ts';
import type { RecordView } from './records.ts';

/** As the options of `trace-cmd report`. */
export interface ReportOptions {
  /** -R: fields as they are, by name. */
  raw?: boolean;
  /** -l: short task names, flags right behind the CPU. */
  latency?: boolean;
  /** Records that are left out. They still tell whether a function graph entry is a leaf. */
  keep?: (record: RecordView) => boolean;
}

/** Text is handed on in pieces of about this size. Small: memory that was not touched before costs more than another write. */
const PIECE_BYTES = 1 << 17;

/**
 * The lines of `trace-cmd report` (3.3.3), record by record in time order: `header`, `add` for each record, `end`.
 * `write` gets the text in large pieces, as bytes (what the recording holds need not be UTF-8), borrowed for the call.
 */
export class Report {
  readonly #head: RecordingHead;
  readonly #printer: Printer;
  readonly #options: ReportOptions;
  readonly #write: (piece: Uint8Array) => void;
  readonly #record = new PrintRecord();
  readonly #taskColumns = new Map<number, TaskColumn>();
  readonly #nameColumns: Uint8Array[] = [];
  readonly #bufferColumns: Uint8Array[];
  readonly #out = new TextSink(PIECE_BYTES + (PIECE_BYTES >> 3));
  #held: HeldEntry | null = null;
  #lastBuffer: number;

  /** `printer`: made from the same head, and not used for another report before. */
  constructor(head: RecordingHead, printer: Printer, write: (piece: Uint8Array) => void, options: ReportOptions = {}) {
    this.#head = head;
    this.#printer = printer;
    this.#write = write;
    this.#options = options;
    this.#bufferColumns = bufferColumns(head);
    this.#lastBuffer = head.buffers.length - 1;
  }

  /** The first line; and, for a recording that holds a latency tracer's text in place of events, that text. */
  header(latencyText: Uint8Array | null = null): void {
    this.#out.text(`cpus=${this.#head.cpuCount}\n`);
    if (latencyText === null) return;
    this.#out.cString(latencyText, 0, latencyText.length);
    this.#out.byte(10);
  }

  add(view: RecordView): void {
    if (this.#held !== null && view.buffer === this.#held.buffer) {
      if (this.#release(view)) return;
    }
    if (this.#options.keep !== undefined && !this.#options.keep(view)) return;
    const sameBuffer = view.buffer === this.#lastBuffer;
    this.#lastBuffer = view.buffer;
    if (sameBuffer && this.#held === null && !this.#options.raw && this.#printer.leaves?.entryId === view.id) {
      this.#hold(view);
      return;
    }
    const out = this.#held === null ? this.#out : this.#held.after;
    this.#line(out, view, null);
    if (out.length >= PIECE_BYTES && this.#held === null) this.flush();
  }

  end(): void {
    this.#release(null);
    this.flush();
  }

  /** What is not written yet. Whoever prints lines by other means adds them here. */
  get out(): TextSink {
    return this.#out;
  }

  /** Whether a record waits for the one behind it: until then, all records must come here. */
  get waits(): boolean {
    return this.#held !== null;
  }

  /** The last record was printed by other means, and was one of this buffer. */
  printed(buffer: number): void {
    this.#lastBuffer = buffer;
  }

  /** Writes what is waiting to be written. */
  flush(): void {
    if (this.#out.length > 0) this.#write(this.#out.bytes.subarray(0, this.#out.length));
    this.#out.length = 0;
  }

  /**
   * A function graph entry waits for the next record of its buffer: where that is its own exit, both are one line.
   * What other buffers print meanwhile waits behind it.
   */
  #hold(view: RecordView): void {
    const payload = new Uint8Array(view.view.buffer, view.view.byteOffset + view.at, view.length).slice();
    const copy = { ...view, view: new DataView(payload.buffer), at: 0 };
    this.#held = { buffer: view.buffer, view: copy, after: new TextSink(256) };
  }

  /** Prints the waiting entry, now that the next record is known. True: that record was its exit, and is printed with it. */
  #release(next: RecordView | null): boolean {
    const held = this.#held;
    if (held === null) return false;
    this.#held = null;
    const { leaves } = this.#printer;
    let leaf: PrintRecord | null = null;
    if (next !== null && leaves !== null && next.id === leaves.exitId) {
      const exit = new PrintRecord();
      exit.set(next.view, next.at, next.length);
      this.#record.set(held.view.view, 0, held.view.length);
      if (leaves.isLeaf(this.#record, exit)) leaf = exit;
    }
    this.#line(this.#out, held.view, leaf);
    this.#out.literal(held.after.bytes.subarray(0, held.after.length));
    return leaf !== null;
  }

  #line(out: TextSink, view: RecordView, leaf: PrintRecord | null): void {
    const { raw = false, latency = false } = this.#options;
    const printer = this.#printer;
    const record = this.#record;
    record.set(view.view, view.at, view.length, true);
    record.cpu = view.cpu;
    record.leaf = leaf;
    out.literal(this.bufferColumn(view.buffer));
    const start = out.length;
    if (view.missed !== 0) {
      out.text(`CPU:${view.cpu} [${view.missed > 0 ? `${view.missed} ` : ''}EVENTS DROPPED]\n`);
    }
    const event = printer.event(view.id);
    if (event === null) {
      this.#unknown(out, record);
      return;
    }
    out.literal(this.#taskAndCpu(view.pid, view.cpu));
    if (raw) {
      out.text('-0x');
      out.hex64(0, printer.latency.bits(record));
    } else {
      if (!latency) out.byte(32);
      printer.latency.print(record, out);
    }
    if (printer.time.unit !== 'ticks') out.byte(32);
    printer.time.print(out, view.timeHigh, view.timeLow);
    out.literal(this.nameColumn(view.id, event.name));
    if (event.usesTime) record.time = (BigInt(view.timeHigh) << 32n) | BigInt(view.timeLow);
    if (raw) event.raw(record, out);
    else event.pretty(record, out);
    cutAtNul(out, start);
    if (out.bytes[out.length - 1] === 10) out.length--;
    out.byte(10);
  }

  /** A record whose id has no format: every column says so. */
  #unknown(out: TextSink, record: PrintRecord): void {
    out.literal(UNKNOWN_EVENT);
    if (this.#options.raw) {
      out.text('-0x');
      out.hex64(0, this.#printer.latency.bits(record));
    } else out.literal(UNKNOWN_EVENT);
    out.literal(UNKNOWN_EVENT);
    out.text(' (NULL):               ');
    out.literal(UNKNOWN_EVENT);
    out.byte(10);
  }

  /** `            bash-188   [001]`; with -l `    bash-188     1`. Made anew when the task's name has been learnt. */
  #taskAndCpu(pid: number, cpu: number): Uint8Array {
    const { comms } = this.#printer;
    let task = this.#taskColumns.get(pid);
    if (task === undefined || task.learnt !== comms.learnt) {
      const name = comms.name(pid);
      if (task?.name === name) task.learnt = comms.learnt;
      else {
        task = { name, learnt: comms.learnt, withCpu: [] };
        this.#taskColumns.set(pid, task);
      }
    }
    let text = task.withCpu[cpu];
    if (text === undefined) {
      text = latin1Bytes(`${this.#taskColumn(pid, task.name)}${this.#cpuColumn(cpu)}`);
      task.withCpu[cpu] = text;
    }
    return text;
  }

  #taskColumn(pid: number, name: Uint8Array): string {
    const comm = Buffer.from(name).toString('latin1');
    const shown = this.#options.latency ? comm.slice(0, 8).padStart(8) : comm.padStart(16);
    return `${shown}-${String(pid).padEnd(5)} `;
  }

  #cpuColumn(cpu: number): string {
    return this.#options.latency ? String(cpu).padStart(3) : `[${String(cpu).padStart(3, '0')}]`;
  }

  /** `            bash-188   `, with the name that the task has by now. */
  taskColumn(pid: number): Uint8Array {
    return latin1Bytes(this.#taskColumn(pid, this.#printer.comms.name(pid)));
  }

  /** `[001] `, up to the flags. */
  cpuColumn(cpu: number): Uint8Array {
    return latin1Bytes(`${this.#cpuColumn(cpu)}${this.#options.latency ? '' : ' '}`);
  }

  /** What a buffer's lines begin with. */
  bufferColumn(buffer: number): Uint8Array {
    return this.#bufferColumns[buffer];
  }

  /** `: sched_switch:         `: the time's colon, and the name to 20 characters. */
  nameColumn(id: number, name: Uint8Array): Uint8Array {
    let text = this.#nameColumns[id];
    if (text === undefined) {
      text = latin1Bytes(`: ${Buffer.from(name).toString('latin1')}: `.padEnd(24));
      this.#nameColumns[id] = text;
    }
    return text;
  }
}

interface TaskColumn {
  name: Uint8Array;
  /** As long as no name has been learnt since, `name` stands. */
  learnt: number;
  /** The columns' text, by CPU. */
  withCpu: Uint8Array[];
}

interface HeldEntry {
  buffer: number;
  view: RecordView;
  after: TextSink;
}

/** With several buffers, each line begins with the name of its own; the top one has none. */
function bufferColumns(head: RecordingHead): Uint8Array[] {
  if (head.buffers.length < 2) return [new Uint8Array(0)];
  const names = head.buffers.map((buffer) => buffer.name.slice(buffer.name.lastIndexOf('/') + 1));
  const width = Math.max(0, ...names.map((name) => name.length));
  return names.map((name) => latin1Bytes(name === '' ? ' '.repeat(width + 2) : `${name.padStart(width)}: `));
}
