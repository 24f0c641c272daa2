import { describe, expect, it } from 'vitest';
import { parseLanes } from '../../../electron/cli/lanes-option.ts';
import { chartSpecSchema } from '../../../shared/chart.ts';

describe('--lanes', () => {
  it.each([
    ['cpu', [{ kind: 'lanes', by: 'cpu' }]],
    ['task', [{ kind: 'lanes', by: 'task' }]],
    [
      'cpu, task ,cgroup,cpu',
      [
        { kind: 'lanes', by: 'cpu' },
        { kind: 'lanes', by: 'task' },
        { kind: 'lanes', by: 'episodes' },
      ],
    ],
    [
      'task:200,cpu,task:kworker/0:1,task',
      [
        { kind: 'lanes', by: 'task', tasks: [{ pid: 200 }, { comm: 'kworker/0:1' }] },
        { kind: 'lanes', by: 'cpu' },
      ],
    ],
  ])('%s', (text, panels) => {
    expect(parseLanes(text)).toEqual(panels);
    expect(chartSpecSchema.parse({ version: 1, panels }).panels).toEqual(panels);
  });
  it('adds up where it is repeated', () => {
    expect(parseLanes('task:7', parseLanes('cpu,task:dd'))).toEqual([
      { kind: 'lanes', by: 'cpu' },
      { kind: 'lanes', by: 'task', tasks: [{ comm: 'dd' }, { pid: 7 }] },
    ]);
  });
  it.each(['', 'disk', 'task:', 'task:0', 'cpu:1', Array.from({ length: 65 }, (_, i) => `task:${i + 1}`).join()])(
    'refuses “%s”',
    (text) => {
      expect(() => parseLanes(text)).toThrow();
    },
  );
});
