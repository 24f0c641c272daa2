import { isDigit, type TraceLine } from './line.ts';

/**
 * The event's own text: which event it is, and where its text behind the name begins. Trace events print `name: text`
 * (kernel/trace/trace_output.c: trace_event_read_lock'd printers); what else there is:
 *
 *   `vfs_read <-ksys_read`, `vfs_read(…) <-ksys_read`       function
 *   `  319:120:R ==> [000]  22: 98:R rcuc/0`, `+` for `==>`  context_switch, wakeup
 *   ` <stack trace>`, ` <user stack trace>`                  kernel_stack, user_stack; the frames follow on lines of their own
 *   `sys_openat(dfd: …)`, `sys_openat -> 0x3`                sys_enter_openat, sys_exit_openat
 *   `tracing_mark_write: text`, `0: text` (old Android)      print, whose text names the function itself
 *   `# 1 buf: de ad`                                         raw_data
 *   `type: 369`                                              an event that the options raw and hex do not spell out
 *   `! 100.598 us  |  vfs_open();`, `… |  foo() {`, `|  }`   funcgraph_entry, funcgraph_exit, of the graph form
 *   anything else                                            the tracer's own: osnoise, timerlat, hwlat, blk
 */
export interface TextBody {
  naming: Naming;
  /** The name in the bytes, for `as-is`, `syscall-…` and `number`. */
  nameFrom: number;
  nameTo: number;
  /** The name, for `fixed`. */
  fixed: FixedName;
  /** Text behind the name: `[infoFrom, infoTo)`; of a nameless one, all of it. */
  infoFrom: number;
  infoTo: number;
}

/** How the name follows from the text; `tracer`: it is the current tracer's. */
export type Naming = 'as-is' | 'syscall-entry' | 'syscall-exit' | 'number' | 'fixed' | 'tracer';

const fixedNames = [
  'unparsed',
  'print',
  'function',
  'kernel_stack',
  'user_stack',
  'context_switch',
  'wakeup',
  'raw_data',
  'funcgraph_entry',
  'funcgraph_exit',
  'funcgraph_interrupt',
] as const;
type FixedName = (typeof fixedNames)[number];

export const newTextBody = (): TextBody => ({
  naming: 'tracer',
  nameFrom: 0,
  nameTo: 0,
  fixed: 'unparsed',
  infoFrom: 0,
  infoTo: 0,
});

const SPACE = 0x20;
const COLON = 0x3a;
const OPEN = 0x28;
const LESS = 0x3c;
const MOST_NAME = 128;

const isNameStart = (byte: number): boolean =>
  (byte >= 0x61 && byte <= 0x7a) || (byte >= 0x41 && byte <= 0x5a) || byte === 0x5f;
/** Functions that the compiler split have dots: `foo.isra.0`; C++ and Rust symbols are not told from text. */
const isNamePart = (byte: number): boolean =>
  isNameStart(byte) || (byte >= 0x30 && byte <= 0x39) || byte === 0x2e || byte === 0x24;

