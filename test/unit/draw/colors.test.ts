import { describe, expect, test } from 'vitest';
import {
  colorDistance,
  contrastRatio,
  identityColor,
  identityColors,
  PALETTE_SIZE,
  seriesColor,
  textOn,
} from '../../../shared/colors.ts';
import { themes } from '../../../shared/draw/theme.ts';

type Triple = [number, number, number];

/** Linear RGB of `#rrggbb`. */
const linear = (color: string): Triple =>
  [1, 3, 5].map((at) => {
    const value = Number.parseInt(color.slice(at, at + 2), 16) / 255;
    return value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4;
  }) as Triple;

const apply = (matrix: Triple[], [a, b, c]: Triple): Triple =>
  matrix.map((row) => Math.min(1, Math.max(0, row[0] * a + row[1] * b + row[2] * c))) as Triple;

/** How linear RGB is seen with full dichromacy: Machado, Oliveira, Fernandes 2009, severity 1.0. */
const sights: Record<string, Triple[]> = {
  normal: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  tritanopia: [
    [1.255528, -0.076749, -0.178779],
    [-0.078411, 0.930809, 0.147602],
    [0.004733, 0.691367, 0.3039],
  ],
};

/** OKLab of linear RGB: distances in it are roughly what the eye sees; black to white is 1. */
function oklab(rgb: Triple): Triple {
  const cone = [
    [0.4122214708, 0.5363325363, 0.0514459929],
    [0.2119034982, 0.6806995451, 0.1073969566],
    [0.0883024619, 0.2817188376, 0.6299787005],
  ].map((row) => Math.cbrt(row[0] * rgb[0] + row[1] * rgb[1] + row[2] * rgb[2]));
  return [
    0.2104542553 * cone[0] + 0.793617785 * cone[1] - 0.0040720468 * cone[2],
    1.9779984951 * cone[0] - 2.428592205 * cone[1] + 0.4505937099 * cone[2],
    0.0259040371 * cone[0] + 0.7827717662 * cone[1] - 0.808675766 * cone[2],
  ];
}

const distance = (a: string, b: string, sight: Triple[]): number => {
  const [x, y] = [a, b].map((color) => oklab(apply(sight, linear(color))));
  return Math.hypot(x[0] - y[0], x[1] - y[1], x[2] - y[2]);
};

describe.each(Object.values(themes))('palette of theme $name', (theme) => {
  const palette = Array.from({ length: PALETTE_SIZE }, (_, index) => seriesColor(index, theme));

  test.each(Object.entries(sights))('is told apart with %s sight', (_, sight) => {
    for (const [index, color] of palette.entries()) {
      for (const other of palette.slice(0, index)) {
        expect(distance(color, other, sight), `${color} and ${other}`).toBeGreaterThan(index < 6 ? 0.085 : 0.05);
      }
    }
  });

  test('stands out from the panel, and text on it reads', () => {
    for (const color of palette) {
      expect(contrastRatio(color, theme.panel), color).toBeGreaterThanOrEqual(3);
      expect(contrastRatio(textOn(color), color), color).toBeGreaterThanOrEqual(4.5);
    }
  });

  test('identities keep their colour, and differ where shown together', () => {
    expect(identityColor('dd', theme)).toBe(identityColor('dd', theme));
    const keys = Array.from({ length: PALETTE_SIZE }, (_, index) => `kworker/${index}:1`);
    const colors = identityColors(keys, theme);
    expect(new Set(colors.values()).size).toBe(PALETTE_SIZE);
    expect(colors.get(keys[0])).toBe(identityColor(keys[0], theme));
    expect(identityColors([...keys, ...keys, 'one more'], theme).size).toBe(PALETTE_SIZE + 1);
  });

  test('few identities differ clearly, whatever their names', () => {
    for (let trial = 0; trial < 200; trial++) {
      const colors = [
        ...identityColors(
          ['a', 'b', 'c', 'd'].map((name) => `${name}${trial}`),
          theme,
        ).values(),
      ];
      for (const [index, color] of colors.entries()) {
        for (const other of colors.slice(0, index)) expect(colorDistance(color, other)).toBeGreaterThan(0.12);
      }
    }
  });
});

test('keys numbered one after the other have different colours', () => {
  const threads = Array.from({ length: PALETTE_SIZE }, (_, index) =>
    identityColor(`task:fio:${199 + index}`, themes.light),
  );
  expect(new Set(threads).size).toBe(PALETTE_SIZE);
});

test('keys that differ little do not share a colour more than chance has it', () => {
  const counts = new Map<string, number>();
  for (let cpu = 0; cpu < 240; cpu++) {
    const color = identityColor(`kworker/${cpu}:1`, themes.light);
    counts.set(color, (counts.get(color) ?? 0) + 1);
  }
  expect(counts.size).toBe(PALETTE_SIZE);
  expect(Math.max(...counts.values())).toBeLessThan(35);
});
