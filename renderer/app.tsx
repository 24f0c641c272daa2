import { useStore } from 'zustand';
import { workspaceStore } from './state/stores.ts';

/** The window: what is open decides what it shows. */
export function App() {
  const status = useStore(workspaceStore, (state) => state.status);
  return <main data-status={status} />;
}
