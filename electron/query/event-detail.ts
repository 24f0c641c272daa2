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
  let text: string;
  if (number) text = bigintReader(field, abi)(view, at, end)?.toString() ?? '';
  else if (field.isString) text = textReader(field, abi)(view, at, end);
  else
    text = Array.from(bytesReader(field, abi)(view, at, end), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
  return {
    name: field.name,
    declaration: field.declaration,
    offset: field.offset,
    bytes: field.size,
    common: field.common,
    kind,
    text,
    unit: fieldUnit(system, event, field.name, field.declaration),
  };
}
