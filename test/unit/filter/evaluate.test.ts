import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compileFilter, type EventShape } from '../../../shared/filter/compile.ts';
import { evaluateFilter } from '../../../shared/filter/evaluate.ts';
import { complement, contains, intersection, interval, overlaps, union } from '../../../shared/filter/intervals.ts';
import { parseFilter } from '../../../shared/filter/parse.ts';
import { globTest } from '../../../shared/filter/patterns.ts';
import { prefilter } from '../../../shared/filter/prefilter.ts';
import { anyEvent, anyFilter, eventOf, type Values } from './generate.ts';

const context = { originNs: 1_000_000_000n };

function parse(text: string) {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(`${text}: ${result.error.message}`);
  return result.ast;
}

const switchEvent: Values = {
  $system: 'sched',
  $event: 'sched_switch',
  $cpu: 1,
  $pid: 200,
  $task: 'dd',
  $cgroup: 'web/front',
  $info: 'dd:200 [120] D ==> swapper/1:0 [120]',
  $time: 500_000_000,
  prev_comm: 'dd',
  prev_pid: 200,
  prev_prio: 120,
  prev_state: 2,
  next_comm: 'swapper/1',
  next_pid: 0,
  next_prio: 120,
};
const wakeup: Values = {
  $system: 'sched',
  $event: 'sched_wakeup',
  $cpu: 0,
  $pid: 0,
  $task: 'swapper/0',
  pid: 77,
  comm: 'dd',
};
const wide: Values = { $system: 'x', $event: 'y', flags: 0xffffffff81000000, low: 5, high: 2 ** 32 };

describe('evaluation', () => {
  it.each<[string, Values, boolean]>([
    ['', switchEvent, true],
    ['sched_switch', switchEvent, true],
    ['sched', switchEvent, true],
    ['irq', switchEvent, false],
    ['SCHED_SWITCH', switchEvent, true],
    ['sched_.*', switchEvent, true],
    ['sched_*', switchEvent, true],
    ['sched_swi', switchEvent, false],
    ['sched/sched_switch: next_prio > 100 && comm ~ "d*"', switchEvent, true],
    ['sched/.*: prev_pid==200', switchEvent, true],
    ['irq/.*: prev_pid==200', switchEvent, false],
    ['irq, sched: prev_pid==200', switchEvent, true],
    ['irq: irq == 3; cpu == 1', switchEvent, true],
    ['prev_pid == 0xc8', switchEvent, true],
    ['prev_pid == "200"', switchEvent, true],
    ['prev_pid != next_pid', switchEvent, true],
    ['prev_prio == next_prio', switchEvent, true],
    ['prev_comm == next_comm', switchEvent, false],
    ['prev_comm == dd', switchEvent, true],
    ['prev_comm != dd', switchEvent, false],
    ['prev_comm < dd', switchEvent, false],
    ['prev_state & 2', switchEvent, true],
    ['prev_state & 0x1d', switchEvent, false],
    ['next_comm ~ "swapper/?"', switchEvent, true],
    ['next_comm ~ "swapper"', switchEvent, false],
    ['next_comm =~ "^SWAP"', switchEvent, true],
    ['next_comm !~ "^swap"', switchEvent, false],
    ['info ~ "* D ==> *"', switchEvent, true],
    ['cgroup ~ "web/*"', switchEvent, true],
    ['event == sched_switch && system == sched', switchEvent, true],
    ['task == dd && pid == 200 && cpu == 1', switchEvent, true],
    ['COMM == "dd" && CPU == 1 && common_pid == 200', switchEvent, true],
    ['time >= 1.5 && time < 1.500000001', switchEvent, true],
    ['time == +0.5s', switchEvent, true],
    ['time < +500ms', switchEvent, false],
    // A test of a field that is not there is false, also a negative one.
    ['irq == 3', switchEvent, false],
    ['irq != 3', switchEvent, false],
    ['!(irq == 3)', switchEvent, true],
    // pid is the task on the CPU, unless the clause names events that have a pid of their own.
    ['pid == 0', wakeup, true],
    ['pid == 77', wakeup, false],
    ['sched_wakeup: pid == 77', wakeup, true],
    ['sched_wakeup: common_pid == 0', wakeup, true],
    ['comm == dd', wakeup, true],
    ['task == dd', wakeup, false],
    // Beyond 2^53 numbers are compared exactly where the text is exact, and bits are those of 64-bit words.
    ['flags & 0xf000000000000000', wide, true],
    ['flags & 0x00f0000000000000', wide, true],
    ['flags & 0x0000000000000fff', wide, false],
    ['low & 0x4', wide, true],
    ['low & 0x100000000', wide, false],
    ['high & 0x100000000', wide, true],
  ])('%j', (text, values, expected) => {
    expect(evaluateFilter(parse(text), eventOf(values), context)).toBe(expected);
    const compiled = compileFilter(parse(text), shapeOf(values), context);
    expect(typeof compiled === 'boolean' ? compiled : compiled.test(eventOf(values))).toBe(expected);
  });

  it('compares 64-bit numbers by their exact text', () => {
    const event = { ...eventOf({}), has: () => true, number: () => 2 ** 64, text: () => '18446744073709551614' };
    const test = (text: string) => evaluateFilter(parse(text), event, context);
    expect(test('dirty == 18446744073709551614')).toBe(true);
    expect(test('dirty == 18446744073709551615')).toBe(false);
    expect(test('dirty < 18446744073709551615')).toBe(true);
    expect(test('dirty == 0xfffffffffffffffe')).toBe(true);
  });
});

