import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseFilter, parseFilterPrefix } from '../../../shared/filter/parse.ts';
import { printFilter } from '../../../shared/filter/print.ts';
import { bare } from '../expression/generate.ts';
import { anyFilter } from './generate.ts';

function canonical(text: string): string {
  const result = parseFilter(text);
  if (!result.ok) throw new Error(`${text}: ${result.error.message} at ${result.error.position}`);
  return printFilter(result.ast);
}

describe('filters', () => {
  it.each([
    // trace-cmd's manual page, and the kernel's Documentation/trace/events.rst
    [
      'sched/sched_switch: next_prio < 100 && comm ~ "ksoft*"',
      'sched/sched_switch: next_prio < 100 && comm ~ "ksoft*"',
    ],
    ['sched_switch: prev_pid==0', 'sched_switch: prev_pid == 0'],
    ['sched_switch:prev_pid = 0', 'sched_switch: prev_pid == 0'],
    ['sched_.*, irq: common_pid == 3', 'sched_.*, irq: common_pid == 3'],
    ['((sig >= 10 && sig < 15) || sig == 17) && comm != bash', '(sig >= 10 && sig < 15 || sig == 17) && comm != bash'],
    ['prev_comm ~ "*sh"', 'prev_comm ~ "*sh"'],
    ["prev_comm =~ '^(ba)?sh$'", 'prev_comm =~ "^(ba)?sh$"'],
    ['flags & 0x40', 'flags & 0x40'],
    ['sched:sched_switch: prev_pid == 0', 'sched/sched_switch: prev_pid == 0'],
    ['sched:prev_pid == 0', 'sched: prev_pid == 0'],
    ['sched_switch', 'sched_switch'],
    ['sched:sched_switch', 'sched/sched_switch'],
    [' sched_switch , irq ', 'sched_switch, irq'],
    ['sched_switch:', 'sched_switch'],
    ['cpu == 1; sched_switch: prev_pid == 0', 'cpu == 1; sched_switch: prev_pid == 0'],
    ['sched_switch: prev_pid == 0, irq: irq == 3', 'sched_switch: prev_pid == 0; irq: irq == 3'],
    ['a: x == 1, b, c: y == 2', 'a: x == 1; b, c: y == 2'],
    ['cpu == 1;', 'cpu == 1'],
    ['!(a == 1) && !b == 2', '!(a == 1) && !(b == 2)'],
    ['!!a==1', '!!(a == 1)'],
    ['a==1||b==2&&c==3', 'a == 1 || b == 2 && c == 3'],
    ['a==1&&(b==2&&c==3)', 'a == 1 && (b == 2 && c == 3)'],
    ['100 > prio', 'prio < 100'],
    ['100 <= prio', 'prio >= 100'],
    ['"bash" == comm', 'comm == "bash"'],
    ['bdi ~ "8:*"', 'bdi ~ "8:*"'],
    ['bdi == 8:0', 'bdi == 8:0'],
    ['comm == kworker/0:1', 'comm == kworker/0:1'],
    ['prev_pid == next_pid', 'prev_pid == next_pid'],
    ['time > 56.41 && time <= +1.5s', 'time > 56.41 && time <= +1.5s'],
    ['mode == 0755 || mode == -5', 'mode == 0755 || mode == -5'],
    ['comm == "a \\"b\\" \\\\ \\d"', 'comm == "a \\"b\\" \\ \\d"'],
    ['', ''],
    ['  ', ''],
  ])('%s', (text, printed) => expect(canonical(text)).toBe(printed));

  it('reads numbers as C does', () => {
    const value = (text: string) => {
      const result = parseFilter(`x == ${text}`);
      const condition = result.ok ? result.ast.clauses[0].condition : null;
      return condition?.kind === 'compare' && condition.value.kind === 'number' ? condition.value.value : null;
    };
    expect(['12', '0x1F', '0755', '0o17', '-5', '08', '1e3', '0'].map(value)).toEqual([
      12, 31, 493, 15, -5, 8, 1000, 0,
    ]);
    expect(value('12ab')).toBeNull();
  });

  it('reads times exactly, in ns', () => {
    const time = (text: string, field = 'time') => {
      const result = parseFilter(`${field} > ${text}`);
      const condition = result.ok ? result.ast.clauses[0].condition : null;
      return condition?.kind === 'compare' && condition.value.kind === 'time' ? condition.value : null;
    };
    expect(time('1545451.315895123')).toMatchObject({ ns: 1545451315895123n, relative: false });
    expect(time('+1.5s')).toMatchObject({ ns: 1500000000n, relative: true });
    expect(time('56410032000ns')).toMatchObject({ ns: 56410032000n });
    expect(time('1.5ms')).toMatchObject({ ns: 1500000n });
    expect(time('56410032000', 'TIMESTAMP')).toMatchObject({ ns: 56410032000n });
  });

  it('keeps positions', () => {
    const result = parseFilter('sched_switch, irq: a == 1 && (b ~ "x")');
    expect(result).toMatchObject({
      ast: {
        clauses: [
          {
            start: 0,
            end: 38,
            events: [
              { start: 0, end: 12 },
              { start: 14, end: 17 },
            ],
            condition: {
              kind: 'and',
              left: { start: 19, end: 25 },
              right: { start: 29, end: 38, value: { start: 34, end: 37 } },
            },
          },
        ],
      },
    });
  });

  it('stops where the filter ends', () => {
    const text = 'where bdi ~ "8:*" && dirty > 3 as max in MiB';
    expect(text.slice(parseFilterPrefix(text, 6).end)).toBe(' as max in MiB');
  });

  it('parses what it prints', () => {
    fc.assert(
      fc.property(anyFilter, (filter) => {
        const text = printFilter(filter);
        const again = parseFilter(text);
        expect(again.ok, text).toBe(true);
        if (again.ok) expect(bare(again.ast), text).toEqual(bare(filter));
      }),
      { numRuns: 2000 },
    );
  });
});

