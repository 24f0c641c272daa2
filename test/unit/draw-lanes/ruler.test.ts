import { describe, expect, it } from 'vitest';
import { drawMarkers, drawRuler, type TimeScale, timeToX, xToTime } from '../../../shared/draw/ruler.ts';
import { themes } from '../../../shared/draw/theme.ts';
import { RecordingSurface } from './recording-surface.ts';

const theme = themes.light;
const area = { x: 0, y: 0, width: 1000, height: 30 };
const scaleOf = (fromNs: number, toNs: number, x = 0): TimeScale => ({ fromNs, toNs, x, widthPx: 1000 - x });

it('timeToX and xToTime are inverse', () => {
  const scale = scaleOf(5e9, 7e9, 180);
  expect(timeToX(scale, 5e9)).toBe(180);
  expect(timeToX(scale, 7e9)).toBe(1000);
  expect(xToTime(scale, timeToX(scale, 6.25e9))).toBeCloseTo(6.25e9);
});

describe('drawRuler', () => {
  const spans: [number, number][] = [
    [0, 13.5e9],
    [1e9, 1.1e9],
    [12_345_678_000, 12_345_678_900],
    [86_400e9, 86_400e9 + 20],
  ];
  it.each(spans)('labels %d to %d ns without overlaps, all different', (from, to) => {
    const surface = new RecordingSurface();
    drawRuler(surface, area, scaleOf(from, to, 180), theme);
    const labels = surface.of('text').filter((text) => text.x > 180);
    expect(labels.length).toBeGreaterThanOrEqual(3);
    expect(new Set(labels.map((label) => label.text)).size).toBe(labels.length);
    for (let i = 1; i < labels.length; i++)
      expect(labels[i].x).toBeGreaterThan(labels[i - 1].x + labels[i - 1].text.length * RecordingSurface.LETTER_PX);
  });

  it('writes the base once, in the gutter, where labels count from it', () => {
    const surface = new RecordingSurface();
    drawRuler(surface, area, scaleOf(12_345_678_000, 12_345_678_900, 180), theme);
    const inGutter = surface.of('text').filter((text) => text.x <= 180);
    expect(inGutter.map((text) => text.text)).toEqual(['12.345678 s']);
    expect(surface.texts.filter((text) => text.startsWith('+')).length).toBeGreaterThanOrEqual(3);
  });

  it('says what its clock counts, if that is not time', () => {
    const inGutter = (scale: TimeScale): string[] => {
      const surface = new RecordingSurface();
      drawRuler(surface, area, scale, theme);
      return surface
        .of('text')
        .filter((text) => text.x <= 180)
        .map((text) => text.text);
    };
    expect(inGutter({ ...scaleOf(0, 13e9, 180), unit: 'cycles' })).toEqual(['cycles']);
    expect(inGutter({ ...scaleOf(12_345_678_000, 12_345_678_900, 180), unit: 'counts' })).toEqual([
      '12.345678 G counts',
    ]);
    expect(inGutter({ ...scaleOf(0, 13e9, 180), unit: 'ns' })).toEqual([]);
  });

  it('draws nothing for an empty scale', () => {
    const surface = new RecordingSurface();
    drawRuler(surface, area, { fromNs: 5, toNs: 5, x: 0, widthPx: 0 }, theme);
    expect(surface.drawn).toEqual([]);
  });
});

it('markers that meet keep their flags apart', () => {
  const surface = new RecordingSurface();
  drawMarkers(surface, area, scaleOf(0, 1000), { a: 500, b: 500 }, theme);
  const [a, b] = surface.of('rect');
  expect(a.x + a.width).toBeLessThanOrEqual(b.x);
  expect(surface.texts).toEqual(['A', 'B']);
});