const shapeOf = (values: Values): EventShape => ({
  system: String(values.$system),
  event: String(values.$event),
  has: (field) => !field.startsWith('$') && Object.hasOwn(values, field),
});

describe('a filter made for an event type', () => {
  it('is decided where the type decides it', () => {
    const shape = shapeOf(switchEvent);
    const compiled = (text: string) => compileFilter(parse(text), shape, context);
    expect(compiled('irq: irq == 3')).toBe(false);
    expect(compiled('sched_switch')).toBe(true);
    expect(compiled('event ~ "sched_*"')).toBe(true);
    expect(compiled('event == irq && info ~ "*x*"')).toBe(false);
    expect(compiled('missing == 3')).toBe(false);
    expect(compiled('missing == 3 || cpu == 1')).toMatchObject({ reads: ['$cpu'] });
  });

  it.each(['info ~ "*dd*" && prev_pid == 200 && cpu == 1', 'cpu == 1 && prev_pid == 200 && info ~ "*dd*"'])(
    'reads cheap fields first, and dear ones only when needed: %s',
    (text) => {
      const compiled = compileFilter(parse(text), shapeOf(switchEvent), context);
      if (typeof compiled === 'boolean') throw new Error('decided');
      expect([...compiled.reads].sort()).toEqual(['$cpu', '$info', 'prev_pid']);
      const read: string[] = [];
      const reader = eventOf({ ...switchEvent, $cpu: 0 });
      const result = compiled.test({
        number(field) {
          read.push(field);
          return reader.number(field);
        },
        text(field) {
          read.push(field);
          return reader.text(field);
        },
      });
      expect(result).toBe(false);
      expect(read).toEqual(['$cpu']);
    },
  );

  it('lets the same events pass as the syntax tree, read one by one', () => {
    let passed = 0;
    fc.assert(
      fc.property(anyFilter, anyEvent, (filter, values) => {
        const expected = evaluateFilter(filter, eventOf(values), context);
        const compiled = compileFilter(filter, shapeOf(values), context);
        expect(typeof compiled === 'boolean' ? compiled : compiled.test(eventOf(values))).toBe(expected);
        if (expected) passed++;
      }),
      { numRuns: 3000 },
    );
    expect(passed).toBeGreaterThan(100);
  });
});

