import { describe, expect, it } from 'vitest';
import { choose, noSelection, type Selection } from '../../../renderer/panels/file-selection.ts';

/** Entries 0 and 1 are folders. */
const file = (index: number): boolean => index > 1;
const chosen = ({ chosen }: Selection): number[] => [...chosen].sort((a, b) => a - b);

describe('choosing files', () => {
  it('one by one', () => {
    const first = choose(noSelection(), 3, 'one', file);
    expect(chosen(first)).toEqual([3]);
    expect(chosen(choose(first, 5, 'one', file))).toEqual([5]);
    expect(chosen(choose(first, 0, 'one', file))).toEqual([0]);
  });

  it('adds and takes away, files only', () => {
    const two = choose(choose(noSelection(), 3, 'one', file), 6, 'toggle', file);
    expect(chosen(two)).toEqual([3, 6]);
    expect(chosen(choose(two, 3, 'toggle', file))).toEqual([6]);
    expect(chosen(choose(two, 1, 'toggle', file))).toEqual([3, 6]);
    expect(chosen(choose(choose(noSelection(), 0, 'one', file), 4, 'toggle', file))).toEqual([4]);
  });

  it('a stretch from where it began, in both directions', () => {
    const start = choose(noSelection(), 4, 'one', file);
    const down = choose(start, 6, 'stretch', file);
    expect(chosen(down)).toEqual([4, 5, 6]);
    expect(chosen(choose(down, 0, 'stretch', file))).toEqual([2, 3, 4]);
    expect(choose(down, 0, 'stretch', file)).toMatchObject({ active: 0, anchor: 4 });
  });

  it('moving along changes nothing', () => {
    const start = choose(noSelection(), 4, 'one', file);
    expect(chosen(choose(start, 7, 'move', file))).toEqual([4]);
    expect(choose(start, 7, 'move', file).active).toBe(7);
  });
});
