import type { Theme, ThemeName } from './draw/theme.ts';

/**
 * Colours that mean an identity: a task, a group of a plot, a series. The same identity has the same colour in every
 * panel, session and export. Each palette was chosen greedily, in order: the next colour is the one farthest (in OKLab)
 * from those before it as people with normal sight, protanopia, deuteranopia or tritanopia see them, with at least 3:1
 * contrast on the theme's panel. So any prefix is well separated; test/unit/draw/colors.test.ts measures it.
 */
const palettes: Record<ThemeName, readonly string[]> = {
  light: [
    '#0a62c4',
    '#e66700',
    '#7e032c',
    '#b17ac2',
    '#541791',
    '#2d9c70',
    '#964d0c',
    '#7f4b8f',
    '#19485b',
    '#2794fb',
    '#4e6c4d',
    '#677398',
    '#8e0f6d',
    '#ac5371',
    '#704542',
    '#d17276',
  ],
  dark: [
    '#5aa9ff',
    '#fbd509',
    '#d54c25',
    '#24f7e6',
    '#ab56c4',
    '#3b927c',
    '#fa9b81',
    '#b8a704',
    '#8fc4b4',
    '#9b89b0',
    '#a5ef8b',
    '#d3befd',
    '#e5598e',
    '#847ffc',
    '#d282d9',
    '#b88754',
  ],
};

/** Number of different colours that `seriesColor` and `identityColor` know. */
export const PALETTE_SIZE = palettes.light.length;

/** Colour of the n-th series of a plot; repeats after PALETTE_SIZE, where a dash has to tell lines apart. */
export const seriesColor = (index: number, theme: Theme): string => palettes[theme.name][index % PALETTE_SIZE];

/** Colour of an identity (a task's comm, a cgroup's path, a group key) on its own. Different ones may share a colour. */
export const identityColor = (key: string, theme: Theme): string => seriesColor(identityHash(key), theme);

/**
 * Colours of identities that are shown together: each takes the one of `identityColor` unless it is that of an earlier
 * key or much like it; then the first of the palette that is not. Up to PALETTE_SIZE keys differ. Keys in an order that
 * does not depend on the window give stable colours.
 */
export function identityColors(keys: Iterable<string>, theme: Theme): Map<string, string> {
  const palette = palettes[theme.name];
  const colors = new Map<string, string>();
  let taken: string[] = [];
  for (const key of keys) {
    if (colors.has(key)) continue;
    if (taken.length === PALETTE_SIZE) taken = [];
    const candidates = [identityColor(key, theme), ...palette];
    const apart = (color: string, distance: number): boolean =>
      taken.every((other) => colorDistance(color, other) > distance);
    const color = separations
      .map((distance) => candidates.find((candidate) => apart(candidate, distance)))
      .find((found) => found !== undefined) as string;
    taken.push(color);
    colors.set(key, color);
  }
  return colors;
}

/** How far apart (in OKLab) colours should be, then may be, where there are too many for more. */
const separations = [0.18, 0.12, 0];

/** Distance of two `#rrggbb` colours as the eye sees it (OKLab); black to white is 1. */
export function colorDistance(a: string, b: string): number {
  const [x, y] = [oklab(a), oklab(b)];
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
}

/** Colours are compared again and again: those of the palettes and few others. */
const known = new Map<string, [number, number, number]>();

function oklab(color: string): [number, number, number] {
  let lab = known.get(color);
  if (!lab) {
    lab = toOklab(color);
    known.set(color, lab);
  }
  return lab;
}

/** OKLab of an sRGB colour: https://bottosson.github.io/posts/oklab/ */
function toOklab(color: string): [number, number, number] {
  const [red, green, blue] = linearRgb(color);
  const l = Math.cbrt(0.4122214708 * red + 0.5363325363 * green + 0.0514459929 * blue);
  const m = Math.cbrt(0.2119034982 * red + 0.6806995451 * green + 0.1073969566 * blue);
  const s = Math.cbrt(0.0883024619 * red + 0.2817188376 * green + 0.6299787005 * blue);
  return [
    0.2104542553 * l + 0.793617785 * m - 0.0040720468 * s,
    1.9779984951 * l - 2.428592205 * m + 0.4505937099 * s,
    0.0259040371 * l + 0.7827717662 * m - 0.808675766 * s,
  ];
}

function linearRgb(color: string): [number, number, number] {
  const channel = (at: number): number => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  };
  return [channel(1), channel(3), channel(5)];
}

/**
 * FNV-1a over UTF-16 units with a final mix, so that `kworker/0:1` and `kworker/1:1` end far apart. A number at the end is
 * added as it is: threads of one program and CPUs, which are numbered one after the other, have different colours.
 */
function identityHash(key: string): number {
  const stem = key.replace(/\d{1,9}$/, '');
  let hash = 0x811c9dc5;
  for (let index = 0; index < stem.length; index++) hash = Math.imul(hash ^ stem.charCodeAt(index), 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) + Number(key.slice(stem.length));
}

/** WCAG relative luminance of `#rrggbb`, 0 (black) to 1 (white). */
export function relativeLuminance(color: string): number {
  const [red, green, blue] = linearRgb(color);
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** WCAG contrast ratio of two `#rrggbb` colours, 1 to 21. */
export function contrastRatio(a: string, b: string): number {
  const [darker, lighter] = [relativeLuminance(a), relativeLuminance(b)].sort((x, y) => x - y);
  return (lighter + 0.05) / (darker + 0.05);
}

/** Black or white, whichever reads better on `fill` (`#rrggbb`). At least 4.58:1 on any colour. */
export const textOn = (fill: string): string =>
  contrastRatio(fill, '#000000') >= contrastRatio(fill, '#ffffff') ? '#000000' : '#ffffff';
