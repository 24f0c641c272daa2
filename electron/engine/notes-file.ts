import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { StoredAnnotation, WorkspaceStore } from '../store/workspace-store.ts';
import { liveWorkspacePath } from './identity.ts';

export const notesPath = (workspacePath: string): string => `${workspacePath}.notes.json`;

/**
 * Notes that were made while a recording was captured, by an engine that did not see the end of it, go to the recording's
 * workspace.
 */
export function adoptLiveNotes(cacheFolder: string, recording: string, workspacePath: string): void {
  const left = notesPath(liveWorkspacePath(cacheFolder, recording));
  if (existsSync(left) && !existsSync(notesPath(workspacePath))) renameSync(left, notesPath(workspacePath));
}

/**
 * Annotations must survive everything, a corrupt workspace included: beside the workspace lies `<workspace>.notes.json`
 * with all of them, replaced atomically at every change. A workspace without annotations whose notes file has some takes
 * them back, and so does one whose import was killed: what was noted meanwhile went with it.
 */
export class NotesFile {
  readonly #path: string;
  readonly #store: WorkspaceStore;

  /** `workspacePath` empty: the workspace is temporary and nothing is kept. */
  constructor(workspacePath: string, store: WorkspaceStore) {
    this.#path = workspacePath === '' ? '' : notesPath(workspacePath);
    this.#store = store;
    if (this.#path === '') return;
    const killed = store.recordings().some(({ indexed }) => indexed === 0);
    if (killed || store.annotations().length === 0) this.#restore();
  }

  all(): StoredAnnotation[] {
    return this.#store.annotations();
  }

  put(annotation: StoredAnnotation): void {
    this.#store.putAnnotation(annotation);
    this.#save();
  }

  delete(id: string): void {
    this.#store.deleteAnnotation(id);
    this.#save();
  }

  #save(): void {
    if (this.#path === '') return;
    const temporary = `${this.#path}.${process.pid}.tmp`;
    writeFileSync(temporary, `${JSON.stringify({ version: 1, annotations: this.#store.annotations() }, null, 1)}\n`);
    renameSync(temporary, this.#path);
  }

  #restore(): void {
    if (!existsSync(this.#path)) return;
    try {
      const { annotations } = JSON.parse(readFileSync(this.#path, 'utf8')) as { annotations: StoredAnnotation[] };
      const known = new Set(this.#store.annotations().map(({ id }) => id));
      for (const annotation of annotations) if (!known.has(annotation.id)) this.#store.putAnnotation(annotation);
    } catch {
      // Not ours or cut: it stays where it is for a person to look at.
      renameSync(this.#path, `${this.#path}.unreadable-${Date.now()}`);
    }
  }
}
