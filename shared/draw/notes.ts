import { textOn } from '../colors.ts';
import type { Annotation } from '../model.ts';
import { fitText } from './fit-text.ts';
import { type Area, type TimeScale, timeToX } from './ruler.ts';
import type { Surface } from './surface.ts';
import { noteColor, type Theme } from './theme.ts';

export const NOTE_ROW_PX = 20;
const LABEL_SIZE = 11;
/** A label is cut, but never to less than this. */
const MIN_TEXT_PX = 24;

/** Where one annotation goes: x positions in px, the row counted from the top. */
export interface PlacedNote {
  annotation: Annotation;
  row: number;
  fromX: number;
  toX: number;
  /** Label that fits beside its neighbours; empty where there is no room. */
  text: string;
  /** From the left edge of the label (or the range) to the right one: what a pointer hits. */
  leftX: number;
  rightX: number;
}

/**
 * Places the annotations that touch the scale into at most `maxRows` rows without overlaps, in order of time: the first
 * row where the whole label fits, else the row with the most room before its successor, cut to that room. An annotation
 * that finds no room keeps its mark and loses its label.
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
  const rowEnds = new Array<number>(maxRows).fill(Number.NEGATIVE_INFINITY);
  const placed: PlacedNote[] = [];
  for (const { annotation, fromX, toX } of visible) {
    const text = firstLine(annotation.text);
    const labelX = Math.max(fromX, scale.x);
    const wanted = surface.measure(text, labelStyle(theme.text)) + 14;
    const extent = Math.max(wanted, Math.min(toX, right) - labelX);
    const row = rowFor(rowEnds, labelX);
    if (row < 0) {
      placed.push({ annotation, row: 0, fromX, toX, text: '', leftX: labelX, rightX: labelX });
      continue;
    }
    rowEnds[row] = labelX + extent + 6;
    placed.push({ annotation, row, fromX, toX, text, leftX: labelX, rightX: labelX + extent });
  }
  for (const note of placed) if (note.text) cutAtEdge(surface, note, right, theme);
  return placed;
}

/** First row that is free at `x`; -1 where all are taken. */
const rowFor = (rowEnds: number[], x: number): number => rowEnds.findIndex((end) => end <= x);

/** Labels end at the right edge of the scale: they are cut there rather than by the clip. */
function cutAtEdge(surface: Surface, note: PlacedNote, right: number, theme: Theme): void {
  if (note.rightX <= right) return;
  const room = right - note.leftX;
  note.text = room < MIN_TEXT_PX ? '' : fitText(surface, note.text, room - 14, labelStyle(theme.text));
  note.rightX = Math.max(note.leftX, Math.min(note.rightX, right));
}

const labelStyle = (color: string) => ({ color, sizePx: LABEL_SIZE });
const firstLine = (text: string): string => text.split('\n', 1)[0] || 'note';

/** Labels of `layoutNotes` in `area`, whose height is the rows' (`NOTE_ROW_PX` each). `selectedId` gets a frame. */
export function drawNotes(
  surface: Surface,
  area: Area,
  scale: TimeScale,
  placed: PlacedNote[],
  theme: Theme,
  selectedId: string | null = null,
): void {
  surface.clip(scale.x, area.y, scale.widthPx, area.height, () => {
    for (const { annotation, row, fromX, toX, text, leftX, rightX } of placed) {
      const color = noteColor(annotation.color, theme);
      const y = area.y + row * NOTE_ROW_PX + 2;
      const height = NOTE_ROW_PX - 4;
      surface.line(fromX, y, fromX, area.y + area.height, { color, width: 1 });
      if (annotation.kind === 'range') surface.line(toX, y, toX, area.y + area.height, { color, width: 1 });
      if (!text) {
        surface.rect(leftX - 2, y, 4, height, { fill: color });
        continue;
      }
      const selected = annotation.id === selectedId;
      const stroke = { color: selected ? theme.text : color, width: selected ? 2 : 1 };
      if (annotation.kind === 'range')
        surface.rect(leftX, y, Math.max(2, Math.min(toX, rightX) - leftX), height, { fill: color, fillOpacity: 0.3 });
      surface.rect(
        leftX,
        y,
        rightX - leftX,
        height,
        annotation.kind === 'point' ? { fill: color, stroke } : { stroke },
      );
      const ink = annotation.kind === 'point' ? textOn(color) : theme.text;
      surface.text(leftX + 6, y + height / 2 + 4, text, labelStyle(ink));
    }
  });
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
