import { describe, expect, it } from 'vitest';
import { kernelFilter } from '../../../shared/filter/kernel.ts';

const fields = new Set(['prev_comm', 'prev_pid', 'prev_prio', 'next_prio', 'common_pid']);

describe('filters for the kernel', () => {
  it.each([
    // What the kernel understands goes to it as it was typed.
    ['prev_prio < 100 && prev_comm ~ "k*"', 'prev_prio < 100 && prev_comm ~ "k*"', true],
    ['comm == "dd"', 'comm == "dd"', true],
    ['CPU == 1', 'CPU == 1', true],
    ['', '', true],
    // Functions and lists of CPUs are the kernel's own.
    ['CPU & CPUS{0-1}', 'CPU & CPUS{0-1}', true],
    ['prev_prio < < 3', 'prev_prio < < 3', true],
    // The words of this language in the kernel's.
    ['pid > 1', 'common_pid > 1', false],
    ['cpu == 1 || !(task ~ "ksoft*")', 'CPU == 1 || !(COMM ~ "ksoft*")', false],
    ['prev_comm == dd', 'prev_comm == "dd"', false],
    ['prev_pid = 3', 'prev_pid == 3', false],
    ['prev_comm == "a = b"', 'prev_comm == "a = b"', true],
    ['prev_prio < next_prio', 'prev_prio < next_prio', true],
  ])('%s', (typed, text, asTyped) => {
    expect(kernelFilter(typed, fields)).toEqual({ ok: true, text, asTyped });
  });

  it('takes a field of the event before a virtual one', () => {
    expect(kernelFilter('pid > 1', new Set(['pid']))).toEqual({ ok: true, text: 'pid > 1', asTyped: true });
  });

  it.each([
    ['prev_prio < 100 && info ~ "x*"', 'info', 19],
    ['cgroup == "web"', 'cgroup', 0],
    ['time > 3', 'time', 0],
    ['prev_comm =~ "^k"', 'regular expressions', 0],
    ['sched_switch: prev_prio < 100', 'chosen already', 0],
    ['prev_prio < 3; next_prio < 3', 'one condition', 15],
    ['sched_switch', 'a condition is expected', 0],
  ])('says what the kernel can not test: %s', (typed, message, position) => {
    expect(kernelFilter(typed, fields)).toEqual({ ok: false, message: expect.stringContaining(message), position });
  });
});
