import type { TraceWarning } from '../../shared/errors.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { AddTable, TextOf } from '../parse/print-format/program.ts';
import { TextSink } from '../parse/print-format/text-sink.ts';
import { type CursorPlan, newRecordView, planCursors } from '../query/records.ts';
import { printEach, type RecordsToPrint } from '../query/report-recording.ts';
import { KernelCursor, KernelMemory } from './kernel-cursor.ts';
import { KernelSymbols, SYMBOL_BYTES } from './kernel-symbols.ts';
import {
  CURSOR,
  ENTRY_BYTES,
  FROM,
  MOST_PREFIX,
  MOST_TASK_COLUMN,
  MOST_TEXT,
  newReportKernel,
  type ReportKernel,
  WANTED,
} from './report-kernel.ts';

/**
 * Prints a report with kernel/report-kernel.ts: the usual lines there, what it hands over by the general code (`query/report.ts`), in
 * the same order and into the same output. Reports that are unusual as a whole are left to the general code. `told` gets the number of
 * lines that the kernel wrote.
 */
export function printByKernel(records: RecordsToPrint, told?: (lines: number) => void): TraceWarning[] {
  const plans = planCursors(records.buffers, records.keepCpu);
  const bytes = plans.reduce((sum, plan) => sum + bytesFor(plan), PROGRAM_BYTES + SYMBOL_BYTES + SLACK);
  if (bytes > MOST_BYTES || !isUsual(records, plans)) return printEach(records);
  const printing = new KernelPrinting(records, plans, newReportKernel(bytes));
  printing.run();
  told?.(printing.lines);
  return printing.warnings;
}

/** Programs of all kinds of events; memory that is not used costs nothing. */
const PROGRAM_BYTES = 1 << 20;
/** Texts are copied by whole words. */
const SLACK = 64;
const MOST_BYTES = 1 << 30;
const MOST_SUB_BUFFER = 1 << 19;

function bytesFor({ source, batchBytes }: CursorPlan): number {
  const { subBufferBytes } = source.buffer;
  const columns = 2 * MOST_PREFIX;
  return (
    CURSOR.words * 4 + 8 + Math.max(subBufferBytes, batchBytes) + ENTRY_BYTES * Math.ceil(subBufferBytes / 8) + columns
  );
}

function isUsual({ options, report, buffers }: RecordsToPrint, plans: readonly CursorPlan[]): boolean {
  if (plans.length === 0 || options.raw || options.keep !== undefined) return false;
  return buffers.every((source, buffer) => {
    const { abi, subBufferBytes, typeOffset, pidOffset } = subBufferLayout(source.head, source.buffer);
    const fields = (typeOffset & 1) === 0 && (pidOffset & 3) === 0 && Math.max(typeOffset, pidOffset) < 1 << 12;
    const pages = subBufferBytes >= 512 && subBufferBytes <= MOST_SUB_BUFFER && (subBufferBytes & 7) === 0;
    return (
      abi.littleEndian &&
      source.head.text === null &&
      fields &&
      pages &&
      report.bufferColumn(buffer).length <= MOST_PREFIX
    );
  });
}

class KernelPrinting {
  readonly #records: RecordsToPrint;
  readonly #kernel: ReportKernel;
  readonly #memory: KernelMemory;
  readonly #cursors: KernelCursor[];
  readonly #firstCursor: number;
  readonly #room: Uint8Array;
  readonly #programsAt: number;
  #programBytes = 0;
  /** What texts depend on, by number. */
  readonly #tables: TextOf[] = [];
  readonly #text = new TextSink(256);
  /** Names that were learnt when the kernel was last told of them. */
  #learnt = 0;
  #flagsKnown = false;

  constructor(records: RecordsToPrint, plans: readonly CursorPlan[], kernel: ReportKernel) {
    const { report, printer } = records;
    const memory = new KernelMemory(kernel);
    this.#records = records;
    this.#kernel = kernel;
    this.#memory = memory;
    const [{ source }] = plans as [CursorPlan];
    const { typeOffset, pidOffset } = subBufferLayout(source.head, source.buffer);
    kernel.layout(typeOffset, pidOffset, ['microseconds', 'nanoseconds', 'ticks'].indexOf(printer.time.unit));
    this.#firstCursor = memory.take(plans.length * CURSOR.words * 4);
    this.#cursors = plans.map((plan, i) => {
      const columns = { prefix: report.bufferColumn(plan.buffer), cpu: report.cpuColumn(plan.data.cpu) };
      return new KernelCursor(plan, kernel, memory, this.#firstCursor + i * CURSOR.words * 4, columns);
    });
    const order = memory.take(plans.length * 4);
    this.#programsAt = memory.take(PROGRAM_BYTES);
    kernel.start(this.#firstCursor, plans.length, order);
    const symbols = new KernelSymbols(kernel, memory);
    printer.symbols.indexBy((text) => symbols.index(text));
    this.#room = memory.bytes(kernel.out.value, kernel.outBytes.value);
    const { out } = report;
    this.#room.set(out.bytes.subarray(0, out.length));
    out.bytes = this.#room;
  }