describe('mistakes', () => {
  it.each([
    ['pid', 0, /“pid” needs a comparison/],
    ['prev_pid == ', 12, /a number, a string or a field is expected here, not the end/],
    ['prev_pid 5', 9, /a comparison/],
    ['sched_switch: prev_pid 5', 23, /a comparison .* not “5”/],
    ['a == 1 &&', 9, /a field, “!” or “\(”/],
    ['(a == 1', 7, /“\)” is expected here, not the end/],
    ['a == 1 b', 7, /the end is expected here, not “b”/],
    ['a == 1 | b == 2', 7, /not “\|”/],
    ['a == "x', 5, /no closing "/],
    ['a < "x"', 4, /compares numbers/],
    ['a & 2.5', 4, /whole number/],
    ['1 == 2', 0, /a field is expected on the left/],
    ['"x" ~ a', 0, /a field is expected on the left/],
    ['a =~ "("', 5, /no regular expression/],
    ['a(, b: x == 1', 0, /no regular expression/],
    ['time > yesterday', 7, /a time is seconds/],
    [`${'!'.repeat(1000)}a == 1`, 200, /too deeply/],
  ])('%j', (text, position, message) => {
    const result = parseFilter(text);
    expect(result.ok).toBe(false);
    if (result.ok) return;
    expect(result.error.message).toMatch(message);
    expect(result.error.position).toBe(position);
  });

  it('never throws, whatever is typed', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.stringMatching(/^[abt:;,.*/()!<>=&|~"' 0-9+-]*$/)), (text) => {
        const result = parseFilter(text);
        if (result.ok) return;
        expect(result.error.position).toBeGreaterThanOrEqual(0);
        expect(result.error.position + result.error.length).toBeLessThanOrEqual(text.length);
      }),
      { numRuns: 2000 },
    );
  });
});
