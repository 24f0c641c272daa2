import { fileURLToPath } from 'node:url';
import { Resvg } from '@resvg/resvg-js';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fitText } from '../../../shared/draw/fit-text.ts';
import { SvgSurface } from '../../../shared/draw/svg-surface.ts';

const about = { title: 'Title', description: 'Description', background: '#ffffff' };
const surface = (): SvgSurface => new SvgSurface(200, 100, about);
/** What was drawn, without the document around it. */
const body = (drawn: SvgSurface): string[] => drawn.toSvg().split('\n').slice(4, -2);

describe('paths', () => {
  test('are relative, rounded, lifted by NaN and free of points that add nothing', () => {
    const drawn = surface();
    drawn.path([10, 10, 10.004, 10, 20, 10, 20, 30.126, Number.NaN, 0, 50, 50, 60.5, 40.25], 7, {
      stroke: { color: '#000000', width: 1 },
    });
    expect(body(drawn)).toEqual([
      '<path fill="none" stroke="#000000" stroke-linejoin="round" d="M10 10h10v20.13M50 50l10.5 -9.75"/>',
    ]);
  });

  test('rounding does not add up', () => {
    const drawn = surface();
    const xy = Array.from({ length: 400 }, (_, index) => (index % 2 === 0 ? (index / 2) * 0.333 : 5));
    drawn.path(xy, 200, { stroke: { color: '#000000', width: 1 } });
    const steps = [...(body(drawn)[0]?.matchAll(/h([\d.]+)/g) ?? [])].map((match) => Number(match[1]));
    expect(steps.reduce((sum, step) => sum + step, 0)).toBeCloseTo(199 * 0.333, 1);
  });

  test('a point alone stays, closed parts are closed', () => {
    const drawn = surface();
    drawn.path([5, 5], 1, { stroke: { color: '#000000', width: 2 } });
    drawn.path([0, 0, 10, 0, 10, 10], 3, { fill: '#ff0000', closed: true });
    expect(body(drawn)).toEqual([
      '<path fill="none" stroke="#000000" stroke-width="2" stroke-linejoin="round" d="M5 5h0"/>',
      '<path fill="#ff0000" d="M0 0h10v10z"/>',
    ]);
  });
});

describe('shapes of one paint', () => {
  test('become one path, in order', () => {
    const drawn = surface();
    drawn.rect(0, 0, 10, 5, { fill: '#111111' });
    drawn.rect(20, 0, 10, 5, { fill: '#111111' });
    drawn.rect(40, 0, 10, 5, { fill: '#222222' });
    drawn.line(0, 50, 200, 50, { color: '#333333', width: 1 });
    drawn.circle(5, 5, 2, { fill: '#444444' });
    drawn.circle(9, 5, 2, { fill: '#444444' });
    expect(body(drawn)).toEqual([
      '<path fill="#111111" d="M0 0h10v5h-10zM20 0h10v5h-10z"/>',
      '<path fill="#222222" d="M40 0h10v5h-10z"/>',
      '<path fill="none" stroke="#333333" stroke-linejoin="round" d="M0 50H200"/>',
      '<path fill="none" stroke="#444444" stroke-width="4" stroke-linecap="round" d="M5 5h0M9 5h0"/>',
    ]);
  });

  test('stay apart where they mix', () => {
    const drawn = surface();
    drawn.rect(0, 0, 10, 5, { fill: '#111111', fillOpacity: 0.5 });
    drawn.rect(5, 0, 10, 5, { fill: '#111111', fillOpacity: 0.5 });
    const stroke = { color: '#222222', width: 1 };
    drawn.rect(0, 0, 10, 5, { fill: '#111111', stroke });
    drawn.rect(5, 0, 10, 5, { fill: '#111111', stroke });
    expect(body(drawn)).toHaveLength(4);
  });

  test('without size are not drawn, and what is not finite never reaches the file', () => {
    const drawn = surface();
    drawn.rect(0, 0, 0, 5, { fill: '#111111' });
    drawn.rect(0, 0, 5, -1, { fill: '#111111' });
    drawn.line(0, Number.NaN, Number.POSITIVE_INFINITY, 2, { color: '#333333', width: 1 });
    expect(drawn.toSvg()).not.toMatch(/NaN|Infinity/);
    expect(body(drawn)).toHaveLength(1);
  });
});