function startsWith(bytes: Uint8Array, at: number, to: number, text: string): boolean {
  if (at + text.length > to) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

function indexOf(bytes: Uint8Array, text: string, from: number, to: number): number {
  for (let at = from; at + text.length <= to; at++) if (startsWith(bytes, at, to, text)) return at;
  return -1;
}

/**
 * Reads the body of a line. `infoColumn`: where trace-cmd's report puts the text, counted from the name, which it pads
 * with spaces; 0 for the kernel's own text, which has one space.
 */
export function readBody(bytes: Uint8Array, line: TraceLine, infoColumn: number, body: TextBody): void {
  const { to } = line;
  let at = line.bodyFrom;
  body.infoTo = to;
  if (line.form === 'graph') {
    readGraphBody(bytes, at, to, body);
    return;
  }
  if (infoColumn > 0) at = skipTimeDifference(bytes, at, to);
  if (readName(bytes, at, to, infoColumn, body)) return;
  nameless(bytes, at, to, body, line);
}

/** `report --ts-diff` puts `(+170)` or as many spaces before the name. */
function skipTimeDifference(bytes: Uint8Array, at: number, to: number): number {
  if (at < to && bytes[at] === OPEN && bytes[at + 1] === 0x2b) while (at < to && bytes[at] !== SPACE) at++;
  while (at < to && bytes[at] === SPACE) at++;
  return at;
}

function readName(bytes: Uint8Array, at: number, to: number, infoColumn: number, body: TextBody): boolean {
  if (at >= to || !isNameStart(bytes[at] as number)) return false;
  let end = at + 1;
  while (end < to && end - at < MOST_NAME && isNamePart(bytes[end] as number)) end++;
  body.nameFrom = at;
  body.nameTo = end;
  if (bytes[end] === COLON && end < to && (end + 1 >= to || bytes[end + 1] === SPACE)) {
    if (startsWith(bytes, at, end, 'type') && end - at === 4 && isDigit(bytes[end + 2]))
      return readTypeNumber(bytes, end + 2, to, body);
    if (isMarker(bytes, at, end)) setFixed(body, 'print', at);
    else {
      body.naming = 'as-is';
      body.infoFrom = behindColon(bytes, at, end + 1, to, infoColumn);
    }
    return true;
  }
  const isSyscall = startsWith(bytes, at, end, 'sys_') && end - at > 4;
  if (isSyscall && bytes[end] === OPEN && end < to) body.naming = 'syscall-entry';
  else if (isSyscall && startsWith(bytes, end, to, ' -> ')) body.naming = 'syscall-exit';
  else if (startsWith(bytes, end, to, ' <-') || (bytes[end] === OPEN && indexOf(bytes, ') <-', end, to) > 0))
    setFixed(body, 'function', at);
  else return false;
  body.infoFrom = at;
  return true;
}

/** Functions that print what user space writes: the event is `print`, and its text names the function, as in trace.dat. */
const isMarker = (bytes: Uint8Array, from: number, to: number): boolean =>
  to - from === 18 && startsWith(bytes, from, to, 'tracing_mark_write');

function readTypeNumber(bytes: Uint8Array, at: number, to: number, body: TextBody): true {
  body.naming = 'number';
  body.nameFrom = at;
  while (at < to && isDigit(bytes[at])) at++;
  body.nameTo = at;
  body.infoFrom = at;
  return true;
}

function behindColon(bytes: Uint8Array, name: number, at: number, to: number, infoColumn: number): number {
  const column = Math.min(to, name + infoColumn);
  let end = at;
  while (end < column && bytes[end] === SPACE) end++;
  return end === column && column > at ? column : Math.min(to, at + 1);
}

function setFixed(body: TextBody, name: FixedName, infoFrom: number): void {
  body.naming = 'fixed';
  body.fixed = name;
  body.infoFrom = infoFrom;
}

function nameless(bytes: Uint8Array, from: number, to: number, body: TextBody, line: TraceLine): void {
  let at = from;
  while (at < to && bytes[at] === SPACE) at++;
  if (bytes[at] === LESS && startsWith(bytes, at, to, '<stack trace')) setFixed(body, 'kernel_stack', at);
  else if (bytes[at] === LESS && startsWith(bytes, at, to, '<user stack trace')) setFixed(body, 'user_stack', at);
  else if (startsWith(bytes, at, to, '0: ')) setFixed(body, 'print', at);
  else if (startsWith(bytes, at, to, '# '))
    setFixed(body, line.form === 'raw' || line.form === 'hex' ? 'print' : 'raw_data', at);
  else if (isDigit(bytes[at]) && isSwitch(bytes, at, to))
    setFixed(body, indexOf(bytes, ' ==> ', at, to) > 0 ? 'context_switch' : 'wakeup', from);
  else {
    body.naming = 'tracer';
    body.infoFrom = from;
  }
}

/** `319:120:R`: pid, priority, state. */
function isSwitch(bytes: Uint8Array, at: number, to: number): boolean {
  while (at < to && isDigit(bytes[at])) at++;
  if (bytes[at] !== COLON) return false;
  at++;
  while (at < to && (isDigit(bytes[at]) || bytes[at] === SPACE || bytes[at] === 0x2d)) at++;
  return at < to && bytes[at] === COLON && indexOf(bytes, ' [', at, to) > 0;
}

/** `! 100.598 us  |  vfs_open();`: duration, bar, the indented call or a comment, which is an event of its own. */
function readGraphBody(bytes: Uint8Array, from: number, to: number, body: TextBody): void {
  let bar = from;
  while (bar < to && bytes[bar] !== 0x7c) bar++;
  let at = bar + 1;
  while (at < to && bytes[at] === SPACE) at++;
  if (bar >= to) setFixed(body, 'context_switch', from);
  else if (at >= to) setFixed(body, 'funcgraph_interrupt', from);
  else if (startsWith(bytes, at, to, '/* ')) {
    let end = to;
    while (end > at && bytes[end - 1] === SPACE) end--;
    body.infoTo = startsWith(bytes, end - 2, to, '*/') && end - 3 > at + 3 ? end - 3 : to;
    if (!readName(bytes, at + 3, body.infoTo, 0, body)) setFixed(body, 'print', at + 3);
  } else setFixed(body, bytes[at] === 0x7d ? 'funcgraph_exit' : 'funcgraph_entry', from);
}
