import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { EventRef, EventRow } from '../../shared/model.ts';
import { query } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { selectEvent } from '../state/selection.ts';
import { selectionStore } from '../state/stores.ts';
import type { EventPages } from './event-pages.ts';

const sameEvent = (a: EventRef, b: EventRef) => a.stream === b.stream && a.cpu === b.cpu && a.index === b.index;

/** The selected row: moved by keys and clicks here, and by whatever else selects an event. */
export function useCursor(
  pages: EventPages,
  filter: string,
  total: number,
  reveal: (row: number) => void,
  centre: (row: number) => void,
) {
  const selected = useStore(selectionStore, (state) => state.event);
  const [cursor, setCursor] = useState<number | null>(null);
  /** The event whose row is known, and in which list: no need to look for it. */
  const own = useRef<{ event: EventRef; filter: string } | null>(null);
  /** A row that was moved to before its page came. */
  const awaited = useRef<number | null>(null);
  const latest = useRef(new Latest());

  const select = (row: EventRow) => {
    own.current = { event: row, filter };
    awaited.current = null;
    selectEvent(row, row.timeNs);
  };
  useEffect(() => {
    const row = awaited.current === null ? undefined : pages.row(awaited.current);
    if (row) select(row);
  });

  useEffect(() => {
    if (selected === null) {
      own.current = null;
      setCursor(null);
      return;
    }
    if (own.current?.filter === filter && sameEvent(selected, own.current.event)) return;
    own.current = { event: selected, filter };
    latest.current
      .run((signal) => query('findRow', { filter, at: { event: selected } }, { signal }))
      .then((found) => {
        if (!found) return;
        setCursor(found.row);
        centre(found.row);
      })
      // The filter hides the event, or is not finished: no row to show.
      .catch(() => setCursor(null));
  }, [selected, filter, centre]);

  const moveCursor = (to: number) => {
    if (total === pages.firstRow) return;
    const row = Math.min(Math.max(pages.firstRow, to), total - 1);
    latest.current.cancel();
    setCursor(row);
    reveal(row);
    const event = pages.row(row);
    if (event) select(event);
    else awaited.current = row;
  };
  return { cursor, moveCursor };
}
