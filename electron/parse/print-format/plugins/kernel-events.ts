import type { TextOf } from '../program.ts';
import type { Print } from '../record.ts';
import type { TextSink } from '../text-sink.ts';
import { fieldValue, type Handler, type HandlerScope, numberOf, ownField, printField, signed } from './handler.ts';

/** Single events whose text libtraceevent's plugins change: kmem, hrtimer, futex, tlb, mac80211. */

/** `(function+0x1c) ` in front, where the call site is known. */
export function kmemCallSite(scope: HandlerScope): Handler {
  const callSite = numberOf(scope, 'call_site');
  if (callSite === null) return () => true;
  const text = callSiteText(scope);
  return (record, out) => {
    callSite(record);
    text(out, record.high, record.low);
    return true;
  };
}

export function callSiteText(scope: HandlerScope): TextOf {
  return (out, high, low) => {
    const found = scope.symbols.functionAt(high, low);
    if (found === null) return;
    out.byte(40);
    out.literal(found.name);
    out.text('+0x');
    out.hex64(0, (low - found.low) | 0);
    out.text(') ');
  };
}

function timerAddress(scope: HandlerScope): Print {
  return numberOf(scope, 'timer') === null
    ? printField(scope, '0x', 'hrtimer', '%llx')
    : printField(scope, '0x', 'timer', '%llx');
}

/** ` function=name/0x0`: the distance is counted backwards. Nothing where the event has no such field. */
function timerFunction(scope: HandlerScope): Print {
  const address = numberOf(scope, 'function');
  if (address === null) return () => {};
  const text = timerFunctionText(scope);
  return (record, out) => {
    address(record);
    text(out, record.high, record.low);
  };
}

export function timerFunctionText(scope: HandlerScope): TextOf {
  return (out, high, low) => {
    out.text(' function=');
    const found = scope.symbols.functionAt(high, low);
    if (found === null) {
      out.text('0x');
      if (high === 0) out.text((low >>> 0).toString(16).padStart(8, '0'));
      else out.hex64(high, low);
      return;
    }
    // The text is made in 128 bytes.
    const from = out.length;
    out.literal(found.name);
    out.text('/0x');
    const borrow = found.low < low >>> 0 ? 1 : 0;
    out.hex64((found.high - high - borrow) | 0, (found.low - low) | 0);
    out.length = Math.min(out.length, from + 127);
  };
}

export function hrtimerExpireEntry(scope: HandlerScope): Handler {
  const address = timerAddress(scope);
  const now = printField(scope, '', 'now', '%llu');
  const called = timerFunction(scope);
  return (record, out) => {
    out.text('hrtimer=');
    address(record, out);
    out.text(' now=');
    now(record, out);
    called(record, out);
    return false;
  };
}

export function hrtimerStart(scope: HandlerScope): Handler {
  const address = timerAddress(scope);
  const called = timerFunction(scope);
  const expires = printField(scope, '', 'expires', '%llu');
  const softExpires = printField(scope, '', 'softexpires', '%llu');
  return (record, out) => {
    out.text('hrtimer=');
    address(record, out);
    called(record, out);
    out.text(' expires=');
    expires(record, out);
    out.text(' softexpires=');
    softExpires(record, out);
    return false;
  };
}

const FLUSH_REASONS = ['flush on task switch', 'remote shootdown', 'local shootdown', 'local mm shootdown'];

export function tlbFlush(scope: HandlerScope): Handler {
  const pages = printField(scope, '', 'pages', '%ld');
  const reason = fieldValue(scope, 'reason');
  return (record, out) => {
    out.text('pages=');
    pages(record, out);
    if (!reason(record, out)) return true;
    const { high, low } = record;
    out.text(' reason=');
    out.text((high === 0 && FLUSH_REASONS[low >>> 0]) || '');
    out.text(' (');
    signed(out, high, low);
    out.byte(41);
    return false;
  };
}

/** include/uapi/linux/futex.h; which arguments each operation has, and how they print: x hexadecimal, u decimal. */
const FUTEX_OPERATIONS: [name: string, val: string, utime: string, uaddr2: string, val3: string][] = [
  ['FUTEX_WAIT', 'x', 'utime', '', ''],
  ['FUTEX_WAKE', 'u', '', '', ''],
  ['FUTEX_FD', 'u', '', '', ''],
  ['FUTEX_REQUEUE', 'u', 'val2', 'x', ''],
  ['FUTEX_CMP_REQUEUE', 'u', 'val2', 'x', 'x'],
  ['FUTEX_WAKE_OP', 'u', 'val2', 'x', 'x'],
  ['FUTEX_LOCK_PI', '', 'utime', '', ''],
  ['FUTEX_UNLOCK_PI', '', '', '', ''],
  ['FUTEX_TRYLOCK_PI', '', '', '', ''],
  ['FUTEX_WAIT_BITSET', 'x', 'utime', '', 'x'],
  ['FUTEX_WAKE_BITSET', 'u', '', '', 'x'],
  ['FUTEX_WAIT_REQUEUE_PI', 'x', 'utime', 'x', 'x'],
  ['FUTEX_CMP_REQUEUE_PI', 'u', 'val2', 'x', 'x'],
];
const FUTEX_PRIVATE = 128;
const FUTEX_CLOCK_REALTIME = 256;

