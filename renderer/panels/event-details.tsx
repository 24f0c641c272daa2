import { useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { EventDetail, EventFieldValue, FieldInfo, WorkspaceSummary } from '../../shared/model.ts';
import { timeUnitOf } from '../../shared/time.ts';
import { query, reportError } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { streamName } from '../state/session.ts';
import { selectionStore } from '../state/stores.ts';
import { CopyButton } from '../ui/copy-button.tsx';
import { countText, momentText, offsetText } from '../ui/text.ts';
import { HexDump } from './hex-dump.tsx';
import { hexText } from './hex-rows.ts';
import { PlotFieldButtons } from './plot-field.tsx';
import { RecordingOverview } from './recording-overview.tsx';

/** All there is to know of the selected event: text, fields with units, raw bytes. */
export function EventDetails({ summary }: { summary: WorkspaceSummary }) {
  const event = useSelectedDetail();
  const [field, setField] = useState<string | null>(null);
  if (!event) return <RecordingOverview summary={summary} />;
  const type = `${event.system}:${event.eventName}`;
  const own = event.fields.filter((one) => !one.common);
  const common = event.fields.filter((one) => one.common);
  const current = event.fields.find((one) => one.name === field);
  const table = (fields: EventFieldValue[], title: string) => (
    <FieldTable title={title} fields={fields} event={type} summary={summary} selected={field} onSelect={setField} />
  );
  return (
    <section className="details" aria-label="Event details">
      <header className="details-head">
        <h2>{type}</h2>
        <CopyButton label="Copy the event's text" text={() => event.info} />
      </header>
      <dl className="facts">
        <dt>Time</dt>
        <dd className="mono">
          {momentText(event.timeNs, summary)}{' '}
          <span className="muted">{offsetText(event.timeNs, timeUnitOf(summary))}</span>
        </dd>
        <dt>CPU</dt>
        <dd className="mono">{event.cpu}</dd>
        <dt>Task</dt>
        <dd className="mono">
          {event.comm}-{event.pid}
        </dd>
        <dt>Flags</dt>
        <dd className="mono">{event.flags}</dd>
        {summary.streams.length > 1 && (
          <>
            <dt>Stream</dt>
            <dd className="mono">{streamName(event.stream, summary)}</dd>
          </>
        )}
      </dl>
      <pre className="event-text mono">{event.info || ' '}</pre>
      {own.length > 0 && table(own, 'Fields')}
      {common.length > 0 && table(common, 'Common fields')}
      <header className="details-head">
        <h3>
          Raw bytes <span className="muted">{rawPlace(event)}</span>
        </h3>
        <CopyButton label="Copy the raw bytes" text={() => hexText(event.raw)} />
      </header>
      <HexDump
        bytes={event.raw}
        marked={current ? { offset: current.offset, bytes: current.bytes } : null}
        onByte={(offset) => setField(fieldAt(event.fields, offset))}
      />
    </section>
  );
}

function rawPlace(event: EventDetail): string {
  const size = `${countText(event.raw.length)} bytes`;
  return event.fileOffset < 0
    ? `${size}, in a compressed chunk`
    : `${size} at ${countText(event.fileOffset)} of the file`;
}

function fieldAt(fields: EventFieldValue[], offset: number): string | null {
  return fields.find((field) => offset >= field.offset && offset < field.offset + field.bytes)?.name ?? null;
}

function useSelectedDetail(): EventDetail | null {
  const event = useStore(selectionStore, (state) => state.event);
  const [detail, setDetail] = useState<EventDetail | null>(null);
  const latest = useRef(new Latest());
  useEffect(() => {
    if (!event) {
      latest.current.cancel();
      setDetail(null);
      return;
    }
    // The old event stays until the new one is here: moving through the list must not flicker.
    latest.current
      .run((signal) => query('eventDetail', { event }, { signal }))
      .then((found) => found && setDetail(found), reportError);
  }, [event]);
  return detail;
}

interface FieldTableProps {
  title: string;
  fields: EventFieldValue[];
  /** `system:name`. */
  event: string;
  summary: WorkspaceSummary;
  selected: string | null;
  onSelect: (field: string) => void;
}

function FieldTable({ title, fields, event, summary, selected, onSelect }: FieldTableProps) {
  const groupFields = useMemo(() => {
    const type = summary.eventTypes.find((one) => `${one.system}:${one.name}` === event);
    const fields = type?.fields.filter((field) => !field.common && field.kind !== 'bytes') ?? [];
    // What names something splits better than what measures something.
    const measures = (one: FieldInfo) => (one.kind === 'number' && one.unit !== '' ? 1 : 0);
    return fields.toSorted((a, b) => measures(a) - measures(b)).map((one) => one.name);
  }, [summary, event]);
  return (
    <table className="fields" aria-label={title}>
      <thead>
        <tr>
          <th scope="col">{title}</th>
          <th scope="col">Type</th>
          <th scope="col" className="right">
            Value
          </th>
          <th scope="col" aria-label="Actions" />
        </tr>
      </thead>
      <tbody>
        {fields.map((field) => (
          <tr
            key={field.name}
            className={field.name === selected ? 'selected' : ''}
            onPointerDown={() => onSelect(field.name)}
          >
            <th scope="row" title={`${field.declaration} ${field.name}; offset ${field.offset}, ${field.bytes} bytes`}>
              <button type="button" className="plain mono" onClick={() => onSelect(field.name)}>
                {field.name}
              </button>
            </th>
            <td className="declaration mono" title={field.declaration}>
              {field.declaration}
            </td>
            <td className="mono value">
              {field.text}
              {field.unit && <span className="unit"> {field.unit}</span>}
            </td>
            <td className="field-actions">
              <CopyButton label={`Copy ${field.name}`} text={() => field.text} />
              {field.kind === 'number' && (
                <PlotFieldButtons event={event} field={field.name} groupFields={groupFields} />
              )}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
