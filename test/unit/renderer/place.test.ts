import { describe, expect, it } from 'vitest';
import { parsePlace } from '../../../renderer/panels/place.ts';

const ORIGIN = 2_731_000_000_000n;
const place = (text: string) => parsePlace(text, ORIGIN, 5_000_000);

describe('places that are typed', () => {
  it('are rows counted from one', () => {
    expect(place('1')).toEqual({ kind: 'row', row: 0 });
    expect(place(' 5,000,000 ')).toEqual({ kind: 'row', row: 4_999_999 });
    expect(place('0')).toBeNull();
    expect(place('5000001')).toBeNull();
  });

  it('are times of the trace clock, exact to the ns', () => {
    expect(place('2731.000000001')).toEqual({ kind: 'time', timeNs: 1 });
    expect(place('2732.5')).toEqual({ kind: 'time', timeNs: 1_500_000_000 });
    expect(place('2730.9')).toEqual({ kind: 'time', timeNs: -100_000_000 });
  });

  it('are times from the start', () => {
    expect(place('+1.5s')).toEqual({ kind: 'time', timeNs: 1_500_000_000 });
    expect(place('+ 20 ms')).toEqual({ kind: 'time', timeNs: 20_000_000 });
    expect(place('+7us')).toEqual({ kind: 'time', timeNs: 7000 });
    expect(place('+3')).toEqual({ kind: 'time', timeNs: 3_000_000_000 });
  });

  it('are nothing else', () => {
    for (const text of ['', 'abc', '-5', '1.2.3', '+', '+5 weeks', '1e5']) expect(place(text)).toBeNull();
  });
});
