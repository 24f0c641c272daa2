import { GENERAL, LIMIT, STACK, TASK, TEXT } from './report-memory';
import { findTask, findText } from './report-tables';
import { copy, decimal, fill, hex, number, text } from './report-text';

/** Runs the programs that print formats were compiled to. Whatever a record holds, only what lies within it, or before `reach`, is read. */

export let wantedPid: u32 = 0;
export let wantedTable: u32 = 0;
export let wantedValue: u64 = 0;

/** The columns of a task that is not known yet are wanted. */
export function wantTask(pid: u32): u32 {
  wantedPid = pid;
  return TASK;
}

/** A field's value, unsigned; 0 where the record ends before it, and for sizes that are none. */
export function field(payload: usize, end: usize, offset: u32, size: u32): u64 {
  const at = payload + offset;
  if (at + size > end) return 0;
  if (size === 4) return <u64>load<u32>(at);
  if (size === 8) return load<u64>(at);
  if (size === 2) return <u64>load<u16>(at);
  return size === 1 ? <u64>load<u8>(at) : 0;
}

// Steps of a program: words, each step's operands behind it. The numbers are those of parse/print-format/program.ts.
// 0: the end
const OP_LITERAL: u32 = 1; // at, relative to the program; length, 2048 at most
const OP_UNSIGNED_FIELD: u32 = 2; // offset, size: as %u of 32 bits, or of 64 where the size is 8
const OP_SIGNED_FIELD: u32 = 3; // the same as %d
const OP_HEX_FIELD: u32 = 4; // the same as %x
const OP_NUMBER: u32 = 5; // how, width, precision: see number()
const OP_CHARACTER: u32 = 6; // left, width
const OP_POINTER: u32 = 7;
const OP_ARRAY: u32 = 8; // offset, size, left, width, precision: a string in place
const OP_DYNAMIC: u32 = 9; // offset, base, left, width, precision: a string elsewhere in the record
const OP_TEXT: u32 = 10; // table: what the caller's table has for the value
const OP_NAME: u32 = 11; // offset, size: a string that does not reach beyond the record
const OP_NAMED: u32 = 12; // the pid on the stack, which stays there, is one whose name is known for good
const OP_JUMP: u32 = 13; // words forward
const OP_JUMP_IF_ZERO: u32 = 14;
const OP_CONSTANT: u32 = 15; // low, high
const OP_FIELD: u32 = 16; // offset, size
const OP_LENGTH: u32 = 17; // offset: length of a dynamic array
const OP_MASK: u32 = 18; // low bits to keep
const OP_NOT: u32 = 19;
const OP_INVERT: u32 = 20;
const OP_DIFFERS: u32 = 21;
const OP_EQUALS: u32 = 22;
const OP_EITHER: u32 = 23;
const OP_BOTH: u32 = 24;
const OP_OR: u32 = 25;
const OP_AND: u32 = 26;
const OP_BELOW: u32 = 27;
const OP_NOT_ABOVE: u32 = 28;
const OP_ABOVE: u32 = 29;
const OP_NOT_BELOW: u32 = 30;
const OP_SHIFT_LEFT: u32 = 31;
const OP_SHIFT_RIGHT: u32 = 32;
const OP_ADD: u32 = 33;
const OP_SUBTRACT: u32 = 34;
const OP_MULTIPLY: u32 = 35;
const OP_DIVIDE: u32 = 36; // behind it, the remainder

/** What `printEvent` wants where it returns 0. */
export let wanted: u32 = 0;

