import type { Annotation } from '../model.ts';
import { formatLength, type TimeUnit } from '../time.ts';
import type { PlacedNote } from './notes.ts';
import type { Surface, TextStyle } from './surface.ts';
import { noteColor, type Theme } from './theme.ts';

/** Notes in full, below a chart: an exported picture has no tooltip for what was cut. */
export interface NoteList {
  rows: { annotation: Annotation; text: string; first: boolean }[];
  heightPx: number;
}

const ROW_PX = 15;
const INDENT_PX = 16;
const MAX_ROWS = 40;
const style = (color: string): TextStyle => ({ color, sizePx: 11 });

/** The notes whose label is not their whole text, with their time, wrapped to a width. */
export function layoutNoteList(
  surface: Pick<Surface, 'measure'>,
  notes: readonly PlacedNote[],
  widthPx: number,
  unit: TimeUnit,
  theme: Theme,
): NoteList {
  const rows: NoteList['rows'] = [];
  for (const { annotation, text } of notes) {
    if (text === annotation.text.trim()) continue;
    for (const [index, row] of wrap(
      surface,
      `${when(annotation, unit)}: ${annotation.text}`,
      widthPx - INDENT_PX,
      theme,
    ).entries()) {
      rows.push({ annotation, text: row, first: index === 0 });
    }
  }
  const shown = rows.length > MAX_ROWS ? rows.slice(0, MAX_ROWS) : rows;
  if (rows.length > MAX_ROWS)
    shown.push({
      annotation: rows[MAX_ROWS].annotation,
      text: `… ${rows.length - MAX_ROWS} more lines of notes`,
      first: false,
    });
  return { rows: shown, heightPx: shown.length === 0 ? 0 : shown.length * ROW_PX + 8 };
}

function when({ kind, fromNs, toNs }: Annotation, unit: TimeUnit): string {
  const from = formatLength(fromNs, unit, 6);
  return kind === 'point' ? from : `${from} to ${formatLength(toNs, unit, 6)}`;
}

/** Breaks at spaces and line ends; a word longer than a row is broken anywhere. */
function wrap(surface: Pick<Surface, 'measure'>, text: string, widthPx: number, theme: Theme): string[] {
  const fits = (row: string): boolean => surface.measure(row, style(theme.text)) <= widthPx;
  const rows: string[] = [];
  for (const paragraph of text.trim().split('\n')) {
    let row = '';
    for (const word of paragraph.split(/\s+/)) {
      const longer = row === '' ? word : `${row} ${word}`;
      if (fits(longer)) {
        row = longer;
        continue;
      }
      if (row !== '') rows.push(row);
      row = '';
      for (const character of word) {
        if (row !== '' && !fits(row + character)) {
          rows.push(row);
          row = '';
        }
        row += character;
      }
    }
    if (row !== '') rows.push(row);
  }
  return rows;
}

/** Draws the rows with their upper left corner at (x, y). */
export function drawNoteList(surface: Surface, x: number, y: number, list: NoteList, theme: Theme): void {
  for (const [index, { annotation, text, first }] of list.rows.entries()) {
    const baseline = y + index * ROW_PX + 11;
    if (first) surface.rect(x, baseline - 8, 9, 9, { fill: noteColor(annotation.color, theme) });
    surface.text(x + INDENT_PX, baseline, text, style(theme.text));
  }
}
