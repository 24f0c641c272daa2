import type { TextSink } from './text-sink.ts';

/**
 * One record while it is printed, and the registers of the evaluator. Reused for every record. Numbers are unsigned
 * 64-bit, as in libtraceevent, held as two 32-bit halves (`high`, `low`, any sign) so that nothing is allocated.
 */
export class PrintRecord {
  view: DataView = new DataView(new ArrayBuffer(0));
  /** The same memory as `view`, for text. */
  bytes: Uint8Array = new Uint8Array(0);
  /** Where the payload begins, common fields included, and ends. */
  at = 0;
  end = 0;
  /**
   * How far text and arrays may reach that do not end where the record does: a string without its NUL, an array longer
   * than the record. In a report that is the memory behind the record, which trace-cmd prints; else the record's end.
   */
  reach = 0;
  /** −1 where records are printed one by one, out of order: nothing may depend on the record before. */
  cpu = -1;
  /** Absolute time in the trace's unit; for func_repeats, which prints another time. */
  time = 0n;
  /** A function graph entry's own exit, where that is the next record. */
  leaf: PrintRecord | null = null;
  high = 0;
  low = 0;

  /** Points the record at `view[at, at + length)`. */
  set(view: DataView, at: number, length: number, beyond = false): void {
    if (view !== this.view) {
      this.view = view;
      this.bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
    }
    this.at = at;
    this.end = Math.min(at + length, view.byteLength);
    this.reach = beyond ? view.byteLength : this.end;
  }
}

/** Evaluates a number into the record's registers. */
export type NumberOf = (record: PrintRecord) => void;
export type Print = (record: PrintRecord, out: TextSink) => void;
/** `args` are the halves of the arguments, high first; a pointer is an offset from the record's start, or −1. */
export type CallPrinter = (record: PrintRecord, out: TextSink, args: Int32Array) => void;
