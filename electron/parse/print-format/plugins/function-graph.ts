import { fieldNumber } from '../fields.ts';
import type { NumberOf, PrintRecord } from '../record.ts';
import type { TextSink } from '../text-sink.ts';
import { anyField, fieldValue, type Handler, type HandlerScope, ownField, type ValueOf } from './handler.ts';

/**
 * function_graph's entries and exits: what they cost in front, then the call indented by its depth. An entry whose own
 * exit is the very next record is one line, `function();`, and the exit prints nothing: `record.leaf` is that exit.
 */

export function graphEntry(scope: HandlerScope): Handler {
  const exit = scope.otherEvent('ftrace', 'funcgraph_exit');
  if (exit === null) return () => true;
  const func = fieldValue(scope, 'func');
  const depth = fieldValue(scope, 'depth');
  const duration = durationOf(exit);
  return (record, out) => {
    if (!func(record, out)) return giveUp(out);
    const { high, low } = record;
    if (record.leaf === null) {
      out.text('             |  ');
    } else {
      // The exit's own fields, read from the exit.
      const entry = { view: record.view, at: record.at, end: record.end };
      record.set(record.leaf.view, record.leaf.at, record.leaf.end - record.leaf.at);
      const found = duration(record, out);
      record.set(entry.view, entry.at, entry.end - entry.at);
      // A complaint was printed; the line is one all the same.
      if (!found) {
        out.byte(33);
        return false;
      }
    }
    if (!depth(record, out)) {
      out.byte(33);
      return false;
    }
    out.fill(32, indentOf(record.low >>> 0));
    const called = scope.symbols.functionAt(high, low);
    if (called !== null) out.literal(called.name);
    else out.hex64(high, low);
    out.text(record.leaf === null ? '() {' : '();');
    return false;
  };
}

export function graphExit(scope: HandlerScope): Handler {
  const duration = durationOf(scope);
  const depth = fieldValue(scope, 'depth');
  return (record, out) => {
    if (!duration(record, out)) return giveUp(out);
    if (!depth(record, out)) return giveUp(out);
    out.fill(32, indentOf(record.low >>> 0));
    out.byte(125);
    return false;
  };
}

/** Tells an entry's own exit: same task, same function. */
export class LeafTest {
  readonly entryId: number;
  readonly exitId: number;
  readonly #entryFunc: NumberOf;
  readonly #entryPid: NumberOf;
  readonly #exitFunc: NumberOf;
  readonly #exitPid: NumberOf;

  constructor(entry: HandlerScope, exit: HandlerScope, fields: [NumberOf, NumberOf, NumberOf, NumberOf]) {
    this.entryId = entry.event.id;
    this.exitId = exit.event.id;
    [this.#entryFunc, this.#entryPid, this.#exitFunc, this.#exitPid] = fields;
  }

  /** Null where the recording has no function graph. */
  static of(entry: HandlerScope | null, exit: HandlerScope | null): LeafTest | null {
    if (entry === null || exit === null) return null;
    const fields = [
      ownField(entry, 'func'),
      anyField(entry, 'common_pid'),
      ownField(exit, 'func'),
      anyField(exit, 'common_pid'),
    ];
    const numbers = fields.map((field) => (field === null ? null : fieldNumber(field, entry.abi)));
    const [a, b, c, d] = numbers;
    return a && b && c && d ? new LeafTest(entry, exit, [a, b, c, d]) : null;
  }

  isLeaf(entry: PrintRecord, exit: PrintRecord): boolean {
    this.#entryPid(entry);
    this.#exitPid(exit);
    if (entry.low !== exit.low) return false;
    this.#entryFunc(entry);
    this.#exitFunc(exit);
    return entry.low === exit.low && entry.high === exit.high;
  }
}

/** Two spaces a level, as a C int. The kernel follows some 50 levels; a damaged depth must not become gigabytes. */
const indentOf = (depth: number): number => Math.min((2 * depth) | 0, 2000);

/** The mark for long calls, and the time in microseconds: `! 179.555 us |  `. */
function durationOf(exit: HandlerScope): ValueOf {
  const returned = fieldValue(exit, 'rettime');
  const called = fieldValue(exit, 'calltime');
  return (record, out) => {
    if (!returned(record, out)) return false;
    const end = (BigInt(record.high >>> 0) << 32n) | BigInt(record.low >>> 0);
    if (!called(record, out)) return false;
    const start = (BigInt(record.high >>> 0) << 32n) | BigInt(record.low >>> 0);
    printDuration(out, BigInt.asUintN(64, end - start));
    return true;
  };
}

function printDuration(out: TextSink, ns: bigint): void {
  const mark = ns > 1_000_000_000n ? '$' : ns > 1_000_000n ? '#' : ns > 100_000n ? '!' : ns > 10_000n ? '+' : ' ';
  out.text(ns === 0xffff_ffff_ffff_ffffn ? '  ' : `${mark} `);
  const us = (ns / 1000n).toString();
  const text = us.length < 7 ? `${us}.${(ns % 1000n).toString().padStart(3, '0')}` : us;
  out.text(`${text} us ${' '.repeat(Math.max(0, 7 - text.length))}|  `);
}

function giveUp(out: TextSink): boolean {
  out.byte(33);
  return true;
}
