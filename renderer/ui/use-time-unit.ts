import { useStore } from 'zustand';
import { type TimeUnit, timeUnitOf } from '../../shared/time.ts';
import { type WorkspaceState, workspaceStore } from '../state/stores.ts';

const unitOf = ({ summary }: WorkspaceState): TimeUnit => (summary ? timeUnitOf(summary) : 'ns');

/** What the clock of the open workspace counts. */
export const useTimeUnit = (): TimeUnit => useStore(workspaceStore, unitOf);

/** The same for what draws and describes by itself. */
export const currentTimeUnit = (): TimeUnit => unitOf(workspaceStore.getState());
