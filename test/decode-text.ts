import { bytesSource } from '../electron/parse/byte-source.ts';
import type { RecordingHead } from '../electron/parse/recording.ts';
import { textAccess } from '../electron/parse/text-trace/access.ts';
import { DIALECT_BYTES, readDialect } from '../electron/parse/text-trace/dialect.ts';
import { textHead } from '../electron/parse/text-trace/head.ts';
import { TextScanner } from '../electron/parse/text-trace/scanner.ts';
import { type TextSurvey, TextSurveyor } from '../electron/parse/text-trace/survey.ts';
import { textPrinter } from '../electron/query/text-printer.ts';

/** One event of a text, everything about it read the way the product reads it. */
export interface TextEvent {
  stream: string;
  cpu: number;
  pid: number;
  ns: bigint;
  system: string;
  name: string;
  flags: string;
  info: string;
  position: number;
  /** The record: the line and those that continue it. */
  record: string;
}

export interface DecodedText {
  survey: TextSurvey;
  head: RecordingHead;
  events: TextEvent[];
  lost: { stream: string; cpu: number; count: number; before: number }[];
}

/** Reads a text twice, as an import does: a survey, then the events. Null where it does not look like ftrace's. */
export function decodeText(text: string | Uint8Array, batchBytes = 1 << 22): DecodedText | null {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const source = bytesSource(bytes, 'built.txt');
  const dialect = readDialect(source.read(0, DIALECT_BYTES));
  if (dialect === null) return null;
  const surveyor = new TextSurveyor(source.name, dialect);
  inBatches(bytes, batchBytes, (batch, position, last) => surveyor.scan(batch, position, last));
  const survey = surveyor.finish();
  const head = textHead(survey, { offset: 0, bytes: bytes.length, compressed: false });
  if (head.text === null) throw new TypeError('a text without records');

  const access = textAccess(head.text);
  const printer = textPrinter(head.text);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const streams = [...head.text.streamNames];
  const formatOfId = new Map(head.formats.map((format) => [format.id, format]));
  const events: TextEvent[] = [];
  const lost: DecodedText['lost'] = [];
  const scanner = new TextScanner(dialect, survey.names, streams, {
    event(_bytes, line, _body, id, stream, position) {
      const place = access.payload(view, position, bytes.length, true);
      if (place === null) throw new TypeError(`no record at ${position}`);
      const format = formatOfId.get(id);
      events.push({
        stream: streams[stream] as string,
        cpu: line.cpu,
        pid: line.pid,
        ns: BigInt(line.seconds) * 1_000_000_000n + BigInt(line.nanoseconds),
        system: format?.system ?? '',
        name: format?.name ?? '',
        flags: printer.flags(view, place.at, place.length),
        info: printer.info(id, view, place.at, place.length),
        position,
        record: Buffer.from(bytes.subarray(place.at, place.at + place.length)).toString('utf8'),
      });
    },
    lost: (stream, cpu, count) => lost.push({ stream: streams[stream] as string, cpu, count, before: events.length }),
  });
  inBatches(bytes, batchBytes, (batch, position, last) => scanner.scan(batch, position, last));
  return { survey, head, events, lost };
}

function inBatches(
  bytes: Uint8Array,
  batchBytes: number,
  scan: (batch: Uint8Array, position: number, last: boolean) => number,
): void {
  for (let position = 0; position < bytes.length; ) {
    const batch = bytes.subarray(position, position + batchBytes);
    position += scan(batch, position, position + batch.length >= bytes.length);
  }
}

/** A reader of one field of every event of a name, in the text's order. */
export function fieldValues<T>(
  decoded: DecodedText,
  text: string | Uint8Array,
  event: string,
  field: string,
  reader: (
    format: RecordingHead['formats'][number]['fields'][number],
  ) => (view: DataView, at: number, end: number) => T,
): T[] {
  const bytes = typeof text === 'string' ? Buffer.from(text, 'utf8') : text;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const found = decoded.head.formats.find(({ name }) => name === event)?.fields.find(({ name }) => name === field);
  if (found === undefined) throw new TypeError(`${event} has no field ${field}`);
  const read = reader(found);
  return decoded.events
    .filter(({ name }) => name === event)
    .map(({ position, record }) => read(view, position, position + Buffer.byteLength(record)));
}
