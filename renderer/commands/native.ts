import type { PageState } from '../../shared/desktop.ts';
import { uiStore } from '../state/stores.ts';
import { onEnablingChanged } from './enabling.ts';
import { allCommands } from './registry.ts';

/** Keeps the menu and theme of a desktop shell in step with the page, from now on. */
export function keepNative(show: (state: PageState) => void): void {
  let told = '';
  const tell = () => {
    const { theme } = uiStore.getState();
    const disabledCommands = allCommands()
      .filter((command) => command.enabled?.() === false)
      .map((command) => command.id);
    const state: PageState = { theme, disabledCommands };
    const json = JSON.stringify(state);
    if (json === told) return;
    told = json;
    show(state);
  };
  onEnablingChanged(tell);
  uiStore.subscribe(tell);
  tell();
}
