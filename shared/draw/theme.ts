/**
 * The colours of Remora, once for the window (as CSS variables) and once for what is drawn (lanes, plots, charts).
 * Text colours have at least 4.5:1 contrast on `background`, `panel` and `raised`; lines and fills that carry
 * meaning at least 3:1 on `panel` (WCAG 2.2, 1.4.3 and 1.4.11). test/unit/draw/theme.test.ts holds both.
 */
export interface Theme {
  name: ThemeName;
  /** Behind everything, around the panels. */
  background: string;
  /** Behind lanes, plots and lists. */
  panel: string;
  /** Menus, dialogs, toolbars, legends: what lies above a panel. */
  raised: string;
  /** Edges of panels and controls. */
  border: string;
  /** Lines of a plot's grid and between lanes: decoration only. */
  grid: string;
  text: string;
  /** Secondary text: axis labels, units, hints. */
  muted: string;
  /** What can be acted on, and the focus ring. */
  accent: string;
  /** Text on `accent`. */
  accentText: string;
  danger: string;
  warning: string;
  ok: string;
  /** Row or event selected; drawn under text. */
  selection: string;
  /** Row under the pointer. */
  hover: string;
  /** Events where no task can be shown. */
  density: string;
  /** Events lost to a full ring buffer or to damage. */
  lost: string;
  /** Hollow boxes on task lanes: from wake-up to running, and from preemption to running again. */
  wakeup: string;
  preempted: string;
  markerA: string;
  markerB: string;
  /** Time under the pointer. */
  cursor: string;
  /** Annotation colours `note-1` … `note-6`. */
  notes: readonly [string, string, string, string, string, string];
  /** Throttle episodes from mild to severe. */
  severity: readonly [string, string, string, string];
}

export type ThemeName = 'light' | 'dark';

const light: Theme = {
  name: 'light',
  background: '#f3f5f8',
  panel: '#ffffff',
  raised: '#fafbfc',
  border: '#c9d0d9',
  grid: '#e3e7ec',
  text: '#1a212b',
  muted: '#566173',
  accent: '#0a62c4',
  accentText: '#ffffff',
  danger: '#bb261d',
  warning: '#8a5600',
  ok: '#146c3b',
  selection: '#cfe3fb',
  hover: '#eaf1f9',
  density: '#64748b',
  lost: '#c4291f',
  wakeup: '#15803d',
  preempted: '#c4291f',
  markerA: '#0b7285',
  markerB: '#a3348b',
  cursor: '#4a5568',
  notes: ['#1d6fd0', '#b35900', '#15803d', '#a3348b', '#0b7285', '#bb261d'],
  severity: ['#b07d00', '#c85a00', '#c22f1d', '#8f1030'],
};

const dark: Theme = {
  name: 'dark',
  background: '#10141a',
  panel: '#171c24',
  raised: '#1f2631',
  border: '#3a4453',
  grid: '#272f3a',
  text: '#e6eaf0',
  muted: '#9ba7b7',
  accent: '#5fb0ff',
  accentText: '#0b121b',
  danger: '#ff7a70',
  warning: '#f2b544',
  ok: '#56c98d',
  selection: '#22426a',
  hover: '#222b38',
  density: '#8593a8',
  lost: '#ff6a5e',
  wakeup: '#4fce83',
  preempted: '#ff6a5e',
  markerA: '#3cc4dc',
  markerB: '#e58ad2',
  cursor: '#b5bfcc',
  notes: ['#6ab2ff', '#f0a04b', '#56c98d', '#e58ad2', '#3cc4dc', '#ff7a70'],
  severity: ['#d9b13b', '#f08c3a', '#ff6a5e', '#ff5c93'],
};

export const themes: Readonly<Record<ThemeName, Theme>> = { light, dark };

/** Keys that `Annotation.color` may have. */
export const noteColorKeys = ['note-1', 'note-2', 'note-3', 'note-4', 'note-5', 'note-6'] as const;

/** Colour of an annotation; an unknown key takes the first one, so that old workspaces always draw. */
export function noteColor(key: string, theme: Theme): string {
  const index = (noteColorKeys as readonly string[]).indexOf(key);
  return theme.notes[index < 0 ? 0 : index];
}

/**
 * The theme as CSS declarations, to be put into a rule: `--panel: #ffffff; …`. Names are kebab-case
 * (`accentText` is `--accent-text`); `notes` become `--note-1` … and `severity` `--severity-1` ….
 */
export function themeCss(theme: Theme): string {
  const declarations = [`color-scheme: ${theme.name}`];
  for (const [key, value] of Object.entries(theme)) {
    if (key === 'name') continue;
    if (typeof value === 'string') declarations.push(`--${kebab(key)}: ${value}`);
    else {
      const stem = key === 'notes' ? 'note' : key;
      for (const [index, color] of (value as readonly string[]).entries())
        declarations.push(`--${stem}-${index + 1}: ${color}`);
    }
  }
  return `${declarations.join(';\n')};\n`;
}

const kebab = (name: string): string => name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
