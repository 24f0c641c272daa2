import { type RefObject, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';
import {
  centreRow,
  type ListGeometry,
  lastTopRow,
  limitTopRow,
  listPx,
  ROW_PX,
  revealRow,
  scrollOfTopRow,
  topRowOfScroll,
} from './row-scroll.ts';

interface RowScroll {
  /** Put it on the scrolling element. */
  scroller: RefObject<HTMLDivElement | null>;
  geometry: ListGeometry;
  /** Exact position in rows from the list's first; never outside the list. */
  topRow: number;
  /** Scrolls as little as needed to show a row. */
  reveal(row: number): void;
  /** Scrolls a row to the middle unless it is visible. */
  centre(row: number): void;
  /** Scrolls to the end. */
  toEnd(): void;
}

/**
 * Scrolling through `total` rows under a head of `headPx`. The element scrolls by itself when its scroll bar is
 * dragged; the wheel moves by exact pixels however long the list is. `growing`: whoever is at the end of the list stays there.
 * `firstRow`: the number of the list's first row; where that changes, whoever is not at the end stays at the same rows.
 */
export function useRowScroll(total: number, headPx: number, growing = false, firstRow = 0): RowScroll {
  const scroller = useRef<HTMLDivElement>(null);
  const [viewPx, setViewPx] = useState(0);
  /** The number of the topmost row. */
  const [wanted, setWanted] = useState(0);
  /** Where this hook put the scroll bar: a scroll event at this place is no news. */
  const placed = useRef(0);
  /** What the scroll bar was told last; `px` is NaN where somebody else moved it since. */
  const told = useRef({ px: Number.NaN, listPx: 0, viewPx: 0 });
  const geometry = { total, viewPx };
  const before = useRef(geometry);
  const now = useRef({ geometry, topRow: 0, firstRow });
  // Already in the render that has the new rows: what is above them has gone out of sight.
  const stays = growing && now.current.topRow >= lastTopRow(before.current) - 1;
  const topRow = limitTopRow(stays ? lastTopRow(geometry) : wanted - firstRow, geometry);
  now.current = { geometry, topRow, firstRow };

  const move = useCallback((position: number) => {
    const element = scroller.current;
    const top = limitTopRow(position, now.current.geometry);
    // Several moves may come before the next render.
    now.current.topRow = top;
    setWanted(top + now.current.firstRow);
    if (!element) return;
    const telling = {
      px: scrollOfTopRow(top, now.current.geometry),
      listPx: listPx(now.current.geometry),
      viewPx: now.current.geometry.viewPx,
    };
    const { px, listPx: heightPx, viewPx: shownPx } = told.current;
    // To touch it has the browser lay out everything there and then: the end of a list of millions of rows stays where it is.
    if (px === telling.px && heightPx === telling.listPx && shownPx === telling.viewPx) return;
    told.current = telling;
    element.scrollTop = telling.px;
    placed.current = element.scrollTop;
  }, []);

  useLayoutEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const measure = () => setViewPx(Math.max(0, element.clientHeight - headPx));
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [headPx]);

  // A list that became shorter, or a taller window: the scroll bar has to follow the position.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs when the geometry changes, whatever the position is
  useLayoutEffect(() => {
    before.current = now.current.geometry;
    move(now.current.topRow);
  }, [total, viewPx, firstRow, move]);

  useEffect(() => {
    const element = scroller.current;
    if (!element) return;
    const onScroll = () => {
      if (Math.abs(element.scrollTop - placed.current) < 1) return;
      placed.current = element.scrollTop;
      told.current.px = Number.NaN;
      now.current.topRow = topRowOfScroll(element.scrollTop, now.current.geometry);
      setWanted(now.current.topRow + now.current.firstRow);
    };
    const onWheel = (event: WheelEvent) => {
      if (event.ctrlKey || event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) return;
      event.preventDefault();
      const unitPx = [1, ROW_PX, now.current.geometry.viewPx][event.deltaMode];
      move(now.current.topRow + (event.deltaY * unitPx) / ROW_PX);
    };
    element.addEventListener('scroll', onScroll);
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => {
      element.removeEventListener('scroll', onScroll);
      element.removeEventListener('wheel', onWheel);
    };
  }, [move]);

  const reveal = useCallback(
    (row: number) => move(revealRow(row - now.current.firstRow, now.current.topRow, now.current.geometry)),
    [move],
  );
  const centre = useCallback(
    (row: number) => {
      const { geometry: current, topRow: top, firstRow: first } = now.current;
      if (revealRow(row - first, top, current) !== top) move(centreRow(row - first, current));
    },
    [move],
  );
  const toEnd = useCallback(() => move(lastTopRow(now.current.geometry)), [move]);
  return { scroller, geometry, topRow, reveal, centre, toEnd };
}
