import { textOn } from '../colors.ts';
import type { Annotation } from '../model.ts';
import { fitText } from './fit-text.ts';
import { type Area, type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import { noteColor, type Theme } from './theme.ts';

export const NOTE_ROW_PX = 20;
const LABEL_SIZE = 11;
/** Between the edge of a flag or range and its text. */
const PAD = 6;
/** Between two labels of one row. */
const GAP = 6;
/** A label is cut, but never to less than this. */
const MIN_TEXT_PX = 24;
/** Height of the mark of a note without a label. */
const MARK_PX = 7;

/** Where one annotation goes: x positions in px, the row counted from the top, -1 for a mark alone. */
export interface PlacedNote {
  annotation: Annotation;
  row: number;
  fromX: number;
  toX: number;
  /** Label that fits beside its neighbours; empty where there is no room. */
  text: string;
  /** Left end of the text: within the flag of a point; in a range where it fits, else right of it. */
  textX: number;
  /** From the left edge of what is drawn to the right one: what a pointer hits. */
  leftX: number;
  rightX: number;
}

/**
 * Places the annotations that touch the scale into at most `maxRows` rows without overlaps, in order of time, each into
 * the first row that is free. Where none is, the label before it is cut to make room; where that would leave too little,
 * the annotation has no label and no row (-1), but a mark. Labels are cut at the right edge of the scale.
 */
export function layoutNotes(
  surface: Surface,
  scale: TimeScale,
  annotations: readonly Annotation[],
  maxRows: number,
  theme: Theme,
): PlacedNote[] {
  const right = scale.x + scale.widthPx;
  const visible = annotations
    .map((annotation) => ({
      annotation,
      fromX: timeToX(scale, annotation.fromNs),
      toX: timeToX(scale, annotation.toNs),
    }))
    .filter((note) => note.toX >= scale.x && note.fromX <= right)
    .sort((a, b) => a.fromX - b.fromX || a.toX - b.toX);
  /** The last one of each row. */
  const ends: (PlacedNote | undefined)[] = new Array(maxRows).fill(undefined);
  return visible.map((note) => {
    const leftX = Math.max(note.fromX, scale.x);
    const free = ends.findIndex((last) => last === undefined || last.rightX + GAP <= leftX);
    const row = free < 0 ? cutForRoom(surface, ends, leftX - GAP, theme) : free;
    if (row < 0) return { ...note, row, text: '', textX: leftX, leftX, rightX: leftX };
    const label = placeLabel(surface, note.annotation, leftX, Math.min(note.toX, right), right, theme);
    const placed = { ...note, ...label, row, leftX };
    ends[row] = placed;
    return placed;
  });
}

/** Cuts the label of the row that keeps most of it so that it ends at `endX`; -1: every label would be too short. */
function cutForRoom(surface: Surface, ends: readonly (PlacedNote | undefined)[], endX: number, theme: Theme): number {
  let best = -1;
  let most = MIN_TEXT_PX;
  for (const [row, last] of ends.entries()) {
    if (!last || last.text === '' || (last.annotation.kind === 'range' && last.toX > endX)) continue;
    const room = endX - last.textX - padAfter(last);
    if (room < most) continue;
    most = room;
    best = row;
  }
  const cut = ends[best];
  if (!cut) return -1;
  const style = labelStyle(theme.text);
  cut.text = fitText(surface, firstLine(cut.annotation.text), most, style);
  const textEnd = cut.text === '' ? cut.leftX : cut.textX + surface.measure(cut.text, style) + padAfter(cut);
  cut.rightX = cut.annotation.kind === 'range' ? Math.max(textEnd, cut.toX) : textEnd;
  return best;
}

/** Within a flag or a range text keeps away from the right edge; beside a range there is none. */
const padAfter = ({ textX, toX, annotation }: PlacedNote): number =>
  annotation.kind === 'range' && textX > toX ? 0 : PAD;

/** The text of an annotation that begins at `leftX` and, if it is a range, ends at `toX`; cut at `right`. */
function placeLabel(
  surface: Surface,
  annotation: Annotation,
  leftX: number,
  toX: number,
  right: number,
  theme: Theme,
): Pick<PlacedNote, 'text' | 'textX' | 'rightX'> {
  const style = labelStyle(theme.text);
  const full = firstLine(annotation.text);
  const width = surface.measure(full, style);
  const inside = leftX + PAD + width + PAD <= toX;
  // Beside a range there is more room than in it, unless it ends at the edge.
  const beside = annotation.kind === 'range' && !inside && right - toX > toX - leftX;
  const textX = (beside ? toX : leftX) + PAD;
  const room = (inside || beside || annotation.kind === 'point' ? right : toX) - textX - (beside ? 0 : PAD);
  const text = width <= room ? full : room < MIN_TEXT_PX ? '' : fitText(surface, full, room, style);
  const textEnd = text === '' ? leftX : textX + surface.measure(text, style) + (beside ? 0 : PAD);
  return { text, textX, rightX: Math.max(textEnd, toX) };
}

const labelStyle = (color: string) => ({ color, sizePx: LABEL_SIZE });
const firstLine = (text: string): string => text.split('\n', 1)[0] || 'note';

/** Labels of `layoutNotes` in `area`, whose height is the rows' (`NOTE_ROW_PX` each). `selectedId` gets a frame. */
export function drawNotes(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  placed: readonly PlacedNote[],
  theme: Theme,
  selectedId: string | null = null,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    // Lines down to the panels first: labels of other rows lie over them.
    for (const { annotation, row, fromX, toX } of placed) {
      const stroke = { color: noteColor(annotation.color, theme), width: 1 };
      const y = row < 0 ? area.y + area.height - MARK_PX : area.y + row * NOTE_ROW_PX + 2;
      surface.line(fromX, y, fromX, area.y + area.height, stroke);
      if (annotation.kind === 'range') surface.line(toX, y, toX, area.y + area.height, stroke);
    }
    // Marks alone stand on the lower edge, over the labels that left them no room.
    for (const note of placed.toSorted((a, b) => Number(a.row < 0) - Number(b.row < 0)))
      if (note.row < 0) drawMark(surface, area.y + area.height, note, theme, note.annotation.id === selectedId);
      else drawLabel(surface, area.y + note.row * NOTE_ROW_PX + 2, note, theme, note.annotation.id === selectedId);
  });
}

