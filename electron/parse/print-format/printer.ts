import { type EventFormat, parseEventFormat } from '../event-format.ts';
import type { RecordingHead } from '../recording.ts';
import { Comms } from './comms.ts';
import { compileEvent, type EventPrinters } from './compile.ts';
import { LatencyFlags } from './latency.ts';
import { BinaryPrintk, blockTracerFormat } from './plugins/bprint.ts';
import { CallStacks } from './plugins/ftrace.ts';
import { LeafTest } from './plugins/function-graph.ts';
import type { Handler, HandlerScope } from './plugins/handler.ts';
import { handlers } from './plugins/handlers.ts';
import { writeEvent } from './plugins/programs.ts';
import { type AddTable, ProgramWriter, Unfit } from './program.ts';
import { type Print, PrintRecord } from './record.ts';
import { Symbols } from './symbols.ts';
import { latin1Bytes, TextSink } from './text-sink.ts';
import { TimePrinter, timeUnit } from './times.ts';

/**
 * Prints the events of one recording as trace-cmd 3.3 with libtraceevent 1.8 and its plugins does. Every event is
 * compiled when its first record is met. Keeps what printing in order needs: task names learnt on the way, guessed
 * call depths. For single events in any order there is `info`, which needs none of that.
 */
export class Printer {
  readonly comms: Comms;
  readonly latency: LatencyFlags;
  readonly time: TimePrinter;
  /** Tells which exit belongs to which entry; null where the recording has no function graph. */
  readonly leaves: LeafTest | null;
  readonly #head: RecordingHead;
  readonly symbols: Symbols;
  readonly #callStacks = new CallStacks();
  readonly #formats = new Map<number, EventFormat>();
  readonly #compiled: (CompiledEvent | null | undefined)[] = [];
  readonly #record = new PrintRecord();
  readonly #sink = new TextSink(1 << 12);

  /** `nanoseconds`: times with nine decimals. The head is borrowed. */
  constructor(head: RecordingHead, options: { nanoseconds?: boolean } = {}) {
    this.#head = head;
    this.comms = new Comms(head.comms);
    this.symbols = new Symbols(head.kallsyms, head.printkFormats);
    this.time = new TimePrinter(timeUnit(head, options.nanoseconds ?? false));
    for (const format of head.formats) if (!this.#formats.has(format.id)) this.#formats.set(format.id, format);
    this.#addBlockTracer();
    this.latency = new LatencyFlags(head.formats, head.abi);
    this.leaves = LeafTest.of(this.#scopeOf('ftrace', 'funcgraph_entry'), this.#scopeOf('ftrace', 'funcgraph_exit'));
  }

  /** The event's text behind its name, for people: what a table's Info column shows. UTF-8. */
  info(id: number, view: DataView, at: number, length: number): string {
    const record = this.#record;
    record.set(view, at, length);
    const out = this.#sink;
    out.length = 0;
    const event = this.event(id);
    if (event === null) out.literal(UNKNOWN_EVENT);
    else event.pretty(record, out);
    cutAtNul(out, 0);
    if (out.length > 0 && out.bytes[out.length - 1] === 10) out.length--;
    return out.utf8();
  }

  /** The latency flags: `d..2.`. */
  flags(view: DataView, at: number, length: number): string {
    const record = this.#record;
    record.set(view, at, length);
    this.#sink.length = 0;
    this.latency.print(record, this.#sink);
    return this.#sink.latin1();
  }

  /** How events of this kind print; null where the recording has no format of this id. */
  event(id: number): CompiledEvent | null {
    const known = this.#compiled[id];
    if (known !== undefined) return known;
    const format = this.#formats.get(id);
    const compiled = format === undefined ? null : this.#compile(format);
    this.#compiled[id] = compiled;
    return compiled;
  }

  /** A program that begins with `head` and prints events of this kind like `event().pretty`; null where there is none. */
  program(id: number, head: Uint8Array, addTable: AddTable): Uint8Array | null {
    const format = this.#formats.get(id);
    if (format === undefined) return null;
    const writer = new ProgramWriter(addTable);
    try {
      writer.literal(head);
      writeEvent(this.#scope(format), writer);
      return writer.done();
    } catch (error) {
      if (error instanceof Unfit) return null;
      throw error;
    }
  }

  /** Bytes of an event's name; null where the recording has no format of this id. */
  name(id: number): Uint8Array | null {
    const format = this.#formats.get(id);
    return format === undefined ? null : latin1Bytes(format.name);
  }

  #compile(format: EventFormat): CompiledEvent {
    const scope = this.#scope(format);
    const name = latin1Bytes(format.name);
    if (format.system === 'ftrace' && format.name === 'bprint') {
      return { name, usesTime: false, ...binaryPrintk(scope) };
    }
    const printers = compileEvent(scope);
    const make = handlers.get(`${format.system}:${format.name}`);
    const pretty = make === undefined ? printers.pretty : handled(make(scope), printers.pretty);
    return { name, usesTime: format.name === 'func_repeats', raw: printers.raw, pretty };
  }

  #scope(event: EventFormat): HandlerScope {
    return {
      event,
      abi: this.#head.abi,
      symbols: this.symbols,
      comms: this.comms,
      callStacks: this.#callStacks,
      printTime: (out, time) => this.time.print(out, Number(time >> 32n), Number(time & 0xffff_ffffn)),
      otherEvent: (system, name) => this.#scopeOf(system, name),
    };
  }

  #scopeOf(system: string, name: string): HandlerScope | null {
    for (const format of this.#formats.values()) {
      if (format.name === name && format.system === system) return this.#scope(format);
    }
    return null;
  }

  #addBlockTracer(): void {
    const userStack = this.#head.formats.find((format) => format.system === 'ftrace' && format.name === 'user_stack');
    if (userStack === undefined || this.#formats.has(userStack.id + 1)) return;
    const format = parseEventFormat(blockTracerFormat(userStack), 'ftrace', this.#head.abi);
    this.#formats.set(format.id, format);
  }
}

export interface CompiledEvent extends EventPrinters {
  name: Uint8Array;
  /** Prints from `record.time`; others need not have it set. */
  usesTime: boolean;
}

export const UNKNOWN_EVENT = latin1Bytes('[UNKNOWN EVENT]');

/** Ends the text at its first NUL behind `from`, as C does. */
export function cutAtNul(out: TextSink, from: number): void {
  if (!out.hasNul) return;
  out.hasNul = false;
  const nul = out.bytes.subarray(from, out.length).indexOf(0);
  if (nul >= 0) out.length = from + nul;
}

function handled(handler: Handler, pretty: Print): Print {
  return (record, out) => {
    if (handler(record, out)) pretty(record, out);
  };
}

/** trace_printk: its format is in the record. Field by field, it has no print format to go by. */
function binaryPrintk(scope: HandlerScope): EventPrinters {
  const plain = compileEvent({ ...scope, event: { ...fields(scope.event), printFmt: '' } });
  const printk = BinaryPrintk.of(scope);
  if (printk === null) return plain;
  let failed = false;
  const pretty: Print = (record, out) => {
    if (failed) plain.pretty(record, out);
    else failed = !printk.print(record, out);
  };
  return { pretty, raw: plain.raw };
}

/** The parts of a format, which may be getters. */
const fields = (event: EventFormat): EventFormat => ({
  system: event.system,
  name: event.name,
  id: event.id,
  fields: event.fields,
  printFmt: event.printFmt,
  unreadLines: event.unreadLines,
});
