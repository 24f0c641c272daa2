import { describe, expect, it } from 'vitest';
import { dragKind, pannedBy, rangeBetween, wheelAction } from '../../../renderer/timeline/gesture.ts';
import { movement } from '../../../renderer/timeline/held-keys.ts';

const plain = { button: 0, shift: false, space: false };

describe('dragKind', () => {
  it('is as settled: drag zooms, Shift selects, Space and the middle button pan', () => {
    expect(dragKind(plain)).toBe('zoom');
    expect(dragKind({ ...plain, shift: true })).toBe('select');
    expect(dragKind({ ...plain, space: true })).toBe('pan');
    expect(dragKind({ ...plain, button: 1 })).toBe('pan');
    expect(dragKind({ ...plain, button: 2 })).toBeNull();
  });
});

describe('rangeBetween', () => {
  const scale = { fromNs: 1000, toNs: 2000, x: 0, widthPx: 100 };
  it('orders its ends and stays on the scale', () => {
    expect(rangeBetween(scale, 20, 50)).toEqual({ fromNs: 1200, toNs: 1500 });
    expect(rangeBetween(scale, 50, 20)).toEqual({ fromNs: 1200, toNs: 1500 });
    expect(rangeBetween(scale, 50, 900)).toEqual({ fromNs: 1500, toNs: 2000 });
    expect(rangeBetween(scale, -30, 10)).toEqual({ fromNs: 1000, toNs: 1100 });
  });
});

it('pannedBy moves the data with the pointer', () => {
  expect(pannedBy({ fromNs: 1000, toNs: 2000 }, 25, 100)).toEqual({ fromNs: 750, toNs: 1750 });
});

describe('wheelAction', () => {
  const turn = { deltaX: 0, deltaY: 100, deltaMode: 0, chord: false, shift: false };
  it('scrolls, and zooms with Ctrl; the setting swaps them', () => {
    expect(wheelAction(turn, false)).toEqual({ kind: 'scroll', px: 100 });
    expect(wheelAction({ ...turn, chord: true }, false)).toMatchObject({ kind: 'zoom' });
    expect(wheelAction(turn, true)).toMatchObject({ kind: 'zoom' });
    expect(wheelAction({ ...turn, chord: true }, true)).toEqual({ kind: 'scroll', px: 100 });
  });
  it('zooms in when turned away, by at most 2 a turn, alike in lines and pixels', () => {
    const factor = (deltaY: number, deltaMode = 0) => {
      const action = wheelAction({ ...turn, deltaY, deltaMode }, true);
      return action.kind === 'zoom' ? action.factor : Number.NaN;
    };
    expect(factor(-100)).toBeLessThan(1);
    expect(factor(100) * factor(-100)).toBeCloseTo(1, 9);
    expect(factor(1e6)).toBe(2);
    expect(factor(3, 1)).toBeCloseTo(factor(99), 9);
  });
  it('pans sideways and with Shift', () => {
    expect(wheelAction({ ...turn, deltaX: 40, deltaY: 5 }, false)).toEqual({ kind: 'pan', px: 40 });
    expect(wheelAction({ ...turn, shift: true }, true)).toEqual({ kind: 'pan', px: 100 });
  });
});

describe('movement of held keys', () => {
  it('grows with the time held and adds up', () => {
    expect(movement(['KeyD'], 500).panShare).toBeCloseTo(0.5);
    expect(movement(['KeyA', 'KeyD'], 500).panShare).toBeCloseTo(0);
    expect(movement(['KeyW'], 100).zoomFactor ** 2).toBeCloseTo(movement(['KeyW'], 200).zoomFactor, 9);
    expect(movement(['KeyW'], 100).zoomFactor).toBeLessThan(1);
    expect(movement(['KeyS'], 100).zoomFactor).toBeGreaterThan(1);
  });
});
