import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { drawNotes, layoutNotes, NOTE_ROW_PX } from '../../../shared/draw/notes.ts';
import { themes } from '../../../shared/draw/theme.ts';
import type { Annotation } from '../../../shared/model.ts';
import { RecordingSurface } from './recording-surface.ts';

const theme = themes.light;
const scale = { fromNs: 0, toNs: 1000, x: 0, widthPx: 1000 };
const note = (fromNs: number, toNs: number, text: string): Annotation => ({
  id: `${fromNs} ${toNs} ${text}`,
  kind: toNs > fromNs ? 'range' : 'point',
  fromNs,
  toNs,
  text,
  color: 'note-1',
  tags: [],
});
const layout = (notes: Annotation[], rows = 2) => layoutNotes(new RecordingSurface(), scale, notes, rows, theme);

describe('layoutNotes', () => {
  it('takes the first row that is free', () => {
    const placed = layout([note(100, 100, 'first'), note(110, 110, 'second'), note(400, 400, 'third')]);
    expect(placed.map(({ row, text }) => [row, text])).toEqual([
      [0, 'first'],
      [1, 'second'],
      [0, 'third'],
    ]);
  });

  it('keeps the mark of a note without room, away from labels', () => {
    const placed = layout([note(100, 100, 'first'), note(102, 102, 'second'), note(104, 104, 'third')]);
    expect(placed[2]).toMatchObject({ text: '', fromX: 104, row: -1 });
    const surface = new RecordingSurface();
    drawNotes(surface, { x: 0, y: 50, width: 1000, height: 2 * NOTE_ROW_PX }, scale, placed, theme);
    expect(surface.texts).toEqual(expect.arrayContaining(['first', 'second']));
    expect(surface.of('rect')).toHaveLength(2);
    expect(surface.of('path')).toHaveLength(1);
  });

  it('cuts a label to make room for the next one', () => {
    const long = 'a text that would reach far beyond the next note';
    const placed = layout([note(100, 100, long), note(105, 105, long), note(200, 200, 'next')]);
    expect(placed.map(({ row }) => row)).toEqual([0, 1, 0]);
    expect(placed[0].text).toMatch(/^a text.*…$/);
    expect(placed[0].rightX).toBeLessThanOrEqual(200);
    expect(placed[1].text).toBe(long);
    expect(placed[2].text).toBe('next');
  });

  it('leaves out what is not in view, and keeps the label of a range that began before it', () => {
    const placed = layout([note(-50, -10, 'gone'), note(-50, 500, 'still'), note(2000, 2000, 'later')]);
    expect(placed.map((one) => one.text)).toEqual(['still']);
    expect(placed[0].leftX).toBe(0);
  });

  it('cuts a label at the right edge', () => {
    const [placed] = layout([note(900, 900, 'a rather long text that does not fit')]);
    expect(placed.text.endsWith('…')).toBe(true);
    expect(placed.rightX).toBeLessThanOrEqual(1000);
  });

  it('never lets two labels overlap', () => {
    const anyNote = fc.tuple(
      fc.integer({ min: -100, max: 1100 }),
      fc.integer({ min: 0, max: 300 }),
      fc.string({ maxLength: 30 }),
    );
    fc.assert(
      fc.property(fc.array(anyNote, { maxLength: 15 }), fc.integer({ min: 1, max: 3 }), (given, rows) => {
        const placed = layout(
          given.map(([from, length, text]) => note(from, from + length, text)),
          rows,
        ).filter((one) => one.text);
        for (const a of placed) {
          expect(a.row).toBeLessThan(rows);
          for (const b of placed)
            if (a !== b && a.row === b.row) expect(a.rightX <= b.leftX || b.rightX <= a.leftX).toBe(true);
        }
      }),
    );
  });
});

it('drawNotes writes each label into its own row', () => {
  const surface = new RecordingSurface();
  const placed = layout([note(100, 100, 'first'), note(110, 300, 'second')]);
  drawNotes(surface, { x: 0, y: 50, width: 1000, height: 2 * NOTE_ROW_PX }, scale, placed, theme);
  const [first, second] = surface.of('text');
  expect(first.text).toBe('first');
  expect(first.y).toBeGreaterThan(50);
  expect(second.y - first.y).toBe(NOTE_ROW_PX);
});
