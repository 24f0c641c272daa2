import type { FieldFormat } from '../../event-format.ts';
import type { Comms } from '../comms.ts';
import type { Scope } from '../evaluate.ts';
import { fieldNumber } from '../fields.ts';
import { numberPrinter, parseSpec } from '../printf.ts';
import type { NumberOf, Print, PrintRecord } from '../record.ts';
import { latin1Bytes, type TextSink } from '../text-sink.ts';
import type { CallStacks } from './ftrace.ts';

/**
 * Prints an event in its own way. True: the print format is to follow; a handler that gives up half-way leaves what it
 * has printed and asks for that.
 */
export type Handler = (record: PrintRecord, out: TextSink) => boolean;

/** What handlers are made from: one event, and what they share with others. */
export interface HandlerScope extends Scope {
  comms: Comms;
  callStacks: CallStacks;
  /** Prints an absolute time in the recording's unit. */
  printTime(out: TextSink, time: bigint): void;
  /** The scope of another event of the recording; null where it has none of that name. */
  otherEvent(system: string, name: string): HandlerScope | null;
}

export type HandlerMaker = (scope: HandlerScope) => Handler;

/** A field of the event's own, not a common one. */
export function ownField(scope: Scope, name: string): FieldFormat | null {
  return scope.event.fields.find((field) => !field.common && field.name === name) ?? null;
}

/** Any field, common ones first. */
export function anyField(scope: Scope, name: string): FieldFormat | null {
  return scope.event.fields.find((field) => field.common && field.name === name) ?? ownField(scope, name);
}

/** Reads a value into the record's registers; false, with a complaint printed, where the event has no such number. */
export type ValueOf = (record: PrintRecord, out: TextSink) => boolean;

export function fieldValue(scope: Scope, name: string, complain = true): ValueOf {
  const field = ownField(scope, name);
  if (field === null) return refuse(complain ? `<CANT FIND FIELD ${name}>` : '');
  if (![1, 2, 4, 8].includes(field.size)) return refuse(complain ? ` ${name}=INVALID` : '');
  const read = fieldNumber(field, scope.abi);
  return (record) => {
    read(record);
    return true;
  };
}

function refuse(complaint: string): ValueOf {
  const bytes = latin1Bytes(complaint);
  return (_record, out) => {
    out.literal(bytes);
    return false;
  };
}

/** The field's number; null where the event has none of that name. */
export function numberOf(scope: Scope, name: string): NumberOf | null {
  const field = ownField(scope, name);
  return field === null || ![1, 2, 4, 8].includes(field.size) ? null : fieldNumber(field, scope.abi);
}

/** Prints `before`, the field by `conversion` (such as `%llx`), `after`; a complaint, or nothing, where it is missing. */
export function printField(
  scope: Scope,
  before: string,
  name: string,
  conversion: string,
  after = '',
  complain = true,
): Print {
  const read = numberOf(scope, name);
  if (read === null) {
    const complaint = latin1Bytes(complain ? `CAN'T FIND FIELD "${name}"` : '');
    return (_record, out) => out.literal(complaint);
  }
  const length = /^%[^a-zA-Z]*(ll|l)/.exec(conversion) ? 2 : 0;
  const print = numberPrinter({ ...parseSpec(conversion), length });
  const head = latin1Bytes(before);
  const tail = latin1Bytes(after);
  return (record, out) => {
    out.literal(head);
    read(record);
    print(out, record.high, record.low);
    out.literal(tail);
  };
}

/** A signed 64-bit number in decimal. */
export const signed: (out: TextSink, high: number, low: number) => void = numberPrinter({
  ...parseSpec('%d'),
  length: 2,
});
