import { describe, expect, it } from 'vitest';
import { kernelFilter, typedPosition } from '../../../shared/filter/kernel.ts';

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
    const said = kernelFilter(typed, fields);
    expect(said).toMatchObject({ ok: true, text });
    expect(said.ok && said.anchors.length === 0).toBe(asTyped);
  });

  it('takes a field of the event before a virtual one', () => {
    expect(kernelFilter('pid > 1', new Set(['pid']))).toEqual({ ok: true, text: 'pid > 1', anchors: [] });
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

  // `^`: where the kernel points in its text, and where that is in what was typed.
  it.each([
    ['task == dd && nobody = 3', 'nobody', 'nobody'],
    ['pid > 1 && (  nobody = 3 || cpu == 1)', 'nobody', 'nobody'],
    ['3 < pid && prev_prio == soon', '"soon"', 'soon'],
    ['!(cpu == 1)&&prev_comm==dd && prev_prio < 3', 'prev_prio', 'prev_prio'],
    ['7 > cpu', 'CPU', 'cpu'],
    ['pid == 3 && pid == 3 && pid == 4', '4', '4'],
  ])('what the kernel complains about is found in what was typed: %s', (typed, there, here) => {
    const said = kernelFilter(typed, fields);
    if (!said.ok) throw new Error(said.message);
    expect(said.anchors).not.toEqual([]);
    expect(typedPosition(said.anchors, said.text.indexOf(there))).toBe(typed.indexOf(here));
  });
});
