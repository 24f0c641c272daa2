import { captureStore } from '../state/capture.ts';
import { profilesStore } from '../state/capture-profiles.ts';
import { selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';
import { onCommandsChanged } from './registry.ts';

/** Commands say whether they are enabled from these stores: calls back whenever one may have changed its mind. */
export function onEnablingChanged(listener: () => void): () => void {
  const stops = [
    onCommandsChanged(listener),
    workspaceStore.subscribe(listener),
    viewportStore.subscribe(listener),
    selectionStore.subscribe(listener),
    captureStore.subscribe(listener),
    profilesStore.subscribe(listener),
  ];
  return () => {
    for (const stop of stops) stop();
  };
}