describe('prefilter', () => {
  const of = (text: string, shape: EventShape | null = null) => prefilter(parse(text), shape, context);
  const all = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];

  it('finds CPUs, pids and times', () => {
    expect(of('cpu == 1').cpus).toEqual([[1, 1]]);
    expect(of('cpu == 1 || cpu == 3').cpus).toEqual([
      [1, 1],
      [3, 3],
    ]);
    expect(of('cpu >= 2 && cpu < 4 && prev_pid == 5')).toEqual({ cpus: [[2, 3]], pids: all, times: all });
    expect(of('!(pid != 200)').pids).toEqual([[200, 200]]);
    expect(of('time > 1.5 && time <= +2s').times).toEqual([[500_000_001, 2_000_000_000]]);
    expect(of('')).toEqual({ cpus: all, pids: all, times: all });
  });
  it('implies nothing from one branch alone', () => {
    expect(of('cpu == 1 || prev_pid == 3').cpus).toEqual(all);
    expect(of('cpu == 1; sched_switch').cpus).toEqual(all);
  });
  it('drops branches that cannot be', () => {
    expect(of('cpu == 1 && cpu == 2').cpus).toEqual([]);
    expect(of('cpu == 1 && cpu == 2 || pid == 7').pids).toEqual([[7, 7]]);
  });
  it('does not take a field of the event for a virtual one', () => {
    expect(of('sched_wakeup: pid == 77').pids).toEqual(all);
    expect(of('sched_wakeup: common_pid == 77').pids).toEqual([[77, 77]]);
    expect(of('sched_switch: pid == 77', shapeOf(switchEvent)).pids).toEqual([[77, 77]]);
    expect(of('irq: pid == 77', shapeOf(switchEvent)).pids).toEqual([]);
  });
  it('never leaves out an event that passes', () => {
    fc.assert(
      fc.property(anyFilter, anyEvent, fc.boolean(), (filter, values, knowsType) => {
        if (!evaluateFilter(filter, eventOf(values), context)) return;
        const implied = prefilter(filter, knowsType ? shapeOf(values) : null, context);
        expect(contains(implied.cpus, Number(values.$cpu))).toBe(true);
        expect(contains(implied.pids, Number(values.$pid))).toBe(true);
        expect(contains(implied.times, Number(values.$time))).toBe(true);
      }),
      { numRuns: 3000 },
    );
  });
});

describe('interval sets', () => {
  const set = fc
    .array(fc.tuple(fc.integer({ min: -9, max: 9 }), fc.integer({ min: -9, max: 9 })), { maxLength: 4 })
    .map((parts) => parts.map(([from, to]) => interval(from, to)).reduce(union, []));
  it('behave as sets of numbers', () => {
    fc.assert(
      fc.property(set, set, fc.integer({ min: -12, max: 12 }), fc.nat(3), (a, b, x, length) => {
        expect(contains(union(a, b), x)).toBe(contains(a, x) || contains(b, x));
        expect(contains(intersection(a, b), x)).toBe(contains(a, x) && contains(b, x));
        expect(contains(complement(a), x)).toBe(!contains(a, x));
        const range = Array.from({ length: length + 1 }, (_, i) => x + i);
        expect(overlaps(a, x, x + length)).toBe(range.some((value) => contains(a, value)));
      }),
    );
  });
});

describe('globs', () => {
  it.each([
    ['ksoft*', 'ksoftirqd/0', true],
    ['ksoft*', 'Ksoftirqd', false],
    ['soft*', 'ksoftirqd', false],
    ['*sh', 'bash', true],
    ['*sh', 'shell', false],
    ['*a*', 'bash', true],
    ['b?sh', 'bash', true],
    ['b?sh', 'bsh', false],
    ['[a-c]*', 'bash', true],
    ['[!a-c]*', 'bash', false],
    ['[c-a]x', 'bx', false],
    ['[]]', ']', true],
    ['a[b', 'a[b', true],
    ['a.c', 'abc', false],
    ['\\*', '*', true],
    ['\\*', 'x', false],
    ['a*b*c', 'a\nb\nc', true],
    ['', '', true],
    ['*', '', true],
    ['(a+', '(a+', true],
  ])('%j against %j', (glob, text, expected) => expect(globTest(glob)(text)).toBe(expected));
  it('never throws', () => {
    fc.assert(
      fc.property(fc.stringMatching(/^[a-c*?[\]!^\\-]*$/), fc.string(), (glob, text) => void globTest(glob)(text)),
    );
  });
});
