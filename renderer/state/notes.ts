import type { Annotation } from '../../shared/model.ts';
import { saveNote } from './session.ts';
import { selectionStore, uiStore, workspaceStore } from './stores.ts';
import { zoomToRange } from './viewport.ts';

/** Writing notes: a draft that the editor shows, saved into the workspace or thrown away. */

/** Where a new note would go: the selected range, else the selected event, else the pointer; null: nowhere. */
export function placeOfNewNote(): Pick<Annotation, 'kind' | 'fromNs' | 'toNs'> | null {
  if (!workspaceStore.getState().summary) return null;
  const { range, eventTimeNs, hoverNs } = selectionStore.getState();
  if (range) return { kind: 'range', fromNs: range.fromNs, toNs: range.toNs };
  const atNs = eventTimeNs ?? hoverNs;
  return atNs === null ? null : { kind: 'point', fromNs: atNs, toNs: atNs };
}

export function startNote(): void {
  const place = placeOfNewNote();
  if (!place) return;
  uiStore.setState({ noteDraft: { id: crypto.randomUUID(), ...place, text: '', color: 'note-1', tags: [] } });
}

export function editNote(note: Annotation): void {
  uiStore.setState({ noteDraft: note });
}

/** Saves the draft; one without text is thrown away. */
export async function finishNote(): Promise<void> {
  const { noteDraft } = uiStore.getState();
  uiStore.setState({ noteDraft: null });
  if (!noteDraft || noteDraft.text.trim() === '') return;
  selectionStore.setState({ annotationId: noteDraft.id });
  await saveNote({ ...noteDraft, text: noteDraft.text.trim() });
}

export function cancelNote(): void {
  uiStore.setState({ noteDraft: null });
}

export function showNote(note: Annotation): void {
  const range = note.kind === 'range' ? { fromNs: note.fromNs, toNs: note.toNs } : null;
  selectionStore.setState({ annotationId: note.id, range });
  zoomToRange(note);
}
