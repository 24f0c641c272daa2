import { app, BrowserWindow, nativeTheme } from 'electron';
import type { PageState } from '../../shared/desktop.ts';
import { greyCommands } from './menu.ts';

/** What is native around the pages follows the one that the user looks at: the menu's entries, and light or dark. */
const states = new WeakMap<BrowserWindow, PageState>();

export function takePageState(window: BrowserWindow, state: unknown): void {
  states.set(window, checked(state));
  if (window === BrowserWindow.getFocusedWindow() || BrowserWindow.getAllWindows().length === 1) follow(window);
}

app.on('browser-window-focus', (_event, window) => follow(window));

function follow(window: BrowserWindow): void {
  const state = states.get(window);
  if (state === undefined) return;
  nativeTheme.themeSource = state.theme;
  greyCommands(state.disabledCommands);
}

function checked(state: unknown): PageState {
  const { theme, disabledCommands } = (state ?? {}) as Partial<PageState>;
  if (theme !== 'system' && theme !== 'light' && theme !== 'dark') throw new TypeError('page-state wants a theme');
  if (!Array.isArray(disabledCommands) || !disabledCommands.every((id) => typeof id === 'string'))
    throw new TypeError('page-state wants ids of commands');
  return { theme, disabledCommands };
}
