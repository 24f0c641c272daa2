import type { RecordAccess } from '../record-access.ts';
import { newTextBody } from './body.ts';
import { endOfLine } from './dialect.ts';
import type { TextRecords } from './head.ts';
import { newTraceLine } from './line.ts';
import { LineReader } from './line-reader.ts';

/** What is shown of a record: a line, or lines, beyond all measure would take memory with it. */
const MOST_RECORD_BYTES = 1 << 20;
const NEWLINE = 0x0a;

/** Records of a text: an event's line and those that continue it, without the last end of line. */
export function textAccess({ dialect, names }: Pick<TextRecords, 'dialect' | 'names'>): RecordAccess {
  const reader = new LineReader(dialect);
  const line = newTraceLine();
  const body = newTextBody();
  return {
    blockUnit: 1,
    payload(view, at, end, last) {
      const bytes = new Uint8Array(view.buffer, view.byteOffset, view.byteLength);
      const whole = last || end - at >= MOST_RECORD_BYTES;
      const place = (stop: number) => ({ at, length: Math.min(stop - at, MOST_RECORD_BYTES) });
      let stop = at;
      reader.reset();
      for (let from = at; from < end; ) {
        const newline = bytes.indexOf(NEWLINE, from);
        const found = newline >= 0 && newline < end;
        if (!found && !whole) return null;
        const next = found ? newline : end;
        const to = endOfLine(bytes, from, next);
        const kind = reader.read(bytes, from, to, line);
        if (from === at) {
          if (kind === 'event') {
            reader.body(bytes, line, body);
            const id = names.idOf(bytes, body, dialect.tracer);
            reader.begin(id, names.names[id] as string, bytes, body);
          }
        } else if (kind !== 'more') return place(stop);
        stop = to;
        if (from === at && kind !== 'event') return place(stop);
        from = next + 1;
      }
      return whole ? place(stop) : null;
    },
  };
}