/** sys_enter_futex with the operation's name and the arguments that it has. */
export function futex(scope: HandlerScope): Handler {
  const names = ['uaddr', 'op', 'val', 'utime', 'uaddr2', 'val3'];
  const values = names.map((name) => fieldValue(scope, name));
  const halves = new Int32Array(names.length * 2);
  const hexadecimal = (out: TextSink, label: string, index: number): void => {
    out.text(` ${label}=0x`);
    const from = out.length;
    out.hex64(halves[2 * index], halves[2 * index + 1]);
    const digits = out.length - from;
    if (digits < 8) {
      out.fill(48, 8 - digits);
      out.bytes.copyWithin(from + 8 - digits, from, from + digits);
      out.bytes.fill(48, from, from + 8 - digits);
    }
  };
  const decimal = (out: TextSink, label: string, index: number): void => {
    out.text(` ${label}=`);
    out.decimal64(halves[2 * index], halves[2 * index + 1]);
  };
  return (record, out) => {
    for (let i = 0; i < values.length; i++) {
      if (!values[i](record, out)) return true;
      halves[2 * i] = record.high;
      halves[2 * i + 1] = record.low;
    }
    const [high, op] = [halves[2], halves[3]];
    const operation = high === 0 ? FUTEX_OPERATIONS[(op & ~(FUTEX_PRIVATE | FUTEX_CLOCK_REALTIME)) >>> 0] : undefined;
    if (operation === undefined) return true;
    const [name, val, utime, uaddr2, val3] = operation;
    out.text(`op=${name}`);
    if (op & FUTEX_PRIVATE) out.text('|FUTEX_PRIVATE_FLAG');
    if (op & FUTEX_CLOCK_REALTIME) out.text('|FUTEX_CLOCK_REALTIME');
    hexadecimal(out, 'uaddr', 0);
    if (val === 'x') hexadecimal(out, 'val', 2);
    else if (val === 'u') decimal(out, 'val', 2);
    if (utime === 'utime') hexadecimal(out, 'utime', 3);
    else if (utime === 'val2') decimal(out, 'val2', 3);
    if (uaddr2 !== '') hexadecimal(out, 'uaddr2', 4);
    if (val3 !== '') hexadecimal(out, 'val3', 5);
    return false;
  };
}

/** mac80211:drv_bss_info_changed, over several lines. */
export function bssInfoChanged(scope: HandlerScope): Handler {
  const name = (field: string): Print => {
    const found = ownField(scope, field);
    if (found === null) return (_record, out) => out.text(`NOTFOUND:${field}`);
    const word = numberOf(scope, field);
    if (found.location === 'data-loc') {
      if (word === null) return (_record, out) => out.text('invalid_data_loc');
      return (record, out) => {
        word(record);
        const from = record.at + (record.low & 0xffff);
        out.cString(record.bytes, from, Math.min(record.end, from + (record.low >>> 16)));
      };
    }
    return (record, out) => {
      const from = record.at + found.offset;
      out.cString(record.bytes, from, Math.min(record.end, from + found.size));
    };
  };
  const flag = (field: string, conversion = '%d'): Print =>
    printField(scope, `${field}:`, field, conversion, '', false);
  const space: Print = (_record, out) => out.byte(32);
  const line: Print = (_record, out) => {
    out.byte(10);
    out.fill(32, 65);
  };
  const vif: Print = (_record, out) => out.text(' vif:');
  const parts: Print[] = [
    name('wiphy_name'),
    vif,
    name('vif_name'),
    printField(scope, '(', 'vif_type', '%d', ')'),
    line,
  ];
  for (const field of ['assoc', 'aid', 'cts', 'shortpre', 'shortslot', 'dtimper']) parts.push(flag(field), space);
  parts.push(line, flag('bcnint'), space, flag('assoc_cap', '%#x'), space, flag('basic_rates', '%#x'), space);
  parts.push(flag('enable_beacon'), line, flag('ht_operation_mode'));
  return (record, out) => {
    for (const part of parts) part(record, out);
    return false;
  };
}