function drawMark(surface: Surface, bottom: number, note: PlacedNote, theme: Theme, selected: boolean): void {
  const half = MARK_PX / 2 + (selected ? 1 : 0);
  const { leftX, annotation } = note;
  const xy = [leftX - half, bottom, leftX, bottom - MARK_PX, leftX + half, bottom];
  const stroke = { color: selected ? theme.text : theme.panel, width: 1 };
  surface.path(xy, 3, { closed: true, fill: noteColor(annotation.color, theme), stroke });
}

function drawLabel(surface: Surface, y: number, note: PlacedNote, theme: Theme, selected: boolean): void {
  const { annotation, toX, text, textX, leftX, rightX } = note;
  const color = noteColor(annotation.color, theme);
  const height = NOTE_ROW_PX - 4;
  const stroke = { color: selected ? theme.text : color, width: selected ? 2 : 1 };
  const isPoint = annotation.kind === 'point';
  if (isPoint && text === '') surface.rect(leftX - 2, y, 4, height, { fill: color, stroke });
  else if (isPoint) surface.rect(leftX, y, rightX - leftX, height, { fill: color, stroke });
  else {
    if (textX > toX && text !== '') surface.rect(toX + 1, y, rightX - toX, height, { fill: theme.panel });
    surface.rect(leftX, y, Math.max(2, Math.min(toX, rightX) - leftX), height, { fill: theme.panel });
    surface.rect(leftX, y, Math.max(2, Math.min(toX, rightX) - leftX), height, {
      fill: color,
      fillOpacity: 0.28,
      stroke,
    });
  }
  if (text !== '') surface.text(textX, y + height / 2 + 4, text, labelStyle(isPoint ? textOn(color) : theme.text));
}

/** The reach of annotations through the panels below: a tint over ranges, a line at points. */
export function drawNoteBands(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  annotations: readonly Annotation[],
  theme: Theme,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    for (const annotation of annotations) {
      if (annotation.toNs < scale.fromNs || annotation.fromNs > scale.toNs) continue;
      const color = noteColor(annotation.color, theme);
      const from = Math.max(scale.x - 1, timeToX(scale, annotation.fromNs));
      const to = Math.min(scale.x + scale.widthPx + 1, timeToX(scale, annotation.toNs));
      if (to > from) surface.rect(from, area.y, to - from, area.height, { fill: color, fillOpacity: 0.08 });
      for (const x of annotation.kind === 'range' ? [from, to] : [from]) {
        surface.line(x, area.y, x, area.y + area.height, { color, width: 1, dash: [3, 3], opacity: 0.8 });
      }
    }
  });
}
