import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Clip, PixelLayer } from '../../../renderer/timeline/pixel-layer.ts';

const WIDTH = 12;
const HEIGHT = 8;
const whole: Clip = { left: 0, top: 0, right: WIDTH, bottom: HEIGHT };

interface Rect {
  x: number;
  y: number;
  width: number;
  height: number;
  rgb: number;
  opacity: number;
}

/** Pixels of the whole layer, `[red, green, blue, opacity]` each. */
function pixelsOf(draw: (layer: PixelLayer) => void): number[][] {
  const layer = new PixelLayer();
  layer.begin(WIDTH, HEIGHT);
  draw(layer);
  const pixels = Array.from({ length: WIDTH * HEIGHT }, () => [0, 0, 0, 0]);
  layer.take((rgba, width, rows, top) => {
    expect(width).toBe(WIDTH);
    for (let i = 0; i < width * rows; i++) pixels[top * width + i] = [...rgba.subarray(4 * i, 4 * i + 4)];
  });
  return pixels;
}

const RED = 0x0000ff;
const BLUE = 0xff0000;
const at = (pixels: number[][], x: number, y: number): number[] => pixels[y * WIDTH + x] ?? [];

describe('PixelLayer', () => {
  it('fills whole pixels, and edges by how much of them is covered', () => {
    const pixels = pixelsOf((layer) => layer.rect(1.5, 2.25, 3, 2, RED, 1, whole));
    expect(at(pixels, 2, 3)).toEqual([255, 0, 0, 255]);
    expect(at(pixels, 1, 3)).toEqual([255, 0, 0, 128]);
    expect(at(pixels, 4, 3)).toEqual([255, 0, 0, 128]);
    expect(at(pixels, 2, 2)).toEqual([255, 0, 0, 191]);
    expect(at(pixels, 2, 4)).toEqual([255, 0, 0, 64]);
    expect(at(pixels, 1, 2)).toEqual([255, 0, 0, 96]);
    expect(at(pixels, 0, 3)).toEqual([0, 0, 0, 0]);
    expect(at(pixels, 5, 3)).toEqual([0, 0, 0, 0]);
  });

  it('mixes what lies over something', () => {
    const pixels = pixelsOf((layer) => {
      layer.rect(0, 0, 4, 1, RED, 1, whole);
      layer.rect(2, 0, 4, 1, BLUE, 0.5, whole);
      layer.rect(5, 0, 2, 1, RED, 0.5, whole);
    });
    expect(at(pixels, 1, 0)).toEqual([255, 0, 0, 255]);
    expect(at(pixels, 3, 0)).toEqual([127, 0, 128, 255]);
    expect(at(pixels, 4, 0)).toEqual([0, 0, 255, 128]);
    // Half of red over half of blue: three quarters, two thirds of it red.
    expect(at(pixels, 5, 0)).toEqual([170, 0, 85, 192]);
  });

  it('is empty once taken, and takes another size', () => {
    const layer = new PixelLayer();
    layer.begin(WIDTH, HEIGHT);
    layer.rect(0, 3, 5, 2, RED, 1, whole);
    let taken = 0;
    layer.take((_, width, rows, top) => {
      taken++;
      expect([width, rows, top]).toEqual([WIDTH, 2, 3]);
    });
    layer.take(() => taken++);
    expect(taken).toBe(1);
    layer.begin(30, 20);
    layer.rect(0, 0, 30, 20, BLUE, 0.2, { left: 29, top: 0, right: 30, bottom: 20 });
    layer.take((rgba) => expect(rgba.filter((value) => value !== 0)).toHaveLength(2 * 20));
  });

  it('draws nothing for what is nothing or no number', () => {
    const pixels = pixelsOf((layer) => {
      layer.rect(3, 3, 0, 2, RED, 1, whole);
      layer.rect(3, 3, 2, -1, RED, 1, whole);
      layer.rect(Number.NaN, 3, 2, 2, RED, 1, whole);
      layer.rect(3, Number.NaN, 2, 2, RED, 1, whole);
      layer.rect(40, 3, 2, 2, RED, 1, whole);
    });
    expect(pixels.flat().every((value) => value === 0)).toBe(true);
  });

  /** The same, pixel by pixel in plain numbers from 0 to 1. */
  function expected(rects: readonly Rect[], clip: Clip): number[][] {
    const covered = (from: number, to: number, pixel: number): number =>
      Math.max(0, Math.min(to, pixel + 1) - Math.max(from, pixel));
    return Array.from({ length: WIDTH * HEIGHT }, (_, i) => {
      const [px, py] = [i % WIDTH, Math.floor(i / WIDTH)];
      let [red, green, blue, opacity] = [0, 0, 0, 0];
      for (const { x, y, width, height, rgb, opacity: own } of rects) {
        const across = covered(Math.max(x, clip.left), Math.min(x + width, clip.right), px);
        const down = covered(Math.max(y, clip.top), Math.min(y + height, clip.bottom), py);
        const alpha = across * down * own;
        const all = alpha + opacity * (1 - alpha);
        if (all === 0) continue;
        const mix = (upper: number, lower: number): number => (upper * alpha + lower * opacity * (1 - alpha)) / all;
        red = mix(rgb & 0xff, red);
        green = mix((rgb >>> 8) & 0xff, green);
        blue = mix((rgb >>> 16) & 0xff, blue);
        opacity = all;
      }
      return [red, green, blue, opacity * 255];
    });
  }

  it('mixes any rectangles as exact numbers would, give or take what rounding makes of it', () => {
    const place = fc.double({ min: -3, max: 15, noNaN: true });
    const length = fc.oneof(fc.double({ min: 0, max: 2, noNaN: true }), fc.double({ min: 0, max: 20, noNaN: true }));
    const opacity = fc.oneof(fc.constant(1), fc.constant(0.7), fc.double({ min: 0, max: 1, noNaN: true }));
    const rgb = fc.integer({ min: 0, max: 0xffffff });
    const rect = fc.record({ x: place, y: place, width: length, height: length, rgb, opacity });
    const edge = fc.double({ min: 0, max: 4, noNaN: true });
    const clips = fc.record({ left: edge, top: edge, right: fc.constant(WIDTH - 1.5), bottom: fc.constant(HEIGHT) });
    fc.assert(
      fc.property(fc.array(rect, { maxLength: 5 }), fc.oneof(fc.constant(whole), clips), (rects, clip) => {
        const found = pixelsOf((layer) => {
          for (const { x, y, width, height, rgb, opacity } of rects)
            layer.rect(x, y, width, height, rgb, opacity, clip);
        });
        expected(rects, clip).forEach((pixel, i) => {
          const [red, green, blue, alpha] = found[i] as [number, number, number, number];
          expect(Math.abs(alpha - (pixel[3] as number))).toBeLessThan(4);
          // A colour shows as much as it is opaque.
          for (const [k, value] of [red, green, blue].entries())
            expect((Math.abs(value - (pixel[k] as number)) * alpha) / 255).toBeLessThan(8);
        });
      }),
      { numRuns: 500 },
    );
  });
});
