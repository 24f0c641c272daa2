import { describe, expect, test } from 'vitest';
import { contrastRatio } from '../../../shared/colors.ts';
import { noteColor, noteColorKeys, themeCss, themes } from '../../../shared/draw/theme.ts';

describe.each(Object.values(themes))('theme $name', (theme) => {
  test('text reads on every surface', () => {
    for (const surface of [theme.background, theme.panel, theme.raised]) {
      for (const color of [theme.text, theme.muted, theme.accent, theme.danger, theme.warning, theme.ok]) {
        expect(contrastRatio(color, surface), `${color} on ${surface}`).toBeGreaterThanOrEqual(4.5);
      }
    }
    for (const surface of [theme.selection, theme.hover])
      expect(contrastRatio(theme.text, surface)).toBeGreaterThanOrEqual(4.5);
    expect(contrastRatio(theme.accentText, theme.accent)).toBeGreaterThanOrEqual(4.5);
  });

  test('what is drawn stands out from the panel', () => {
    const drawn = [
      theme.density,
      theme.lost,
      theme.wakeup,
      theme.preempted,
      theme.markerA,
      theme.markerB,
      theme.cursor,
      ...theme.notes,
      ...theme.severity,
    ];
    for (const color of drawn) expect(contrastRatio(color, theme.panel), color).toBeGreaterThanOrEqual(3);
  });

  test('CSS has every colour once, as it is drawn', () => {
    const css = themeCss(theme);
    expect(css).toContain(`color-scheme: ${theme.name};`);
    expect(css).toContain(`--accent-text: ${theme.accentText};`);
    expect(css).toContain(`--note-6: ${theme.notes[5]};`);
    expect(css).toContain(`--severity-1: ${theme.severity[0]};`);
    const names = [...css.matchAll(/--[\w-]+/g)].map((match) => match[0]);
    expect(new Set(names).size).toBe(names.length);
  });

  test('notes have their colour, unknown keys the first', () => {
    expect(noteColorKeys.map((key) => noteColor(key, theme))).toEqual([...theme.notes]);
    expect(noteColor('pink', theme)).toBe(theme.notes[0]);
  });
});