/** Runs a program. Returns the end of the text; 0: something is wanted. */
export function printEvent(to: usize, program: usize, payload: usize, end: usize, reach: usize): usize {
  let o = to;
  let pc = program;
  let top: usize = STACK;
  while (o <= LIMIT) {
    const op = load<u32>(pc);
    if (op >= OP_NOT) {
      // The right side is on top, and the result takes the place of what is used up.
      const right = load<u64>(top - 8);
      if (op === OP_NOT) store<u64>(top - 8, right === 0 ? 1 : 0);
      else if (op === OP_INVERT) store<u64>(top - 8, ~right);
      else {
        top -= 8;
        store<u64>(top - 8, combine(op, load<u64>(top - 8), right));
      }
      pc += 4;
      continue;
    }
    switch (op) {
      case OP_LITERAL: {
        o = copy(o, program + load<u32>(pc, 4), load<u32>(pc, 8));
        pc += 12;
        break;
      }
      case OP_UNSIGNED_FIELD: {
        o = decimal(o, field(payload, end, load<u32>(pc, 4), load<u32>(pc, 8)));
        pc += 12;
        break;
      }
      case OP_SIGNED_FIELD: {
        const size = load<u32>(pc, 8);
        const bits = field(payload, end, load<u32>(pc, 4), size);
        const value: i64 = size === 8 ? <i64>bits : <i64>(<i32>bits);
        if (value < 0) store<u8>(o++, 45);
        o = decimal(o, <u64>(value < 0 ? -value : value));
        pc += 12;
        break;
      }
      case OP_HEX_FIELD: {
        o = hex(o, field(payload, end, load<u32>(pc, 4), load<u32>(pc, 8)), 87);
        pc += 12;
        break;
      }
      case OP_NUMBER: {
        top -= 8;
        o = number(o, load<u64>(top), load<u32>(pc, 4), load<i32>(pc, 8), load<i32>(pc, 12));
        pc += 16;
        break;
      }
      case OP_CHARACTER: {
        top -= 8;
        const character = load<u8>(top);
        // It would end the text.
        if (character === 0) {
          wanted = GENERAL;
          return 0;
        }
        const spaces = max<i32>(0, load<i32>(pc, 8) - 1);
        if (load<u32>(pc, 4) === 0) o = fill(o, 32, spaces);
        store<u8>(o++, character);
        if (load<u32>(pc, 4) !== 0) o = fill(o, 32, spaces);
        pc += 12;
        break;
      }
      case OP_POINTER: {
        top -= 8;
        const value = load<u64>(top);
        if (value === 0) {
          store<u32>(o, 0x6c69_6e28); // (nil
          store<u8>(o, 41, 4);
          o += 5;
        } else {
          store<u16>(o, 0x7830); // 0x
          o = hex(o + 2, value, 87);
        }
        pc += 4;
        break;
      }
      case OP_ARRAY: {
        const from = payload + load<u32>(pc, 4);
        const size = load<u32>(pc, 8);
        const stop = size === 0 ? end : min(reach, from + size);
        o = text(o, from, stop, load<u32>(pc, 12), load<i32>(pc, 16), load<i32>(pc, 20));
        if (o === 0) {
          wanted = GENERAL;
          return 0;
        }
        pc += 24;
        break;
      }
      case OP_DYNAMIC: {
        const place = dynamic(payload, end, load<u32>(pc, 4));
        if (<u32>(place >>> 32) > 0) {
          const from = payload + <u32>place + load<u32>(pc, 8);
          o = text(o, from, reach, load<u32>(pc, 12), load<i32>(pc, 16), load<i32>(pc, 20));
          if (o === 0) {
            wanted = GENERAL;
            return 0;
          }
        }
        pc += 24;
        break;
      }
      case OP_TEXT: {
        top -= 8;
        const found = findText(load<u32>(pc, 4), load<u64>(top));
        if (found === 0) {
          wantedTable = load<u32>(pc, 4);
          wantedValue = load<u64>(top);
          wanted = TEXT;
          return 0;
        }
        o = copy(o, <usize>load<u32>(found, 12), load<u32>(found, 16));
        pc += 8;
        break;
      }
      case OP_NAME: {
        const from = payload + load<u32>(pc, 4);
        o = text(o, from, min(end, from + load<u32>(pc, 8)), 0, -1, -1);
        if (o === 0) {
          wanted = GENERAL;
          return 0;
        }
        pc += 12;
        break;
      }
      case OP_NAMED: {
        const pid = load<u32>(top - 8);
        if (pid !== 0) {
          const task = findTask(pid);
          if (task === 0 || load<u32>(task, 8) === 0) {
            wantedPid = pid;
            wanted = task === 0 ? TASK : GENERAL;
            return 0;
          }
        }
        pc += 4;
        break;
      }
      case OP_JUMP: {
        pc += 8 + ((<usize>load<u32>(pc, 4)) << 2);
        break;
      }
      case OP_JUMP_IF_ZERO: {
        top -= 8;
        pc += load<u64>(top) === 0 ? 8 + ((<usize>load<u32>(pc, 4)) << 2) : 8;
        break;
      }
      case OP_CONSTANT: {
        store<u64>(top, <u64>load<u32>(pc, 4) | ((<u64>load<u32>(pc, 8)) << 32));
        top += 8;
        pc += 12;
        break;
      }
      case OP_FIELD: {
        store<u64>(top, field(payload, end, load<u32>(pc, 4), load<u32>(pc, 8)));
        top += 8;
        pc += 12;
        break;
      }
      case OP_LENGTH: {
        store<u64>(top, dynamic(payload, end, load<u32>(pc, 4)) >>> 32);
        top += 8;
        pc += 8;
        break;
      }
      case OP_MASK: {
        store<u64>(top - 8, load<u64>(top - 8) & <u64>load<u32>(pc, 4));
        pc += 8;
        break;
      }
      default:
        return o;
    }
  }
  wanted = GENERAL;
  return 0;
}

function combine(op: u32, left: u64, right: u64): u64 {
  switch (op) {
    case OP_DIFFERS:
      return left !== right ? 1 : 0;
    case OP_EQUALS:
      return left === right ? 1 : 0;
    case OP_EITHER:
      return (left | right) !== 0 ? 1 : 0;
    case OP_BOTH:
      return left !== 0 && right !== 0 ? 1 : 0;
    case OP_OR:
      return left | right;
    case OP_AND:
      return left & right;
    case OP_BELOW:
      return left < right ? 1 : 0;
    case OP_NOT_ABOVE:
      return left <= right ? 1 : 0;
    case OP_ABOVE:
      return left > right ? 1 : 0;
    case OP_NOT_BELOW:
      return left >= right ? 1 : 0;
    case OP_SHIFT_LEFT:
      return left << (right & 63);
    case OP_SHIFT_RIGHT:
      return left >>> (right & 63);
    case OP_ADD:
      return left + right;
    case OP_SUBTRACT:
      return left - right;
    case OP_MULTIPLY:
      return left * right;
    case OP_DIVIDE:
      return right === 0 ? 0 : left / right;
    default:
      return right === 0 ? 0 : left % right;
  }
}

/** Where a dynamic field's data lies: offset below, length above, as parse/print-format/fields.ts: dynamicPlace has it. */
function dynamic(payload: usize, end: usize, offset: u32): u64 {
  if (payload + offset + 4 > end) return 0;
  const bytes = <u32>(end - payload);
  const word = load<u32>(payload + offset);
  const from = word & 0xffff;
  const length = word >>> 16;
  return ((<u64>(from + length > bytes ? 0 : length)) << 32) | <u64>(from > bytes ? 0 : from);
}
