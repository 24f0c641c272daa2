import { useStore } from 'zustand';
import type { Annotation } from '../../shared/model.ts';
import { formatLength, type TimeUnit } from '../../shared/time.ts';
import { runCommand } from '../commands/registry.ts';
import { editNote, showNote } from '../state/notes.ts';
import { deleteNote } from '../state/session.ts';
import { annotationsStore, selectionStore } from '../state/stores.ts';
import { DeleteIcon, EditIcon, NoteIcon } from '../ui/icons.tsx';
import { offsetText } from '../ui/text.ts';
import { useTimeUnit } from '../ui/use-time-unit.ts';

/** The notes of the workspace, in order of time. */
export function NotesPanel() {
  const notes = useStore(annotationsStore, (state) => state.annotations);
  const unit = useTimeUnit();
  const selected = useStore(selectionStore, (state) => state.annotationId);
  return (
    <div className="notes">
      <div className="panel-tools">
        <button type="button" className="button" onClick={() => runCommand('notes.add')}>
          <NoteIcon /> Add note
        </button>
        <span className="muted">Shift+drag on the timeline selects a range to write about.</span>
      </div>
      {notes.length === 0 ? (
        <p className="muted empty-list">No notes yet.</p>
      ) : (
        <ul className="note-list" aria-label="Notes">
          {notes.map((note) => (
            <li key={note.id} className={note.id === selected ? 'selected' : ''}>
              <span className="note-color" style={{ background: `var(--${note.color}, var(--note-1))` }} />
              <button type="button" className="link-row" onClick={() => showNote(note)}>
                <span className="mono muted">{noteTimeText(note, unit)}</span>
                <span className="note-text">{note.text}</span>
              </button>
              <button
                type="button"
                className="icon-button"
                aria-label={`Edit note ${note.text}`}
                onClick={() => editNote(note)}
              >
                <EditIcon />
              </button>
              <button
                type="button"
                className="icon-button"
                aria-label={`Delete note ${note.text}`}
                onClick={() => void deleteNote(note.id)}
              >
                <DeleteIcon />
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

/** Where a note is: a moment, or a moment and how long. */
export function noteTimeText(note: Pick<Annotation, 'kind' | 'fromNs' | 'toNs'>, unit: TimeUnit): string {
  const start = offsetText(note.fromNs, unit);
  return note.kind === 'range' ? `${start}, ${formatLength(note.toNs - note.fromNs, unit)}` : start;
}
