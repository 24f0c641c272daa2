import { placeOfNewNote, startNote } from '../state/notes.ts';
import type { Command } from './registry.ts';

export const noteCommands: readonly Command[] = [
  {
    id: 'notes.add',
    title: 'Add note',
    group: 'Notes',
    keys: ['KeyN'],
    enabled: () => placeOfNewNote() !== null,
    run: startNote,
  },
];
