import { useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { drawNotes, layoutNotes, NOTE_ROW_PX, type PlacedNote } from '../../shared/draw/notes.ts';
import { drawRuler, drawTimeGrid } from '../../shared/draw/ruler.ts';
import { formatLength } from '../../shared/time.ts';
import { editNote } from '../state/notes.ts';
import { annotationsStore, selectionStore, viewportStore } from '../state/stores.ts';
import { themeStore } from '../state/theme.ts';
import { currentTimeUnit } from '../ui/use-time-unit.ts';
import { Canvas } from './canvas.tsx';
import type { CanvasSurface } from './canvas-surface.ts';
import { currentScale, GUTTER_PX, geometryStore, timeWidthPx } from './geometry.ts';
import { setPointTarget } from './pointing.ts';
import { timeText } from './time-text.ts';

/** A row for flags and times under the pointer, over one for the ticks. */
export const RULER_PX = 38;
const NOTE_ROWS = 2;
const MARK_REACH_PX = 8;

const rulerWatch = [viewportStore, geometryStore];
const notesWatch = [viewportStore, geometryStore, annotationsStore, selectionStore];

/** The part of the timeline that never scrolls away: ruler and notes. */
export function Head() {
  const theme = useStore(themeStore, (state) => state.theme);
  const widthPx = useStore(geometryStore, timeWidthPx);
  const contentPx = useStore(geometryStore, (state) => state.contentPx);
  const notes = useStore(annotationsStore, (state) => state.annotations.length);
  const paintRuler = (surface: CanvasSurface) =>
    drawRuler(surface, { x: 0, y: 0, width: surface.widthPx, height: RULER_PX }, currentScale(GUTTER_PX), theme);
  return (
    <div className="timeline-head">
      <Canvas widthPx={contentPx} heightPx={RULER_PX} paint={paintRuler} watch={rulerWatch} label="Time ruler" />
      {notes > 0 && <NotesStrip widthPx={widthPx} />}
    </div>
  );
}

const heightPx = NOTE_ROWS * NOTE_ROW_PX;

function NotesStrip({ widthPx }: { widthPx: number }) {
  const theme = useStore(themeStore, (state) => state.theme);
  const strip = useRef<HTMLDivElement>(null);
  /** As drawn last: what the pointer sees. */
  const placed = useRef<PlacedNote[]>([]);
  useEffect(() => {
    if (!strip.current) return;
    const noteAt = (ns: number, y: number): PlacedNote | undefined => {
      const scale = currentScale();
      const x = ((ns - scale.fromNs) / (scale.toNs - scale.fromNs)) * scale.widthPx;
      const row = Math.floor(y / NOTE_ROW_PX);
      const hit = (note: PlacedNote): boolean => x >= note.leftX - 3 && x <= Math.max(note.rightX, note.leftX + 4);
      // Marks without a label stand on the lower edge.
      const mark = y >= heightPx - MARK_REACH_PX ? placed.current.find((note) => note.row < 0 && hit(note)) : undefined;
      return mark ?? placed.current.findLast((note) => note.row === row && hit(note));
    };
    setPointTarget(strip.current, {
      describe(ns, y) {
        const note = noteAt(ns, y)?.annotation;
        if (!note) return null;
        const scale = currentScale();
        const at = timeText(note.fromNs, (scale.toNs - scale.fromNs) / scale.widthPx, currentTimeUnit());
        return {
          title: note.text || 'note',
          rows: [
            ['at', at],
            ...(note.kind === 'range'
              ? [['length', formatLength(note.toNs - note.fromNs, currentTimeUnit())] as [string, string]]
              : []),
          ],
        };
      },
      click(ns, y) {
        const note = noteAt(ns, y)?.annotation;
        if (!note) return;
        selectionStore.setState({
          annotationId: note.id,
          ...(note.kind === 'range' ? { range: { fromNs: note.fromNs, toNs: note.toNs } } : {}),
        });
      },
      doubleClick(ns, y) {
        const note = noteAt(ns, y)?.annotation;
        if (note) editNote(note);
        return note !== undefined;
      },
      markAt: (ns) => ns,
    });
  }, []);

  const paint = (surface: CanvasSurface) => {
    const scale = currentScale();
    const area = { x: 0, y: 0, width: surface.widthPx, height: heightPx };
    placed.current = layoutNotes(surface, scale, annotationsStore.getState().annotations, NOTE_ROWS, theme);
    drawTimeGrid(surface, area, scale, theme);
    drawNotes(surface, area, scale, placed.current, theme, selectionStore.getState().annotationId);
  };
  return (
    <div className="notes-strip" style={{ height: heightPx }}>
      <div className="notes-title">Notes</div>
      <div ref={strip} className="lane-area" data-point-target style={{ width: widthPx, height: heightPx }}>
        <Canvas widthPx={widthPx} heightPx={heightPx} paint={paint} watch={notesWatch} label="Notes" />
      </div>
    </div>
  );
}
