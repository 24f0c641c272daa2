import { describe, expect, it } from 'vitest';
import { unknownName } from '../../../renderer/panels/filter-hint.ts';
import { parseFilter } from '../../../shared/filter/parse.ts';
import type { EventTypeInfo } from '../../../shared/model.ts';

const type = (index: number, system: string, name: string, fields: string[]): EventTypeInfo => ({
  type: index,
  system,
  name,
  id: 300 + index,
  count: 1,
  fields: fields.map((field) => ({
    name: field,
    declaration: 'int',
    kind: 'number',
    signed: true,
    bytes: 4,
    common: false,
    unit: '',
  })),
});
const types = [
  type(0, 'sched', 'sched_switch', ['prev_pid', 'next_pid']),
  type(1, 'writeback', 'balance_dirty_pages', ['dirty', 'limit']),
];

/** What the hint points at, or null. */
function pointedAt(text: string): string | null {
  const filter = parseFilter(text);
  if (!filter.ok) throw new Error(filter.error.message);
  const hint = unknownName(filter.ast, types);
  return hint === null ? null : text.slice(hint.position, hint.position + hint.length);
}

describe('names in a filter', () => {
  it('are fine where the recording has them', () => {
    for (const text of [
      '',
      'sched_switch',
      'sched: prev_pid == 3',
      'dirty > 5',
      'pid == 1 && cpu == 0',
      'sched_*: comm ~ "k*"',
    ]) {
      expect(pointedAt(text)).toBeNull();
    }
  });

  it('are pointed at where it has no such event', () => {
    expect(pointedAt('sched_switch; block_rq_issue: pid == 1')).toBe('block_rq_issue');
  });

  it('are pointed at where none of the named events has the field', () => {
    expect(pointedAt('sched_switch: dirty > 5')).toContain('dirty');
    expect(pointedAt('!(next_pid == 5 && nothing == 1)')).toContain('nothing');
  });
});
