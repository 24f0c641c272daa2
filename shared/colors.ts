import type { Theme, ThemeName } from './draw/theme.ts';

/**
 * Colours that mean an identity: a task, a group of a plot, a series. The same identity has the same colour in every
 * panel, session and export. Each palette was chosen greedily, in order: the next colour is the one farthest (in OKLab)
 * from those before it as people with normal sight, protanopia, deuteranopia or tritanopia see them, with at least 3:1
 * contrast on the theme's panel. So any prefix is well separated; test/unit/draw/colors.test.ts measures it.
 */
const palettes: Record<ThemeName, readonly string[]> = {
  light: [
    '#0a62c4', '#d46b01', '#681116', '#411780', '#9c486e', '#309bb3',
    '#5e5b00', '#8979e6', '#9d896a', '#653161', '#4f4d98', '#12403c',
  ],
  dark: [
    '#5aa9ff', '#f4e151', '#c95b0a', '#48fbf6', '#fb9892', '#996ca7',
    '#a4af0a', '#489267', '#9ebbd6', '#adf3ab', '#fbbd6e', '#c47890',
  ],
};

/** Number of different colours that `seriesColor` and `identityColor` know. */
export const PALETTE_SIZE = palettes.light.length;

/** Colour of the n-th series of a plot; repeats after PALETTE_SIZE, where a dash has to tell lines apart. */
export const seriesColor = (index: number, theme: Theme): string => palettes[theme.name][index % PALETTE_SIZE];

/** Colour of an identity (a task's comm, a cgroup's path, a group key) on its own. Different ones may share a colour. */
export const identityColor = (key: string, theme: Theme): string => seriesColor(identityHash(key), theme);

/**
 * Colours of identities that are shown together: each takes the one of `identityColor` unless an earlier key has it,
 * so up to PALETTE_SIZE keys differ. Keys in an order that does not depend on the window give stable colours.
 */
export function identityColors(keys: Iterable<string>, theme: Theme): Map<string, string> {
  const colors = new Map<string, string>();
  const taken = new Set<number>();
  for (const key of keys) {
    if (colors.has(key)) continue;
    if (taken.size === PALETTE_SIZE) taken.clear();
    let index = identityHash(key) % PALETTE_SIZE;
    while (taken.has(index)) index = (index + 1) % PALETTE_SIZE;
    taken.add(index);
    colors.set(key, seriesColor(index, theme));
  }
  return colors;
}

/** FNV-1a over UTF-16 units with a final mix, so that `kworker/0:1` and `kworker/1:1` end far apart. */
function identityHash(key: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < key.length; index++) hash = Math.imul(hash ^ key.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** WCAG relative luminance of `#rrggbb`, 0 (black) to 1 (white). */
export function relativeLuminance(color: string): number {
  const channel = (at: number): number => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return 0.2126 * channel(1) + 0.7152 * channel(3) + 0.0722 * channel(5);
}

/** WCAG contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrastRatio(a: string, b: string): number {
  const [darker, lighter] = [relativeLuminance(a), relativeLuminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Black or white, whichever reads better on `fill` (`#rrggbb`). At least 4.58:1 on any colour. */
export const textOn = (fill: string): string => (contrastRatio(fill, '#000000') >= contrastRatio(fill, '#ffffff') ? '#000000' : '#ffffff');
