import { readUnsigned } from '../fields.ts';
import type { PrintRecord } from '../record.ts';
import type { TextSink } from '../text-sink.ts';
import { anyField, fieldValue, type Handler, type HandlerScope } from './handler.ts';

/** ftrace's own events: function, func_repeats, kernel_stack, raw_data. */

/** The function, indented by how deep its caller is among the functions seen before on this CPU. */
export function functionEntry(scope: HandlerScope): Handler {
  const ip = fieldValue(scope, 'ip');
  const parentIp = fieldValue(scope, 'parent_ip');
  return (record, out) => {
    if (!ip(record, out)) return giveUp(out);
    const { high, low } = record;
    if (!parentIp(record, out)) return giveUp(out);
    const called = scope.symbols.functionAt(high, low);
    const parent = scope.symbols.functionAt(record.high, record.low);
    if (parent !== null && record.cpu >= 0) {
      out.fill(32, 3 * scope.callStacks.depth(record.cpu, nameOf(parent.name), called && nameOf(called.name)));
    }
    if (called !== null) out.literal(called.name);
    else {
      out.text('0x');
      out.hex64(high, low);
    }
    return false;
  };
}

/** A function that was called again and again: how often, and when the last time was. */
export function functionRepeats(scope: HandlerScope): Handler {
  const entry = functionEntry(scope);
  const count = fieldValue(scope, 'count');
  const topDelta = fieldValue(scope, 'top_delta_ts');
  const bottomDelta = fieldValue(scope, 'bottom_delta_ts');
  return (record, out) => {
    entry(record, out);
    if (!count(record, out)) return giveUp(out);
    const times = record.low >>> 0;
    if (!topDelta(record, out)) return giveUp(out);
    const top = BigInt(record.low >>> 0) << 32n;
    if (!bottomDelta(record, out)) return giveUp(out);
    out.text(' (count: ');
    out.decimal(times);
    out.text('  last_ts: ');
    scope.printTime(out, BigInt.asUintN(64, record.time - (top | BigInt(record.low >>> 0))));
    out.byte(41);
    return false;
  };
}

/** One line per caller, up to the end of the record or an address of all ones. */
export function kernelStack(scope: HandlerScope): Handler {
  const caller = anyField(scope, 'caller');
  if (caller === null) return missing('caller');
  const { longBytes, littleEndian } = scope.abi;
  return (record, out) => {
    out.text('<stack trace >\n');
    for (let at = record.at + caller.offset; at + longBytes <= record.end; at += longBytes) {
      readUnsigned(record, at, longBytes, littleEndian);
      const { high, low } = record;
      if (low === -1) break;
      out.text('=> ');
      const found = scope.symbols.functionAt(high, low);
      if (found !== null) {
        out.literal(found.name);
        out.text(' (');
        out.hex64(high, low);
        out.text(')\n');
      } else {
        out.hex64(high, low);
        out.byte(10);
      }
    }
    return false;
  };
}

/** `# 1 72 61 77`: the marker's id and bytes. */
export function rawData(scope: HandlerScope): Handler {
  const id = fieldValue(scope, 'id');
  const buf = anyField(scope, 'buf');
  const { longBytes } = scope.abi;
  return (record, out) => {
    if (!id(record, out)) return giveUp(out);
    out.text('# ');
    out.hex64(record.high, record.low);
    if (buf === null) {
      out.text('<CANT FIND FIELD buf>');
      return false;
    }
    // Eight bytes at a time, whatever the step: on 32-bit machines half of them come twice.
    for (let at = record.at + buf.offset; at < record.end; at += longBytes) {
      for (let i = at; i < Math.min(at + 8, record.end); i++) {
        out.byte(32);
        out.hexByte(record.bytes[i]);
      }
    }
    return false;
  };
}

/**
 * What was called from where, per CPU: the caller is looked up among the names seen, and the callee stands one deeper.
 * A guess, as calls are traced but returns are not; the same guess as trace-cmd's.
 */
export class CallStacks {
  readonly #stacks = new Map<number, string[]>();

  depth(cpu: number, parent: string, called: string | null): number {
    let stack = this.#stacks.get(cpu);
    if (stack === undefined) {
      stack = [];
      this.#stacks.set(cpu, stack);
    }
    const found = stack.indexOf(parent);
    const depth = Math.max(0, found);
    if (found < 0) stack[0] = parent;
    if (called !== null) stack[depth + 1] = called;
    return depth;
  }
}

const names = new WeakMap<Uint8Array, string>();

/** A function's name as a string, made once. */
function nameOf(bytes: Uint8Array): string {
  let name = names.get(bytes);
  if (name === undefined) {
    name = Buffer.from(bytes).toString('latin1');
    names.set(bytes, name);
  }
  return name;
}

function giveUp(out: TextSink): boolean {
  out.byte(33);
  return true;
}

function missing(field: string): Handler {
  return (_record: PrintRecord, out) => {
    out.text(`<CANT FIND FIELD ${field}>`);
    return false;
  };
}
