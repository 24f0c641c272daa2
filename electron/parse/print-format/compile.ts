import type { FieldFormat } from '../event-format.ts';
import { compileNumber, type Scope } from './evaluate.ts';
import { parsePrintFmt } from './parse.ts';
import { cutFormat, type Piece } from './pieces.ts';
import { compilePointer } from './pointers.ts';
import { isPlain, numberPrinter, type Spec, withStar } from './printf.ts';
import { fieldRaw } from './raw-field.ts';
import type { Print, PrintRecord } from './record.ts';
import { compileString } from './strings.ts';
import type { Arg } from './syntax.ts';
import { latin1Bytes, type TextSink } from './text-sink.ts';

/** How one event prints. */
export interface EventPrinters {
  /** As its print format says; field by field behind `[FAILED TO PARSE]` where that cannot be read. */
  pretty: Print;
  /** ` name=value` for each field, as `trace-cmd report -R`. */
  raw: Print;
}

/** Compiles an event's print format once, for all its records. */
export function compileEvent(scope: Scope): EventPrinters {
  const found = printPieces(scope);
  if (found === null) return failed(scope);
  const { pieces, args } = found;
  const prints = pieces.map((piece) => compilePiece(piece, args, scope, false));
  return { pretty: sequence(joined(pieces, prints)), raw: rawFields(scope, pieces, args, true) };
}

/** An event's print format, cut into pieces with their arguments; null where it cannot be read. */
export function printPieces({ event, abi }: Scope): { pieces: Piece[]; args: Arg[] } | null {
  const printFmt = parsePrintFmt(event, abi);
  if (printFmt === null) return null;
  const { format } = printFmt;
  let { args } = printFmt;
  if (args.length === 0 && event.system === 'ftrace') {
    // ftrace's own events once gave no arguments: the fields in order.
    args = event.fields
      .filter((field) => !field.common)
      .map((field): Arg => ({ kind: 'field', name: field.name, field }));
  }
  const { pieces, failed } = cutFormat(format, args.length);
  return failed ? null : { pieces, args };
}

function failed(scope: Scope): EventPrinters {
  const fields = rawFields(scope, [], [], false);
  const complaint = latin1Bytes('[FAILED TO PARSE]');
  const pretty: Print = (record, out) => {
    out.literal(complaint);
    fields(record, out);
  };
  return { pretty, raw: fields };
}

/** Each text and the conversion behind it as one step. */
function joined(pieces: Piece[], prints: Print[]): Print[] {
  const steps: Print[] = [];
  for (let i = 0; i < pieces.length; i++) {
    const piece = pieces[i];
    if (piece.kind !== 'text' || i + 1 === pieces.length) {
      steps.push(prints[i]);
      continue;
    }
    const { text } = piece;
    const next = prints[++i];
    steps.push((record, out) => {
      out.literal(text);
      next(record, out);
    });
  }
  return steps;
}

export function sequence(prints: Print[]): Print {
  if (prints.length === 1) return prints[0];
  return (record, out) => {
    for (let i = 0; i < prints.length; i++) prints[i](record, out);
  };
}

/** Compiles one piece of a format string. `raw`: as part of printing field by field. */
export function compilePiece(piece: Piece, args: Arg[], scope: Scope, raw: boolean): Print {
  if (piece.kind === 'text') {
    const { text } = piece;
    return (_record, out) => out.literal(text);
  }
  const arg = args[piece.arg];
  const star = piece.star === null ? null : compileNumber(args[piece.star], scope);
  switch (piece.kind) {
    case 'number': {
      if (star === null) return compileNumberPiece(piece.spec, arg, scope);
      const value = compileNumber(arg, scope);
      return (record, out) => {
        star(record);
        const print = numberPrinter(withStar(piece.spec, record.low | 0));
        value(record);
        print(out, record.high, record.low);
      };
    }
    case 'pointer':
      return compilePointer(piece.suffix, arg, scope, raw, star);
    case 'string': {
      const print = compileString(arg, scope);
      const { spec } = piece;
      if (star === null) return (record, out) => print(record, out, spec);
      return (record, out) => {
        star(record);
        print(record, out, withStar(spec, record.low | 0));
      };
    }
  }
}

/** A number in its conversion; fields in the usual ones, which is most of what is printed, without a detour. */
function compileNumberPiece(spec: Spec, arg: Arg, scope: Scope): Print {
  const field = arg.kind === 'field' ? arg.field : null;
  if (field !== null && isPlain(spec)) {
    const { offset } = field;
    const { littleEndian } = scope.abi;
    if (field.size === 4 && spec.length === 0 && spec.conversion !== 'x') {
      const signed = spec.conversion !== 'u';
      return (record, out) => {
        const at = record.at + offset;
        const value = at + 4 <= record.end ? record.view.getInt32(at, littleEndian) : 0;
        if (value >= 0 || !signed) out.decimal(value >>> 0);
        else {
          out.byte(45);
          out.decimal(-value);
        }
      };
    }
    if (field.size === 8 && spec.length > 0 && spec.conversion !== 'x') {
      const lowAt = littleEndian ? offset : offset + 4;
      const highAt = littleEndian ? offset + 4 : offset;
      const print = numberPrinter(spec);
      return (record, out) => {
        const { at } = record;
        if (at + offset + 8 > record.end) {
          out.byte(48);
          return;
        }
        const high = record.view.getInt32(at + highAt, littleEndian);
        const low = record.view.getInt32(at + lowAt, littleEndian);
        if (high === 0) out.decimal(low >>> 0);
        else print(out, high, low);
      };
    }
  }
  const value = compileNumber(arg, scope);
  const print = numberPrinter(spec);
  return (record, out) => {
    value(record);
    print(out, record.high, record.low);
  };
}

/**
 * Field by field: a number takes the conversion that the print format has for it (the search goes on from where the
 * last one was found, and round), arrays and everything else print by their declaration.
 */
function rawFields(scope: Scope, pieces: Piece[], args: Arg[], raw: boolean): Print {
  const prints: Print[] = [];
  // Behind the last conversion the search has nowhere to go on from, and the fields that are left print plainly.
  let from = 0;
  for (const field of scope.event.fields) {
    if (field.common) continue;
    const name = latin1Bytes(` ${field.name}=`);
    prints.push((_record, out) => out.literal(name));
    const found = field.isArray || from >= pieces.length ? null : findPiece(field, pieces, args, from);
    if (found === null) prints.push(fieldRaw(field, scope.abi));
    else {
      from = found.index + 1;
      if (found.has0x) prints.push(hexPrefix);
      prints.push(compilePiece(pieces[found.index], args, scope, raw));
    }
  }
  return sequence(prints);
}

const hexPrefix = (_record: PrintRecord, out: TextSink): void => out.text('0x');

/** The conversion of `field`, searched from `from` on and round; and whether the text before it ends in `0x`. */
function findPiece(
  field: FieldFormat,
  pieces: Piece[],
  args: Arg[],
  from: number,
): { index: number; has0x: boolean } | null {
  let has0x = false;
  for (let step = 0; step < pieces.length; step++) {
    const index = (from + step) % pieces.length;
    const piece = pieces[index];
    if (piece.kind === 'text') {
      has0x = piece.endsWith0x;
      continue;
    }
    let arg = args[piece.arg];
    while (arg.kind === 'cast') arg = arg.value;
    if (arg.kind === 'field' && arg.field === field) return { index, has0x };
    has0x = false;
  }
  return null;
}
