// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand while scrolling, which a table cannot do
import { type PointerEvent, useState } from 'react';
import { identityColor } from '../../shared/colors.ts';
import { taskKey } from '../../shared/draw/lanes.ts';
import type { Theme } from '../../shared/draw/theme.ts';
import type { EventRow, WorkspaceSummary } from '../../shared/model.ts';
import { streamName } from '../state/session.ts';
import { countText, momentText } from '../ui/text.ts';

export interface Column {
  key: 'row' | 'time' | 'stream' | 'cpu' | 'task' | 'flags' | 'event' | 'info';
  title: string;
  /** Width at first; 0: what is left. */
  px: number;
  right?: boolean;
}

const COLUMNS: readonly Column[] = [
  { key: 'row', title: '#', px: 84, right: true },
  { key: 'time', title: 'Time', px: 138, right: true },
  { key: 'stream', title: 'Stream', px: 96 },
  { key: 'cpu', title: 'CPU', px: 46, right: true },
  { key: 'task', title: 'Task-PID', px: 192 },
  { key: 'flags', title: 'Flags', px: 58 },
  { key: 'event', title: 'Event', px: 190 },
  { key: 'info', title: 'Info', px: 0 },
];
const MIN_PX = 36;

/** The columns for a workspace: which stream an event is from matters where there are several. */
export const columnsOf = (severalStreams: boolean): readonly Column[] =>
  COLUMNS.filter((column) => column.key !== 'stream' || severalStreams);

/** Widths of the columns, and the CSS grid made of them. The first one has room for the number of the last row. */
export function useColumnWidths(
  columns: readonly Column[],
  total: number,
): { template: string; resize: (column: number, px: number) => void } {
  // What was set by hand; the others follow what they show.
  const [set, setWidths] = useState<readonly (number | null)[]>([]);
  const widths = columns.map(
    (column, index) =>
      set[index] ?? (column.key === 'row' ? Math.max(56, 18 + 7.3 * countText(total).length) : column.px),
  );
  const template = widths.map((px) => (px === 0 ? 'minmax(480px, 1fr)' : `${px}px`)).join(' ');
  const resize = (column: number, px: number) =>
    setWidths((before) =>
      columns.map((_, index) => (index === column ? Math.max(MIN_PX, px) : (before[index] ?? null))),
    );
  return { template, resize };
}

interface HeadProps {
  columns: readonly Column[];
  resize: (column: number, px: number) => void;
}

export function EventTableHead({ columns, resize }: HeadProps) {
  const startDrag = (column: number) => (down: PointerEvent<HTMLElement>) => {
    const cell = down.currentTarget.parentElement as HTMLElement;
    const startPx = cell.offsetWidth;
    down.currentTarget.setPointerCapture(down.pointerId);
    const grip = down.currentTarget;
    const onMove = (event: globalThis.PointerEvent) => resize(column, startPx + event.clientX - down.clientX);
    grip.addEventListener('pointermove', onMove);
    grip.addEventListener('lostpointercapture', () => grip.removeEventListener('pointermove', onMove), { once: true });
  };
  return (
    <div role="row" aria-rowindex={1} className="event-row head" tabIndex={-1}>
      {columns.map((column, index) => (
        <div
          key={column.key}
          role="columnheader"
          aria-colindex={index + 1}
          tabIndex={-1}
          className={column.right ? 'right' : ''}
        >
          {column.title}
          {column.px > 0 && <span className="column-grip" onPointerDown={startDrag(index)} />}
        </div>
      ))}
    </div>
  );
}

/** What a column shows of an event. */
export function cellOf(key: Column['key'], event: EventRow, summary: WorkspaceSummary, theme: Theme) {
  switch (key) {
    case 'row':
      return countText(event.row + 1);
    case 'time':
      return momentText(event.timeNs, summary);
    case 'stream':
      return streamName(event.stream, summary);
    case 'cpu':
      return event.cpu;
    case 'task':
      return (
        <>
          {event.pid !== 0 && (
            <span className="swatch" style={{ background: identityColor(taskKey(event.comm, event.pid), theme) }} />
          )}
          {`${event.comm}-${event.pid}`}
        </>
      );
    case 'flags':
      return event.flags;
    case 'event':
      return event.eventName;
    case 'info':
      // One line per event: the details panel shows text of several lines as it is.
      return event.info.replace(/\s*\n\s*/g, ' ⏎ ');
  }
}