  get lines(): number {
    return this.#kernel.lines.value;
  }

  /** Damage met. */
  get warnings(): TraceWarning[] {
    return this.#cursors.flatMap(({ batches }) => batches.warnings);
  }

  run(): void {
    const { report } = this.#records;
    this.#lend();
    for (let from: number = FROM.print; ; ) {
      const wanted = this.#kernel.run(from);
      from = FROM.print;
      switch (wanted) {
        case WANTED.nothing:
          this.#take();
          return;
        case WANTED.flush:
          this.#take();
          report.flush();
          this.#lend();
          break;
        case WANTED.refill:
          this.#current.fill();
          from = FROM.sift;
          break;
        case WANTED.program:
          this.#addProgram(this.#kernel.wantedId.value);
          break;
        case WANTED.task:
          if (!this.#addTask(this.#kernel.wantedPid.value)) from = this.#general();
          break;
        case WANTED.text:
          if (!this.#addText()) from = this.#general();
          break;
        default:
          from = this.#general();
      }
    }
  }

  get #current(): KernelCursor {
    const index = (this.#kernel.current.value - this.#firstCursor) / (CURSOR.words * 4);
    return this.#cursors[index] as KernelCursor;
  }

  /** What the kernel has written is the report's. */
  #take(): void {
    const { report } = this.#records;
    const { outAt, out, lastBuffer } = this.#kernel;
    report.out.length = outAt.value - out.value;
    if (lastBuffer.value >= 0) report.printed(lastBuffer.value);
  }

  /** The kernel writes on where the report is. */
  #lend(): void {
    const { report, printer } = this.#records;
    const { out } = report;
    // The general code enlarged it, for a line that is longer than there is room.
    if (out.bytes !== this.#room) {
      report.flush();
      out.bytes = this.#room;
    }
    this.#kernel.setOut(this.#kernel.out.value + out.length);
    if (!this.#flagsKnown) {
      const { fields } = printer.latency;
      this.#flagsKnown = fields !== null;
      if (fields !== null) this.#kernel.flagFields(...fields.flatMap(({ offset, size }) => [offset, size]));
    }
    this.#kernel.setHandOver(!this.#flagsKnown || report.waits);
  }

  /** Prints the current record by the general code. Returns where the kernel goes on. */
  #general(): number {
    const { report, printer } = this.#records;
    this.#take();
    this.#current.take(record);
    report.add(record);
    if (printer.comms.learnt !== this.#learnt) this.#tellNames();
    this.#lend();
    return FROM.advance;
  }

  #addProgram(id: number): void {
    const { report, printer } = this.#records;
    const name = printer.name(id);
    const program = name === null ? null : printer.program(id, report.nameColumn(id, name), this.#addTable);
    let at = 1;
    if (program !== null && this.#programBytes + program.length <= PROGRAM_BYTES - SLACK) {
      at = this.#programsAt + this.#programBytes;
      this.#memory.bytes(at, program.length).set(program);
      this.#programBytes += (program.length + 7) & ~7;
    }
    this.#memory.words[(this.#kernel.programs.value >>> 2) + id] = at;
  }

  readonly #addTable: AddTable = (text) => this.#tables.push(text) - 1;

  /** False where there is no room for another task. */
  #addTask(pid: number): boolean {
    const at = this.#kernel.addTask(pid);
    if (at !== 0) this.#tellTask(at);
    return at !== 0;
  }

  #tellTask(at: number): void {
    const { report, printer } = this.#records;
    const words = this.#memory.words.subarray(at >>> 2, (at >>> 2) + 4);
    const pid = words[0] | 0;
    const column = report.taskColumn(pid);
    words[1] = column.length > MOST_TASK_COLUMN ? 0 : column.length;
    words[2] = printer.comms.isKnown(pid) ? 1 : 0;
    if (column.length <= MOST_TASK_COLUMN) this.#memory.bytes(at + 16, column.length).set(column);
  }

  /** Those that had no name may have one now. */
  #tellNames(): void {
    this.#learnt = this.#records.printer.comms.learnt;
    for (let i = 0; i < this.#kernel.tasks.value; i++) {
      const at = this.#kernel.taskAt(i);
      if (this.#memory.words[(at >>> 2) + 2] === 0) this.#tellTask(at);
    }
  }

  /** False where the text is one that the kernel cannot hold. */
  #addText(): boolean {
    const { wantedTable, wantedValue } = this.#kernel;
    const value = BigInt.asUintN(64, wantedValue.value);
    const text = this.#text;
    text.length = 0;
    text.hasNul = false;
    const print = this.#tables[wantedTable.value] as TextOf;
    print(text, Number(BigInt.asIntN(32, value >> 32n)), Number(BigInt.asIntN(32, value)));
    if (text.length > MOST_TEXT || text.hasNul) return false;
    const at = this.#kernel.addText(wantedTable.value, value, text.length);
    this.#memory.bytes(at, text.length).set(text.bytes.subarray(0, text.length));
    return true;
  }
}

/** Filled for every record that the general code prints. */
const record = newRecordView();
