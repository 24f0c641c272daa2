import { readAnnotation } from './annotation.ts';
import { newTextBody, readBody } from './body.ts';
import { ALL_FORMS, readLine, type TextForms, USUAL_FORMS } from './forms.ts';
import { newTraceLine, type TimeKind, type TraceLine } from './line.ts';

/** What has to be known about a text before its lines can be read, the same way each time. */
export interface TextDialect {
  forms: TextForms;
  /** Column, from the event's name, where trace-cmd's report puts the text behind it; 0: the kernel's own, one space. */
  infoColumn: number;
  /** Tracer that the header names: what lines without an event's name are. */
  tracer: string;
  /** CPU and time of the first event: where lines before it are put. */
  first: { cpu: number; seconds: number; nanoseconds: number; time: TimeKind };
}

/** Bytes at the beginning of a text that tell what it is. */
export const DIALECT_BYTES = 1 << 20;
/** `report` pads `name:` to 22 columns, `report -R` to 23. */
const INFO_COLUMNS = [22, 23] as const;
const NEWLINE = 0x0a;
const HASH = 0x23;

/**
 * Reads the dialect from a text's beginning; null where this does not look like ftrace's text: it has neither a header
 * that says so nor events in most of its lines. Lines of the rare forms count where a header or their number says that
 * they are meant.
 */
export function readDialect(bytes: Uint8Array): TextDialect | null {
  const line = newTraceLine();
  const body = newTextBody();
  const counts = { default: 0, latency: 0, graph: 0, verbose: 0, raw: 0, hex: 0 };
  const padded = { 22: 0, 23: 0 };
  let header = false;
  let tracer = '';
  let named = 0;
  let other = 0;
  let first: TextDialect['first'] | null = null;
  forEachLine(bytes, (from, to) => {
    if (from === to) return;
    if (bytes[from] !== HASH && readLine(bytes, from, to, ALL_FORMS, line)) {
      counts[line.form]++;
      first ??= firstOf(line);
      readBody(bytes, line, INFO_COLUMNS[0], body);
      if (body.naming !== 'as-is' || line.form === 'graph') return;
      // Long names reach the column, and tell nothing.
      if (body.nameTo - body.nameFrom + 2 >= INFO_COLUMNS[0]) return;
      named++;
      for (const column of INFO_COLUMNS)
        if (isPaddedTo(bytes, body.nameFrom, body.nameTo, to, column)) padded[column]++;
      return;
    }
    const annotation = readAnnotation(bytes, from, to);
    if (annotation === null) {
      if (!isFrame(bytes, from, to)) other++;
    } else if (annotation.kind === 'tracer') {
      tracer ||= annotation.name;
      header = true;
    } else if (bytes[from] !== HASH && annotation.kind === 'other') header = true;
  });
  const events =
    counts.default + counts.latency + counts.graph + counts.verbose + (header ? counts.raw + counts.hex : 0);
  if (!header && (events === 0 || events * 3 < other)) return null;
  const graphHeader = tracer.startsWith('function_graph');
  const most = counts.default + counts.latency;
  const forms: TextForms = {
    graph: graphHeader || counts.graph > most,
    verbose: counts.verbose > 0 && counts.verbose * 4 > most,
    raw: header && counts.raw > most,
    hex: header && counts.hex > most,
  };
  const usual = forms.graph || forms.verbose || forms.raw || forms.hex ? forms : USUAL_FORMS;
  const infoColumn = INFO_COLUMNS.find((column) => padded[column] * 2 > named) ?? 0;
  return { forms: usual, infoColumn, tracer, first: first ?? { cpu: 0, seconds: 0, nanoseconds: 0, time: 'none' } };
}

const firstOf = ({ cpu, seconds, nanoseconds, time }: TraceLine): TextDialect['first'] => ({
  cpu,
  seconds,
  nanoseconds,
  time,
});

function forEachLine(bytes: Uint8Array, visit: (from: number, to: number) => void): void {
  for (let from = startOfText(bytes); from < bytes.length; ) {
    const newline = bytes.indexOf(NEWLINE, from);
    const next = newline < 0 ? bytes.length : newline;
    visit(from, endOfLine(bytes, from, next));
    from = next + 1;
  }
}

/** Behind a UTF-8 byte order mark, which editors put before a text. */
export const startOfText = (bytes: Uint8Array): number =>
  bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0;

/** The line's end without a carriage return. */
export const endOfLine = (bytes: Uint8Array, from: number, newline: number): number =>
  newline > from && bytes[newline - 1] === 0x0d ? newline - 1 : newline;

/** `name:` and spaces up to the column, and text there. */
function isPaddedTo(bytes: Uint8Array, nameFrom: number, nameTo: number, to: number, column: number): boolean {
  const stop = nameFrom + column;
  if (stop >= to || nameTo + 2 >= stop || bytes[stop] === 0x20) return false;
  for (let at = nameTo + 1; at < stop; at++) if (bytes[at] !== 0x20) return false;
  return true;
}

/** A stack's frame, ` => function`. */
function isFrame(bytes: Uint8Array, from: number, to: number): boolean {
  while (from < to && bytes[from] === 0x20) from++;
  return bytes[from] === 0x3d && bytes[from + 1] === 0x3e;
}
