import { describe, expect, test } from 'vitest';
import { counterLines, readPairs, readPressure } from '../../../electron/live/counters.ts';

describe('counters', () => {
  test('pairs as vmstat, meminfo and memory.stat write them', () => {
    expect(readPairs('nr_dirty 12\nnr_other 3\nnr_writeback 0\n', /^nr_(dirty|writeback)$/)).toEqual([
      ['nr_dirty', '12'],
      ['nr_writeback', '0'],
    ]);
    expect(readPairs('Dirty:      32436 kB\nActive(file):  7 kB\n', null)).toEqual([
      ['Dirty', '32436'],
      ['Active(file)', '7'],
    ]);
  });
  test('pressure is its totals', () => {
    const text = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=368\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=95\n';
    expect(readPressure(text)).toEqual([
      ['some', '368'],
      ['full', '95'],
    ]);
  });
  test('a long sample is several lines, each with its source and cgroup, none longer than a marker', () => {
    const values = Array.from({ length: 200 }, (_unused, i): [string, string] => [`counter_${i}`, String(i * 1e6)]);
    const lines = counterLines('memory.stat', ' cgroup=/db ino=42', values);
    expect(lines.length).toBeGreaterThan(3);
    for (const line of lines) {
      expect(line.startsWith('remora:counters memory.stat cgroup=/db ino=42 counter_')).toBe(true);
      expect(line.length).toBeLessThanOrEqual(960);
    }
    const back = lines.flatMap((line) =>
      line
        .split(' ')
        .slice(4)
        .map((pair) => pair.split('=')),
    );
    expect(back).toEqual(values);
    expect(counterLines('vmstat', '', [])).toEqual([]);
  });
});
