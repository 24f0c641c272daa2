import { type FormEvent, useState } from 'react';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { query, reportError } from '../state/connection.ts';
import { parsePlace } from './place.ts';

interface GoToProps {
  summary: WorkspaceSummary;
  filter: string;
  total: number;
  onRow: (row: number) => void;
}

/** Goes to a row by its number or to the event nearest to a time. */
export function GoTo({ summary, filter, total, onRow }: GoToProps) {
  const [text, setText] = useState('');
  const place = parsePlace(text, BigInt(summary.originNs), total);
  const wrong = text.trim() !== '' && place === null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (place === null) return;
    if (place.kind === 'row') onRow(place.row);
    else query('findRow', { filter, at: { timeNs: place.timeNs } }).then((found) => onRow(found.row), reportError);
  };
  return (
    <form onSubmit={submit} className="go-to">
      <input
        className="input mono"
        aria-label="Go to row or time"
        title="A row number, a time as the trace has it (123.456), or +1.5s from the start"
        placeholder="Row, 123.456 or +1.5s"
        aria-invalid={wrong}
        value={text}
        onChange={(event) => setText(event.target.value)}
      />
      <button type="submit" className="button" disabled={place === null}>
        Go
      </button>
    </form>
  );
}
