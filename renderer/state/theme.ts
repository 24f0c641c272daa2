import { createStore } from 'zustand/vanilla';
import { type Theme, themeCss, themes } from '../../shared/draw/theme.ts';
import { type UiState, uiStore } from './stores.ts';

/** The theme in force: the system's unless the user chose one. The canvas draws with it, CSS has it as variables. */
const systemDark = window.matchMedia('(prefers-color-scheme: dark)');
const resolve = (): Theme => {
  const { theme } = uiStore.getState();
  return themes[theme === 'system' ? (systemDark.matches ? 'dark' : 'light') : theme];
};

export const themeStore = createStore<{ theme: Theme }>(() => ({ theme: resolve() }));

/** Writes the colours of both themes as CSS variables and keeps `<html data-theme>` and `themeStore` up to date. */
export function applyTheme(): void {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(
    Object.values(themes)
      .map((theme) => `:root[data-theme='${theme.name}'] { ${themeCss(theme)} }`)
      .join('\n'),
  );
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const update = () => {
    const theme = resolve();
    document.documentElement.dataset.theme = theme.name;
    if (themeStore.getState().theme !== theme) themeStore.setState({ theme });
  };
  update();
  systemDark.addEventListener('change', update);
  uiStore.subscribe((state, before) => state.theme !== before.theme && update());
}

export function cycleTheme(): void {
  const next: Record<UiState['theme'], UiState['theme']> = { system: 'light', light: 'dark', dark: 'system' };
  uiStore.setState({ theme: next[uiStore.getState().theme] });
}
