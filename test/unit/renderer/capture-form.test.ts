import { describe, expect, it } from 'vitest';
import {
  type CaptureForm,
  captureFormSchema,
  choicesOf,
  cpuList,
  emptyForm,
  fitForm,
  limitOf,
  settingsOf,
  withEvents,
} from '../../../renderer/state/capture-form.ts';
import type { CaptureOptions } from '../../../shared/capture.ts';

const options: CaptureOptions = {
  problem: null,
  rights: '',
  tracefs: '/sys/kernel/tracing',
  systems: [
    { name: 'block', events: ['a', 'b', 'c', 'd'] },
    { name: 'raw_syscalls', events: ['sys_enter', 'sys_exit'] },
    { name: 'sched', events: ['sched_switch', 'sched_wakeup'] },
  ],
  presets: [],
  clocks: { all: ['local', 'mono'], chosen: 'local' },
  cpus: [0, 1],
  bufferKiB: 8192,
  memoryBytes: 2 ** 34,
  cgroupRoot: '/sys/fs/cgroup/',
  cgroups: ['web'],
  path: '/home/me/trace.dat',
  diskFree: 2 ** 40,
  stale: [],
};

const form = (part: Partial<CaptureForm>): CaptureForm => ({
  ...emptyForm,
  path: '/tmp/a.dat',
  events: ['sched:sched_switch'],
  ...part,
});
const settings = (part: Partial<CaptureForm>) => {
  const made = settingsOf(form(part), options);
  if (!made.ok) throw new Error(made.problem.message);
  return made.settings;
};
const problem = (part: Partial<CaptureForm>) => {
  const made = settingsOf(form(part), options);
  return made.ok ? null : made.problem.field;
};

describe('the form of a capture', () => {
  it('names a whole system by its name, and events of small ones one by one', () => {
    const { events } = withEvents(
      form({ events: [] }),
      ['sched:sched_switch', 'sched:sched_wakeup', 'block:d', 'block:a', 'block:b', 'block:c', 'gone:x'],
      true,
      options.systems,
    );
    expect(events).toEqual(['block:a', 'block:b', 'block:c', 'block:d', 'sched:sched_switch', 'sched:sched_wakeup']);
    expect(choicesOf(events, options.systems)).toEqual([
      { pattern: 'block', events: 4 },
      { pattern: 'sched:sched_switch', events: 1 },
      { pattern: 'sched:sched_wakeup', events: 1 },
    ]);
  });

  it('leaves out what is not asked for', () => {
    expect(settings({})).toEqual({ path: '/tmp/a.dat', events: [{ pattern: 'sched:sched_switch' }] });
  });

  it('names the machine where it is another', () => {
    expect(settings({ host: 'root@web1' })).toMatchObject({ host: 'root@web1', path: '/tmp/a.dat' });
    expect(settings({ host: '' })).not.toHaveProperty('host');
  });

  it('takes settings that were kept before there was a choice of machines', () => {
    const { host: _host, ...kept } = form({});
    expect(captureFormSchema.parse(kept)).toEqual(form({ host: '' }));
  });

  it('says all that is asked for', () => {
    const filters = { 'sched:sched_switch': ' prev_prio < 100 ', 'block:a': 'left over' };
    expect(
      settings({
        filters,
        bufferKiB: 4096,
        clock: 'mono',
        cpus: '1',
        whose: 'cgroup',
        cgroup: '/web/a',
        stacks: true,
        counters: true,
        stop: 'keepTime',
        amount: '30',
      }),
    ).toEqual({
      path: '/tmp/a.dat',
      events: [{ pattern: 'sched:sched_switch', filter: 'prev_prio < 100' }],
      bufferKiB: 4096,
      clock: 'mono',
      cpus: [1],
      cgroup: '/sys/fs/cgroup/web/a',
      stacks: true,
      countersMs: 1000,
      keep: { ms: 30_000 },
    });
    expect(settings({ whose: 'process', pids: '12, 13' }).pids).toEqual([12, 13]);
  });

  it('says which field is not right', () => {
    expect(problem({ events: [] })).toBe('events');
    expect(problem({ filters: { 'sched:sched_switch': 'prev_prio < ' } })).toBe('filter');
    expect(problem({ path: 'a.dat' })).toBe('path');
    expect(problem({ cpus: '0-' })).toBe('cpus');
    expect(problem({ whose: 'process', pids: 'dd' })).toBe('pids');
    expect(problem({ whose: 'cgroup' })).toBe('cgroup');
    expect(problem({ stop: 'time', amount: '0' })).toBe('amount');
    expect(problem({})).toBe(null);
  });

  it('reads lists of CPUs', () => {
    expect(cpuList(' ', [0, 1])).toBeUndefined();
    expect(cpuList('0-1, 1', [0, 1])).toEqual([0, 1]);
    expect(cpuList('0,7', [0, 1])).toBe('This machine has no CPU 7.');
    expect(cpuList('1-0', [0, 1])).toMatch(/like 0-3,6/);
  });

  it('reads limits in the unit of their kind', () => {
    expect(limitOf({ stop: 'hand', amount: 'x' })).toEqual({});
    expect(limitOf({ stop: 'time', amount: '1.5' })).toEqual({ durationMs: 1500 });
    expect(limitOf({ stop: 'size', amount: '2' })).toEqual({ maxBytes: 2 * 2 ** 20 });
    expect(limitOf({ stop: 'keepSize', amount: '0.5' })).toEqual({ keep: { bytes: 2 ** 19 } });
    expect(limitOf({ stop: 'keepTime', amount: '-1' })).toBeNull();
  });

  it('fits kept settings to the machine at hand', () => {
    const kept = form({ events: ['sched:sched_switch', 'old:event'], clock: 'x86-tsc', path: '' });
    expect(fitForm(kept, options)).toEqual({
      form: { ...kept, events: ['sched:sched_switch'], clock: '', path: options.path },
      missing: 1,
    });
  });
});
