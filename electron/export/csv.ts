import type { EventTypeInfo } from '../../shared/model.ts';
import { formatSeconds } from '../../shared/time.ts';
import type { Trace } from '../query/trace.ts';
import { type Cell, type CellReader, type EventColumn, fieldColumns, infoOf } from './convert-columns.ts';
import { type ConvertedEvent, type EventSelection, TaskNames, visitEvents } from './convert-events.ts';
import type { ByteSink } from './convert-output.ts';
import { TextWriter } from './convert-text.ts';

/**
 * Writes events as CSV (RFC 4180, UTF-8, header first): `time` in seconds of the trace clock to the ns, `cpu`, `task`, `pid`,
 * `flags`, `event`, `info`; with `type`, the events of that type with a column for each of its own fields in place of the
 * text. Where there are several streams, `stream` tells which.
 */
export async function writeCsv(
  trace: Trace,
  type: EventTypeInfo | null,
  selection: EventSelection,
  sink: ByteSink,
): Promise<void> {
  const out = new TextWriter(sink);
  const names = new TaskNames();
  const several = trace.streams.length > 1;
  const streamNames = trace.streams.map(({ info }) =>
    info.name === '' ? String(info.index) : `${info.index}:${info.name}`,
  );
  const fields = type === null ? null : ownFields(trace, type);
  const lead = [...(several ? ['stream'] : []), 'time', 'cpu', 'task', 'pid'];
  out.add(line([...lead, ...(fields === null ? ['flags', 'event', 'info'] : fields.map(({ name }) => name))]));
  const readers = new Map<string, CellReader[]>();
  await visitEvents(trace, selection, (event) => {
    if (type !== null && event.type !== type.type) return;
    const { stream, pid } = event;
    let text = several ? `${quoted(streamNames[stream.info.index] as string)},` : '';
    text += `${formatSeconds(trace.originNs + BigInt(event.timeNs), 9)},${event.cpu},${quoted(names.of(stream, pid))},${pid}`;
    if (fields === null) {
      const { printer } = stream.recording;
      const flags = printer.flags(event.view, event.at, event.end - event.at);
      const name = trace.eventTypes[event.type]?.name ?? `event-${event.id}`;
      text += `,${flags},${name},${quoted(infoOf(event))}\n`;
    } else {
      for (const read of readersOf(readers, fields, event)) text += `,${cellText(read(event))}`;
      text += '\n';
    }
    out.add(text);
  });
  out.flush();
}

/** Fields of the type itself. One that is called as a column before it keeps its name behind `field_`. */
function ownFields(trace: Trace, type: EventTypeInfo): EventColumn[] {
  const common = new Set(type.fields.filter((field) => field.common).map(({ name }) => name));
  const lead = new Set(['stream', 'time', 'cpu', 'task', 'pid']);
  return fieldColumns(trace, type)
    .filter(({ name }) => !common.has(name))
    .map((column) => (lead.has(column.name) ? { ...column, name: `field_${column.name}` } : column));
}

function readersOf(
  known: Map<string, CellReader[]>,
  fields: readonly EventColumn[],
  { stream, id }: ConvertedEvent,
): CellReader[] {
  const key = `${stream.info.index} ${id}`;
  let readers = known.get(key);
  if (readers === undefined) {
    readers = fields.map((column) => column.reader(stream, id));
    known.set(key, readers);
  }
  return readers;
}

const line = (cells: readonly string[]): string => `${cells.map(quoted).join(',')}\n`;

const quoted = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

function cellText(cell: Cell): string {
  if (cell === null) return '';
  if (typeof cell === 'string') return quoted(cell);
  return cell instanceof Uint8Array ? Buffer.from(cell).toString('hex') : String(cell);
}
