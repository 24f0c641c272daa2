import { describe, expect, test } from 'vitest';
import { type AvailableEvent, eventPresets, eventsOf, presetChoices } from '../../../electron/live/event-choice.ts';
import { cpuMask, filterFileError, lastFilterError, parseStats } from '../../../electron/live/instance.ts';
import { parseMounts, tracefsAmong } from '../../../electron/live/tracefs.ts';

const available: AvailableEvent[] = [
  'block:block_rq_issue',
  'sched:sched_switch',
  'sched:sched_wakeup',
  'oom:oom_score_adj_update',
]
  .map((text) => text.split(':') as [string, string])
  .map(([system, name]) => ({ system, name }));
const named = (pattern: string): string[] =>
  eventsOf(pattern, available).map(({ system, name }) => `${system}:${name}`);

describe('mounts', () => {
  test('the usual place wins over another tracefs, and a path may hold spaces', () => {
    const mounts = parseMounts(
      'none /my\\040trace tracefs rw 0 0\ntracefs /sys/kernel/tracing tracefs rw,relatime 0 0\ndebugfs /d debugfs rw 0 0\n',
    );
    expect(mounts.map(({ path }) => path)).toEqual(['/my trace', '/sys/kernel/tracing', '/d']);
    expect(tracefsAmong(mounts)).toEqual({ root: '/sys/kernel/tracing', readOnly: false });
    expect(tracefsAmong(mounts.slice(0, 1))).toEqual({ root: '/my trace', readOnly: false });
  });
  test('read-only is told, and nothing is nothing', () => {
    expect(tracefsAmong(parseMounts('t /t tracefs ro,relatime 0 0\n'))).toEqual({ root: '/t', readOnly: true });
    expect(tracefsAmong(parseMounts('proc /proc proc rw 0 0\n'))).toBeNull();
  });
});

describe('choosing events', () => {
  test('by system, event, both, with wildcards, and all', () => {
    expect(named('sched')).toEqual(['sched:sched_switch', 'sched:sched_wakeup']);
    expect(named('sched_switch')).toEqual(['sched:sched_switch']);
    expect(named('sched:sched_switch')).toEqual(named('sched/sched_switch'));
    expect(named('sched:*wake*')).toEqual(['sched:sched_wakeup']);
    expect(named('*:*_[rs]*')).toEqual(['block:block_rq_issue', 'sched:sched_switch', 'oom:oom_score_adj_update']);
    expect(named('all')).toHaveLength(4);
    expect(named('sched:')).toHaveLength(2);
  });
  test('a name that is nearly right is offered; characters of a regular expression are plain', () => {
    expect(() => named('sched:sched_swich')).toThrow('did you mean sched:sched_switch?');
    expect(() => named('sched.*')).toThrow('no event sched.*');
    expect(() => named('(')).toThrow('no event (');
  });
  test('a preset takes what the kernel has, and says so where that is nothing', () => {
    expect(presetChoices('block', available)).toEqual([{ pattern: 'block:block_rq_issue' }]);
    expect(() => presetChoices('syscalls', available)).toThrow('none of the events of the preset syscalls');
    expect(() => presetChoices('nonsense', available)).toThrow(Object.keys(eventPresets).join(', '));
  });
});

describe("the kernel's texts", () => {
  test('statistics: all that was lost is one number', () => {
    const text =
      'entries: 45\noverrun: 10\ncommit overrun: 2\nbytes: 2040\noldest event ts:  2979.1\nnow ts:  2979.2\ndropped events: 5\nread events: 58475\n';
    expect(parseStats(text)).toEqual({ entries: 45, bytes: 2040, lost: 17, read: 58475 });
  });
  test('CPU masks are groups of 32, highest first', () => {
    expect(cpuMask([0, 1, 3])).toBe('b');
    expect(cpuMask([31])).toBe('80000000');
    expect(cpuMask([0, 32, 64])).toBe('1,00000001,00000001');
  });
  test('a refused filter: the last complaint about this very filter', () => {
    const log = [
      '[ 5707.877204] event filter parse error: error: Field not found',
      '  Command: foo == 1',
      '               ^',
      '[ 5707.884170] event filter parse error: error: Invalid value (did you forget quotes)?',
      '  Command: prev_prio < && 3',
      '                        ^',
      '',
    ].join('\n');
    expect(lastFilterError(log, 'foo == 1')).toEqual({ reason: 'Field not found', position: 4 });
    expect(lastFilterError(log, 'prev_prio < && 3')?.position).toBe(13);
    expect(lastFilterError(log, 'other')).toBeNull();
    expect(filterFileError('foo == 1\n    ^\nparse_error: Field not found\n')).toEqual({
      reason: 'Field not found',
      position: 4,
    });
    expect(filterFileError('none\n')).toBeNull();
  });
});
