import { newTextBody } from '../parse/text-trace/body.ts';
import { endOfLine } from '../parse/text-trace/dialect.ts';
import type { TextRecords } from '../parse/text-trace/head.ts';
import { newTraceLine } from '../parse/text-trace/line.ts';
import { LineReader } from '../parse/text-trace/line-reader.ts';
import type { EventPrinter } from './event-text.ts';

const NEWLINE = 0x0a;
const utf8 = new TextDecoder('utf-8');

/** Prints events of a recording that is text: as they stand in it. */
export function textPrinter({ dialect }: Pick<TextRecords, 'dialect'>): EventPrinter {
  const reader = new LineReader(dialect);
  const line = newTraceLine();
  const body = newTextBody();
  /** Reads the record's first line; false where it is none of an event. */
  const read = (bytes: Uint8Array, at: number, end: number): boolean => {
    const newline = bytes.indexOf(NEWLINE, at);
    reader.reset();
    return reader.read(bytes, at, endOfLine(bytes, at, newline < 0 || newline > end ? end : newline), line) === 'event';
  };
  return {
    info(_, view, at, length) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const end = at + length;
      if (!read(bytes, at, end)) return utf8.decode(bytes.subarray(at, end));
      reader.body(bytes, line, body);
      return utf8.decode(bytes.subarray(body.infoFrom, line.to < end ? end : body.infoTo));
    },
    flags(view, at, length) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      return read(bytes, at, at + length) ? utf8.decode(bytes.subarray(line.flagsFrom, line.flagsTo)) : '';
    },
  };
}
