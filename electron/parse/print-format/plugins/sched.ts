import type { FieldFormat } from '../../event-format.ts';
import { fieldNumber } from '../fields.ts';
import { parsePrintFmt } from '../parse.ts';
import type { TextOf } from '../program.ts';
import type { PrintRecord } from '../record.ts';
import type { Arg, NamedValue } from '../syntax.ts';
import type { TextSink } from '../text-sink.ts';
import { anyField, fieldValue, type Handler, type HandlerScope, signed } from './handler.ts';

/** `comm:pid [prio] S ==> comm:pid [prio]`; the names are learnt, for tasks that the recording saved none for. */
export function schedSwitch(scope: HandlerScope): Handler {
  const prevPid = fieldValue(scope, 'prev_pid');
  const prevComm = anyField(scope, 'prev_comm');
  const prevPrio = fieldValue(scope, 'prev_prio');
  const prevState = taskState(scope);
  const nextPid = fieldValue(scope, 'next_pid');
  const nextComm = anyField(scope, 'next_comm');
  const nextPrio = fieldValue(scope, 'next_prio');
  return (record, out) => {
    if (!prevPid(record, out)) return giveUp(out);
    task(record, out, prevComm, scope);
    out.byte(32);
    if (prevPrio(record, out)) {
      bracketed(record, out);
      out.byte(32);
    }
    prevState(record, out);
    out.text(' ==> ');
    if (!nextPid(record, out)) return giveUp(out);
    task(record, out, nextComm, scope);
    if (nextPrio(record, out)) {
      out.byte(32);
      bracketed(record, out);
    }
    return false;
  };
}

/** `comm:pid [prio] success=1 CPU:001` */
export function schedWakeup(scope: HandlerScope): Handler {
  const pid = fieldValue(scope, 'pid');
  const comm = anyField(scope, 'comm');
  const prio = fieldValue(scope, 'prio');
  const success = fieldValue(scope, 'success', false);
  const targetCpu = fieldValue(scope, 'target_cpu');
  return (record, out) => {
    if (!pid(record, out)) return giveUp(out);
    task(record, out, comm, scope);
    if (prio(record, out)) {
      out.text(' [');
      signed(out, record.high, record.low);
      out.byte(93);
    }
    if (success(record, out)) {
      out.text(' success=');
      signed(out, record.high, record.low);
    }
    if (targetCpu(record, out)) {
      out.text(' CPU:');
      if (record.high === 0 && record.low >>> 0 < 1000) out.decimalPadded(record.low, 3);
      else out.decimal64(record.high, record.low);
    }
    return false;
  };
}

function giveUp(out: TextSink): boolean {
  out.byte(33);
  return true;
}

/** The task whose pid is in the registers. */
function task(record: PrintRecord, out: TextSink, comm: FieldFormat | null, scope: HandlerScope): void {
  const { high, low } = record;
  if (comm !== null) {
    const from = record.at + comm.offset;
    const to = Math.min(record.end, from + comm.size);
    out.cString(record.bytes, from, to);
    scope.comms.learn(low | 0, record.bytes, from, to);
    out.byte(58);
  }
  signed(out, high, low);
}

function bracketed(record: PrintRecord, out: TextSink): void {
  out.byte(91);
  signed(out, (record.low | 0) >> 31, record.low);
  out.byte(93);
}

/** The bits of prev_state as the letters that the event's own print format has for them; R where none is set. */
function taskState(scope: HandlerScope): (record: PrintRecord, out: TextSink) => void {
  const field = anyField(scope, 'prev_state');
  if (field === null) return () => {};
  const value = fieldNumber(field, scope.abi);
  const text = stateText(scope, field);
  return (record, out) => {
    value(record);
    text(out, record.high, record.low);
  };
}

export function stateText(scope: HandlerScope, field: FieldFormat): TextOf {
  const letters = stateLetters(scope, field);
  return (out, _high, low) => {
    let found = false;
    for (let bit = 0; bit < letters.length; bit++) {
      if (((low >>> bit) & 1) === 0) continue;
      if (found) out.byte(124);
      found = true;
      out.byte(letters.charCodeAt(bit));
    }
    if (!found) out.byte(82);
  };
}

const USUAL_STATES = 'SDTtXZPI';

/** First letters of the names that `__print_flags(REC->prev_state …)` gives the bits, lowest bit first. */
function stateLetters(scope: HandlerScope, field: FieldFormat): string {
  const args = parsePrintFmt(scope.event, scope.abi)?.args ?? [];
  for (const arg of args) {
    const names = flagsOf(arg, field);
    if (names === null || names.length === 0) continue;
    const letters: string[] = [];
    for (const { value, name } of names) {
      const bits = BigInt.asUintN(64, value);
      if (bits === 0n) continue;
      const bit = (bits & -bits).toString(2).length - 1;
      if (bit < 32) letters[bit] = name[0] ?? '\0';
    }
    // A bit without a name ends the list, as it ends a C string.
    const end = Array.from(letters).findIndex((letter) => letter === undefined || letter === '\0');
    return letters.slice(0, end < 0 ? letters.length : end).join('');
  }
  return USUAL_STATES;
}

function flagsOf(arg: Arg, field: FieldFormat): NamedValue[] | null {
  if (arg.kind === 'operation') return flagsOf(arg.left, field) ?? flagsOf(arg.right, field);
  return arg.kind === 'flags' && mentionsField(arg.value) ? arg.names : null;
}

/** Libtraceevent looks whether the flags are of any field at all, or of the state within an operation. */
function mentionsField(arg: Arg): boolean {
  if (arg.kind === 'field') return true;
  return arg.kind === 'operation' && (mentionsState(arg.left) || mentionsState(arg.right));
}

const mentionsState = (arg: Arg): boolean =>
  (arg.kind === 'field' && arg.name === 'prev_state') ||
  (arg.kind === 'operation' && (mentionsState(arg.left) || mentionsState(arg.right)));
