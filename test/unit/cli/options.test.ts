import { describe, expect, it } from 'vitest';
import { filesOfArguments } from '../../../electron/app/arguments.ts';
import { errorLine, exitCodeOf } from '../../../electron/cli/exit-code.ts';
import { allOf } from '../../../electron/cli/filter-option.ts';
import { ranges } from '../../../electron/cli/info.ts';
import { progressText } from '../../../electron/cli/messages.ts';
import { plotOf } from '../../../electron/cli/plot-option.ts';
import { parseTimePoint, parseWindow } from '../../../electron/cli/time-point.ts';
import { type ErrorCode, RemoraError } from '../../../shared/errors.ts';
import { parseFilter } from '../../../shared/filter/parse.ts';

const bad = (code: ErrorCode): unknown => expect.objectContaining({ detail: expect.objectContaining({ code }) });

describe('--from and --to', () => {
  const originNs = 1_000_500_000_000n;

  it.each([
    ['1000.5', 0],
    ['1000.500001', 1_000],
    ['1000.123456', -376_544_000],
    ['1000500000007', 7],
    ['1000500000us', 0],
    ['1000500000007ns', 7],
    ['+1.5s', 1_500_000_000],
    ['+2', 2_000_000_000],
    ['+20ms', 20_000_000],
    ['+7ns', 7],
  ])('%s', (text, relNs) => {
    expect(parseTimePoint('--from', text, originNs)).toBe(relNs);
  });

  it.each(['', 'abc', '1,5', '-1s', '1.5.2', '1 h', '+'])('refuses “%s” and names the option', (text) => {
    expect(() => parseTimePoint('--to', text, originNs)).toThrow(bad('bad-expression'));
    expect(() => parseTimePoint('--to', text, originNs)).toThrow(/--to/);
  });

  it('default to the whole workspace', () => {
    const workspace = { originNs: String(originNs), durationNs: 5_000 };
    expect(parseWindow({}, workspace)).toEqual({ fromNs: 0, toNs: 5_000 });
    expect(parseWindow({ from: '+1us' }, workspace)).toEqual({ fromNs: 1_000, toNs: 5_000 });
    expect(parseWindow({ to: '+1us' }, workspace)).toEqual({ fromNs: 0, toNs: 1_000 });
    expect(() => parseWindow({ from: '+2us', to: '+1us' }, workspace)).toThrow(bad('bad-expression'));
  });

  it('do not take seconds without a point for ns', () => {
    const workspace = { originNs: String(originNs), durationNs: 20_000_000_000 };
    expect(() => parseWindow({ from: '1005' }, workspace)).toThrow('--from 1005 is in ns');
    expect(() => parseWindow({ to: '1005' }, workspace)).toThrow('write 1005.0 or 1005s');
    expect(parseWindow({ from: '1005.0', to: '1006s' }, workspace)).toEqual({ fromNs: 4.5e9, toNs: 5.5e9 });
    expect(parseWindow({ from: '1001000000000', to: '2000000000000' }, workspace)).toEqual({
      fromNs: 5e8,
      toNs: 999.5e9,
    });
    expect(parseWindow({ from: '7' }, workspace).fromNs).toBe(7 - Number(originNs));
  });
});

describe('filters joined', () => {
  it.each([
    [['', ' '], ''],
    [['cpu == 1', ''], 'cpu == 1'],
    [['cpu == 1', 'pid == 2'], 'cpu == 1 && pid == 2'],
    [['cpu == 1 || pid == 2', 'pid == 3'], '(cpu == 1 || pid == 2) && pid == 3'],
    [['sched/sched_switch: prev_prio < 100', 'cpu == 1'], 'sched/sched_switch: prev_prio < 100 && cpu == 1'],
    [['cpu == 1', 'sched/sched_switch'], 'sched/sched_switch: cpu == 1'],
    [['a == 1; b == 2', 'c == 3'], 'a == 1 && c == 3; b == 2 && c == 3'],
  ])('%j', (texts, joined) => {
    const parsed = parseFilter(allOf(...texts));
    const wanted = parseFilter(joined);
    expect(parsed.ok && wanted.ok && withoutPositions(parsed.ast)).toEqual(wanted.ok && withoutPositions(wanted.ast));
  });

  it('refuses what it cannot join, and what does not parse', () => {
    expect(() => allOf('sched/sched_switch', 'irq/.*')).toThrow(bad('bad-expression'));
    expect(() => allOf('cpu ==', 'pid == 1')).toThrow(/cpu ==/);
  });

  it('narrows a plot', () => {
    const spec = plotOf('writeback:balance_dirty_pages.pause by cgroup where pause > 0', 'cpu == 1');
    expect(spec).toMatchObject({
      expr: 'writeback:balance_dirty_pages.pause',
      groupBy: 'cgroup',
      where: 'pause > 0 && cpu == 1',
    });
    expect(() => plotOf('writeback:balance_dirty_pages.pause of cgroup')).toThrow(bad('bad-expression'));
  });
});

const withoutPositions = (ast: unknown): unknown =>
  JSON.parse(JSON.stringify(ast, (key, value: unknown) => (key === 'start' || key === 'end' ? undefined : value)));

describe('errors', () => {
  it.each([
    ['bad-request', 2],
    ['bad-expression', 2],
    ['not-a-trace', 1],
    ['file', 1],
    ['internal', 1],
    ['cancelled', 130],
  ] as const)('%s ends with %i', (code, exit) => {
    expect(exitCodeOf(new RemoraError({ code, message: '' }))).toBe(exit);
  });

  it('are one line with the place', () => {
    const error = new RemoraError({
      code: 'damaged',
      message: 'cut\n  short',
      file: '/a.dat',
      offset: 7,
      section: 'options',
    });
    expect(errorLine(error)).toBe('remora: /a.dat: cut short (byte 7, options)');
    expect(errorLine(new RemoraError({ code: 'file', message: '/a.dat: missing', file: '/a.dat' }))).toBe(
      'remora: /a.dat: missing',
    );
    expect(errorLine(new Error('odd'))).toBe('remora: odd');
  });
});

describe('files on the command line of the desktop shell', () => {
  it.each([
    [['electron', '--no-sandbox', '.', 'a.dat', '/b.dat'], '/app', '/app', ['/app/a.dat', '/b.dat']],
    [['electron', '-r', 'hook.js', '--inspect=0', '/app', 'a.dat', '--flag'], '/app', '/home', ['/home/a.dat']],
    [['electron', '/app'], '/app', '/home', []],
    [['electron', 'a.dat'], '/app', '/home', []],
    [['remora', '--no-sandbox', 'a.dat'], null, '/home', ['/home/a.dat']],
  ])('%j', (argv, appPath, cwd, files) => {
    expect(filesOfArguments(argv, appPath, cwd)).toEqual(files);
  });
});

describe('small texts', () => {
  it('CPUs as ranges', () => {
    expect([ranges([]), ranges([3]), ranges([0, 1, 2, 5, 7, 8])]).toEqual(['', '3', '0-2, 5, 7-8']);
  });

  it('progress as a bar, with and without a known total', () => {
    expect(progressText({ stage: 'Indexing', done: 1, total: 4, unit: 'bytes', events: 1234 })).toBe(
      `Indexing ${'█'.repeat(6)}${'░'.repeat(18)} 25 %  1,234 events`,
    );
    expect(progressText({ stage: 'Reading', done: 3, total: 0, unit: 'steps' })).toBe('Reading');
  });
});
