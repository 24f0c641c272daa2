// biome-ignore-all lint/a11y/useSemanticElements: rows are placed by hand while scrolling, which a table cannot do
import { type KeyboardEvent, memo, useCallback, useEffect, useMemo, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { ErrorDetail } from '../../shared/errors.ts';
import type { EventRow, WorkspaceSummary } from '../../shared/model.ts';
import { captureStore } from '../state/capture.ts';
import { ofPart } from '../state/rest-of-index.ts';
import { placeMarker } from '../state/selection.ts';
import { uiStore, viewportStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { Menu } from '../ui/menu.tsx';
import { countOf, countText } from '../ui/text.ts';
import { type Column, cellOf, columnsOf, EventTableHead, useColumnWidths } from './event-columns.tsx';
import { eventMenu } from './event-menu.ts';
import { FilterInput } from './filter-input.tsx';
import { GoTo } from './go-to.tsx';
import { lastTopRow, listPx, ROW_PX, visibleRows } from './row-scroll.ts';
import { useCursor } from './use-cursor.ts';
import { type ShownEdge, useEventPages } from './use-event-pages.ts';
import { useRowScroll } from './use-row-scroll.ts';

const HEAD_PX = 24;

/** All events in time order over all CPUs; it and the lanes follow each other's selection. */
export function EventTable({ summary }: { summary: WorkspaceSummary }) {
  const filter = useStore(uiStore, (state) => state.tableFilter);
  const [filterError, setFilterError] = useState<ErrorDetail | null>(null);
  const edge = useRef<ShownEdge | null>(null);
  const pages = useEventPages(
    summary.workspaceId,
    filter,
    setFilterError,
    useCallback(() => edge.current, []),
  );
  const total = pages.total ?? (filter === '' ? summary.events : 0);
  const { firstRow } = pages;
  const length = total - firstRow;
  const growing = useStore(captureStore, (state) => state.workspaceId === summary.workspaceId);
  const { scroller, geometry, topRow, reveal, centre, toEnd } = useRowScroll(length, HEAD_PX, growing, firstRow);
  const atEnd = topRow >= lastTopRow(geometry) - 1;
  const rows = Math.ceil(geometry.viewPx / ROW_PX) + 1;
  edge.current = atEnd ? { edge: 'end', rows } : firstRow > 0 && topRow < 1 ? { edge: 'start', rows } : null;
  const columns = useMemo(() => columnsOf(summary.streams.length > 1), [summary.streams.length]);
  const { template, resize } = useColumnWidths(columns, Math.max(total, summary.events));
  const visible = visibleRows(topRow, geometry);
  const [first, last] = [visible.first + firstRow, visible.last + firstRow];
  const keyShift = useKeyShift(first, last);
  // After every render: pages that are here may have to be asked for again. A list that grows begins with its end.
  useEffect(() => {
    if (geometry.viewPx > 0 && !(growing && pages.total === null)) pages.need(first, Math.max(first, last));
  });
  const follow = useStore(viewportStore, (state) => state.follow);
  useEffect(() => {
    if (growing && follow) toEnd();
  }, [growing, follow, toEnd]);
  const [menu, setMenu] = useState<{ row: EventRow; at: { x: number; y: number } } | null>(null);
  const { cursor, moveCursor } = useCursor(pages, filter, total, reveal, centre);

  // Rows are not rendered again for what else changes, as it does several times a second while something is captured.
  const move = useRef(moveCursor);
  move.current = moveCursor;
  const select = useCallback((row: number) => move.current(row), []);
  const ofRows = useSummaryOfRows(summary);

  const onKey = (event: KeyboardEvent) => {
    if (event.altKey || event.metaKey || length === 0) return;
    const page = Math.max(1, Math.floor(geometry.viewPx / ROW_PX) - 1);
    const at = cursor ?? first - 1;
    const targets: Record<string, number> = {
      ArrowDown: at + 1,
      ArrowUp: at - 1,
      PageDown: at + page,
      PageUp: at - page,
      Home: firstRow,
      End: total - 1,
    };
    if (!(event.key in targets)) return;
    event.preventDefault();
    moveCursor(targets[event.key]);
  };

  return (
    <div className="event-table">
      <div className="panel-tools">
        <FilterInput summary={summary} error={filterError} />
        <GoTo summary={summary} filter={filter} total={total} onRow={moveCursor} />
        <output className="muted numbers" aria-label="Events shown">
          {filter === ''
            ? ofPart(countOf(length, 'event'), summary)
            : pages.total === null
              ? filterError
                ? 'The filter has an error'
                : 'Filtering…'
              : pages.scan === null
                ? ofPart(`${countText(length)} of ${countOf(summary.events, 'event')}`, summary)
                : `${countText(length)} so far, ${Math.floor((100 * pages.scan.done) / pages.scan.total)} % looked at`}
        </output>
      </div>
      <div className="grid-frame">
        <div
          ref={scroller}
          role="grid"
          aria-label="Events"
          aria-rowcount={length + 1}
          aria-colcount={columns.length}
          aria-activedescendant={
            cursor !== null && cursor >= first && cursor <= last ? `event-row-${cursor}` : undefined
          }
          tabIndex={0}
          className="event-grid"
          onKeyDown={onKey}
          onContextMenu={(event) => {
            const row = cursor === null ? undefined : pages.row(cursor);
            if (!row) return;
            event.preventDefault();
            // From the keyboard there is no pointer: the menu opens below the row.
            const box = document.getElementById(`event-row-${row.row}`)?.getBoundingClientRect();
            const byKey = event.button !== 2 && box;
            setMenu({ row, at: byKey ? { x: box.left + 96, y: box.bottom } : { x: event.clientX, y: event.clientY } });
          }}
        >
          <div
            className="event-spacer"
            style={{ height: listPx(geometry) + HEAD_PX, ['--columns' as string]: template }}
          >
            <div className="event-layer" style={{ height: geometry.viewPx + HEAD_PX }}>
              <EventTableHead columns={columns} resize={resize} />
              <div
                role="rowgroup"
                tabIndex={-1}
                style={{ transform: `translateY(${HEAD_PX + Math.round((visible.first - topRow) * ROW_PX)}px)` }}
              >
                {Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index).map((row) => (
                  <Row
                    key={row - keyShift}
                    columns={columns}
                    row={row}
                    event={pages.row(row)}
                    index={row - firstRow}
                    selected={row === cursor}
                    summary={ofRows}
                    onSelect={select}
                  />
                ))}
              </div>
            </div>
          </div>
          {length === 0 && (filter === '' || pages.total === 0) && (
            <p className="muted empty-list">
              {filter === '' ? 'The recording holds no events.' : 'No event passes the filter.'}
            </p>
          )}
        </div>
      </div>
      {menu && (
        <Menu
          label="Event"
          anchor={menu.at}
          sections={eventMenu(menu.row)}
          onClose={() => {
            setMenu(null);
            scroller.current?.focus();
          }}
        />
      )}
    </div>
  );
}

/**
 * What is taken from a row's number to have the key of its element. A row that stays on screen keeps its element; where none stays,
 * as at the end of a list that grows by thousands of rows at a time, the new rows take over the elements of the old ones, as making others costs
 * the browser several times as much.
 */
function useKeyShift(first: number, last: number): number {
  const shown = useRef({ first, last, shift: 0 });
  const before = shown.current;
  const someStay = first <= before.last && last >= before.first;
  const shift = someStay ? before.shift : before.shift + first - before.first;
  shown.current = { first, last, shift };
  return shift;
}

/** The summary as it was when something last changed in it that rows are written with. */
function useSummaryOfRows(summary: WorkspaceSummary): WorkspaceSummary {
  const last = useRef(summary);
  const names = ({ originNs, streams, recordings }: WorkspaceSummary): string =>
    JSON.stringify([
      originNs,
      streams.map(({ name, recording, timeUnit }) => [name, recording, timeUnit]),
      recordings.map(({ path }) => path),
    ]);
  if (last.current !== summary && names(last.current) !== names(summary)) last.current = summary;
  return last.current;
}

interface RowProps {
  columns: readonly Column[];
  row: number;
  /** Its place in the list as it is. */
  index: number;
  event: EventRow | undefined;
  selected: boolean;
  summary: WorkspaceSummary;
  onSelect: (row: number) => void;
}

const Row = memo(function Row({ columns, row, index, event, selected, summary, onSelect }: RowProps) {
  const theme = useStore(themeStore, (state) => state.theme);
  return (
    <div
      id={`event-row-${row}`}
      role="row"
      aria-rowindex={index + 2}
      aria-selected={selected}
      tabIndex={-1}
      className="event-row"
      onPointerDown={(down) => down.button !== 1 && onSelect(row)}
      onDoubleClick={() => event && placeMarker(event.timeNs)}
    >
      {columns.map((column, place) => (
        <div
          key={column.key}
          role="gridcell"
          aria-colindex={place + 1}
          tabIndex={-1}
          className={column.right ? `${column.key} right` : column.key}
        >
          {event ? cellOf(column.key, event, summary, theme) : column.key === 'row' ? countText(row + 1) : ''}
        </div>
      ))}
    </div>
  );
});
