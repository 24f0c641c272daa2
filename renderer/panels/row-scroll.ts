/**
 * The mapping between a scroll bar and the rows of a list of any length. Browsers clamp an element's height (Chromium
 * at 33.5 million px: 1.6 million rows of 20 px), so beyond a limit the scroll bar only points at a share of the list,
 * while wheel and keys move the exact position `topRow` (Float64 rows, fractions are pixels) by themselves.
 */
export const ROW_PX = 20;

/** Well below every browser's limit. */
const MAX_LIST_PX = 15_000_000;

export interface ListGeometry {
  /** Number of rows of the list. */
  total: number;
  /** Height of the part of the list that is visible. */
  viewPx: number;
}

/** Height of the element that makes the scroll bar. */
export function listPx({ total }: ListGeometry): number {
  return Math.min(total * ROW_PX, MAX_LIST_PX);
}

/** The topmost position: with it the last row ends at the bottom edge. */
export function lastTopRow({ total, viewPx }: ListGeometry): number {
  return Math.max(0, total - viewPx / ROW_PX);
}

export function limitTopRow(topRow: number, geometry: ListGeometry): number {
  return Math.min(Math.max(0, topRow), lastTopRow(geometry));
}

/** Position for a place of the scroll bar. Exact rows while the list fits, a share of the list beyond. */
export function topRowOfScroll(scrollTop: number, geometry: ListGeometry): number {
  const scrollable = listPx(geometry) - geometry.viewPx;
  if (scrollable <= 0) return 0;
  return limitTopRow((scrollTop / scrollable) * lastTopRow(geometry), geometry);
}

/** Place of the scroll bar for a position: the inverse of `topRowOfScroll`. */
export function scrollOfTopRow(topRow: number, geometry: ListGeometry): number {
  const last = lastTopRow(geometry);
  if (last <= 0) return 0;
  return (limitTopRow(topRow, geometry) / last) * (listPx(geometry) - geometry.viewPx);
}

/** The nearest position at which `row` is wholly visible. */
export function revealRow(row: number, topRow: number, geometry: ListGeometry): number {
  const rowsInView = geometry.viewPx / ROW_PX;
  if (row < topRow) return limitTopRow(row, geometry);
  if (row + 1 > topRow + rowsInView) return limitTopRow(row + 1 - rowsInView, geometry);
  return topRow;
}

/** Position with `row` in the middle. */
export function centreRow(row: number, geometry: ListGeometry): number {
  return limitTopRow(row + 0.5 - geometry.viewPx / ROW_PX / 2, geometry);
}

/** First and last row that are at least partly visible; last is -1 for an empty list. */
export function visibleRows(topRow: number, { total, viewPx }: ListGeometry): { first: number; last: number } {
  return { first: Math.floor(topRow), last: Math.min(total, Math.ceil(topRow + viewPx / ROW_PX)) - 1 };
}
