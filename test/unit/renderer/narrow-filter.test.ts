import { describe, expect, it } from 'vitest';
import { narrowFilter } from '../../../renderer/panels/narrow-filter.ts';
import { parseFilter } from '../../../shared/filter/parse.ts';

describe('narrowing a filter', () => {
  it('is the test alone where there was none, or one that does not parse', () => {
    expect(narrowFilter('', 'cpu == 1')).toBe('cpu == 1');
    expect(narrowFilter('cpu ==', 'cpu == 1')).toBe('cpu == 1');
  });

  it('adds the test to what every clause asks for', () => {
    expect(narrowFilter('pid == 5', 'cpu == 1')).toBe('pid == 5 && cpu == 1');
    expect(narrowFilter('sched_switch', 'cpu == 1')).toBe('sched_switch: cpu == 1');
    expect(narrowFilter('sched/sched_switch: prev_prio < 100; block', 'cpu == 1')).toBe(
      'sched/sched_switch: prev_prio < 100 && cpu == 1; block: cpu == 1',
    );
  });

  it('keeps alternatives together', () => {
    const narrowed = narrowFilter('pid == 5 || pid == 6', 'cpu == 1');
    expect(narrowed).toBe('(pid == 5 || pid == 6) && cpu == 1');
    expect(parseFilter(narrowed).ok).toBe(true);
  });
});
