import { useStore } from 'zustand';
import { workspaceStore } from '../state/stores.ts';
import { type TimeUnit, timeUnitOf } from './text.ts';

/** What the clock of the open workspace counts. */
export const useTimeUnit = (): TimeUnit =>
  useStore(workspaceStore, ({ summary }) => (summary ? timeUnitOf(summary) : 'ns'));
