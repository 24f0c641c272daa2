import { type KeyboardEvent, useEffect, useRef } from 'react';
import { useStore } from 'zustand';
import { noteColorKeys } from '../../shared/draw/theme.ts';
import type { Annotation } from '../../shared/model.ts';
import { cancelNote, finishNote } from '../state/notes.ts';
import { uiStore } from '../state/stores.ts';
import { useTimeUnit } from '../ui/use-time-unit.ts';
import { noteTimeText } from './notes-panel.tsx';

/** The editor of the note being written, over the timeline. Enter saves, Esc leaves it as it was. */
export function NoteEditor() {
  const draft = useStore(uiStore, (state) => state.noteDraft);
  const text = useRef<HTMLTextAreaElement>(null);
  const unit = useTimeUnit();
  const id = draft?.id;
  useEffect(() => {
    if (id !== undefined) text.current?.focus();
  }, [id]);
  if (!draft) return null;
  const change = (part: Partial<Annotation>) => uiStore.setState({ noteDraft: { ...draft, ...part } });
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'Enter' && !event.shiftKey && !event.nativeEvent.isComposing) {
      event.preventDefault();
      void finishNote();
    } else if (event.key === 'Escape') {
      event.stopPropagation();
      cancelNote();
    }
  };
  return (
    <section className="note-editor" aria-label="Note" onKeyDown={onKey}>
      <p className="muted mono">{noteTimeText(draft, unit)}</p>
      <textarea
        ref={text}
        className="input"
        aria-label="Note text"
        rows={3}
        maxLength={10_000}
        placeholder="What happened here?"
        value={draft.text}
        onChange={(event) => change({ text: event.target.value })}
      />
      <div className="note-editor-row">
        <fieldset className="note-colors">
          <legend className="hidden">Colour</legend>
          {noteColorKeys.map((color, index) => (
            <label key={color} style={{ ['--color' as string]: `var(--${color})` }}>
              <input
                type="radio"
                name="note-color"
                aria-label={`Colour ${index + 1}`}
                checked={draft.color === color}
                onChange={() => change({ color })}
              />
            </label>
          ))}
        </fieldset>
        <button type="button" className="button" onClick={cancelNote}>
          Cancel
        </button>
        <button
          type="button"
          className="button primary"
          disabled={draft.text.trim() === ''}
          onClick={() => void finishNote()}
        >
          Save note
        </button>
      </div>
    </section>
  );
}