describe('groups and clips', () => {
  test('nest, share clip paths, and vanish when empty', () => {
    const drawn = surface();
    drawn.group('CPU 0 & more', () =>
      drawn.clip(10, 10, 50, 20, () => drawn.rect(0, 0, 100, 100, { fill: '#111111' })),
    );
    drawn.group('nothing', () => drawn.clip(10, 10, 50, 20, () => {}));
    const lines = drawn.toSvg().split('\n');
    expect(lines[3]).toBe('<defs><clipPath id="clip-1"><rect x="10" y="10" width="50" height="20"/></clipPath></defs>');
    expect(lines.slice(5, -2)).toEqual([
      '<g><title>CPU 0 &amp; more</title>',
      '<g clip-path="url(#clip-1)">',
      '<path fill="#111111" d="M0 0h100v100h-100z"/>',
      '</g>',
      '</g>',
    ]);
  });
});

test('any text makes a well-formed document', () => {
  const text = fc.oneof(
    fc.string({ unit: 'binary' }),
    fc.array(fc.integer({ min: 0, max: 0xffff })).map((units) => String.fromCharCode(...units)),
  );
  fc.assert(
    fc.property(text, (value) => {
      const drawn = new SvgSurface(20, 20, { title: value, description: value, background: '#ffffff' });
      drawn.group(value, () => drawn.text(1, 10, value, { color: value, sizePx: 11, mono: true }));
      // The parser refuses what XML does not allow.
      expect(() => new Resvg(drawn.toSvg(), { font: { loadSystemFonts: false } })).not.toThrow();
    }),
    { numRuns: 300 },
  );
  expect(() => new Resvg('<svg xmlns="http://www.w3.org/2000/svg"><text>\u0001</text></svg>')).toThrow();
});

describe('text', () => {
  test('is measured with the widths of DejaVu Sans', () => {
    const style = { color: '#000000', sizePx: 2048 };
    expect(surface().measure('Wi', style)).toBe(2025 + 569);
    expect(surface().measure('Wi', { ...style, weight: 600 })).toBe(2259 + 702);
    expect(surface().measure('Wi', { ...style, mono: true })).toBe(2 * 1233);
    expect(surface().measure('e\u0301', style)).toBe(surface().measure('e', style));
  });

  test('the measure agrees with how the font is drawn', () => {
    const fonts = ['DejaVuSans', 'DejaVuSans-Bold'].map((name) =>
      fileURLToPath(new URL(`../../../node_modules/dejavu-fonts-ttf/ttf/${name}.ttf`, import.meta.url)),
    );
    for (const weight of [400, 600] as const) {
      const drawn = new SvgSurface(600, 40, about);
      const text = 'iHH balance_dirty_pages.dirty 0123456789 (µs) … HHi';
      drawn.text(0, 20, text, { color: '#000000', sizePx: 16, weight });
      const box = new Resvg(drawn.toSvg().replace(/<rect[^>]*>/, ''), {
        font: { loadSystemFonts: false, fontFiles: fonts },
      }).innerBBox();
      expect(Math.abs((box?.width ?? 0) - drawn.measure(text, { color: '', sizePx: 16, weight }))).toBeLessThan(6);
    }
  });

  test('is cut with an ellipsis at the end or in the middle', () => {
    const style = { color: '#000000', sizePx: 11 };
    const path = '/system.slice/very-long-name.service';
    const cut = (width: number, where?: 'end' | 'middle') => fitText(surface(), path, width, style, where);
    expect(cut(1000)).toBe(path);
    expect(cut(80)).toMatch(/^\/system.*…$/);
    expect(cut(80, 'middle')).toMatch(/^\/sys.*….*ice$/);
    expect(cut(4)).toBe('');
    for (let width = 10; width < 220; width += 7)
      expect(surface().measure(cut(width, 'middle'), style)).toBeLessThanOrEqual(width);
  });
});
