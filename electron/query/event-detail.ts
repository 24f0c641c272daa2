import { RemoraError } from '../../shared/errors.ts';
import type { EventDetail, EventFieldValue } from '../../shared/model.ts';
import { toAbsNs } from '../../shared/time.ts';
import { fieldUnit } from '../../shared/units.ts';
import type { FieldFormat } from '../parse/event-format.ts';
import { bigintReader, bytesReader, isNumeric, textReader } from '../parse/field-access.ts';
import type { TraceAbi } from '../parse/recording.ts';
import { type Payload, positionOf } from './payload.ts';
import type { RowQueries } from './rows.ts';
import { chunkOfIndex, type Trace, type TraceCpu } from './trace.ts';

/** Everything about one event: exact field values, raw bytes, text. */
export function eventDetail(trace: Trace, rows: RowQueries, cpu: TraceCpu, index: number, row: number): EventDetail {
  const stream = trace.streams[cpu.stream];
  const info = chunkOfIndex(cpu, index);
  if (stream === undefined || info === undefined) {
    throw new RemoraError({ code: 'not-found', message: `CPU ${cpu.cpu} has no event ${index}` });
  }
  const base = rows.row({ stream: cpu.stream, cpu: cpu.cpu, index }, row);
  const chunk = trace.chunks.get(info);
  const at = index - info.firstIndex;
  const position = positionOf(info, chunk, at);
  const payload = trace.text.payload(cpu, position);
  const { abi } = stream.layout;
  const system = trace.eventTypes[base.type]?.system ?? 'unknown';
  const format = stream.recording.formatOfId.get(chunk.id[at] as number);
  const fileOffset = cpu.bytes.fileOffset(position);
  return {
    ...base,
    system,
    absNs: String(toAbsNs(base.timeNs, trace.originNs)),
    fields: (format?.fields ?? []).map((field) => describeValue(system, base.eventName, field, payload, abi)),
    raw: new Uint8Array(
      payload.view.buffer.slice(
        payload.view.byteOffset + payload.at,
        payload.view.byteOffset + payload.at + payload.length,
      ),
    ),
    fileOffset: fileOffset < 0 ? -1 : fileOffset + payload.headerBytes,
  };
}

function describeValue(
  system: string,
  event: string,
  field: FieldFormat,
  { view, at, length }: Payload,
  abi: TraceAbi,
): EventFieldValue {
  const end = at + length;
  const number = isNumeric(field) && !field.isArray;
  const kind = field.isString ? 'text' : number ? 'number' : 'bytes';
  const bytes = bytesReader(field, abi)(view, at, end);
  let text: string;
  if (number && field.location !== 'text') text = bigintReader(field, abi)(view, at, end)?.toString() ?? '';
  else if (number || field.isString) text = textReader(field, abi)(view, at, end);
  else text = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  // In a line of text a value is where it was found; else the field's own place is told, not that of what it refers to.
  const place =
    field.location === 'text'
      ? { offset: Math.max(0, bytes.byteOffset - view.byteOffset - at), bytes: bytes.length }
      : { offset: field.offset, bytes: field.size };
  return {
    name: field.name,
    declaration: field.declaration,
    ...place,
    common: field.common,
    kind,
    text,
    unit: fieldUnit(system, event, field.name, field.declaration),
  };
}
