import { InvalidArgumentError } from 'commander';
import { MOST_TASK_LANES, type PanelSpec, type TaskChoice } from '../../shared/chart.ts';

export type LanesPanel = Extract<PanelSpec, { kind: 'lanes' }>;

/**
 * The panels that `--lanes` asks for, each kind once and in the order of its first mention. Tasks that are named share a
 * panel; `task` alone is the tasks that ran longest, and gives way to names.
 */
export function parseLanes(text: string, before: readonly LanesPanel[] = []): LanesPanel[] {
  const panels = new Map<LanesPanel['by'], LanesPanel>(before.map((panel) => [panel.by, panel]));
  for (const part of text.split(',').map((kind) => kind.trim())) {
    const by = part === 'cgroup' ? 'episodes' : part.startsWith('task:') ? 'task' : part;
    if (by !== 'cpu' && by !== 'episodes' && by !== 'task') {
      throw new InvalidArgumentError(
        'Lanes are there per cpu, per cgroup and per task, for one task as task:PID or task:COMM.',
      );
    }
    const known = panels.get(by)?.tasks ?? [];
    const tasks = part.startsWith('task:') ? [...known, taskOf(part.slice('task:'.length).trim())] : known;
    if (tasks.length > MOST_TASK_LANES)
      throw new InvalidArgumentError(`A chart has lanes of at most ${MOST_TASK_LANES} tasks.`);
    panels.set(by, { kind: 'lanes', by, ...(tasks.length > 0 ? { tasks } : {}) });
  }
  return [...panels.values()];
}

/** A number is a pid, anything else a name. */
function taskOf(name: string): TaskChoice {
  if (name === '') throw new InvalidArgumentError('A task is named by its pid or its name: task:1234, task:bash.');
  if (!/^\d+$/.test(name)) return { comm: name };
  if (Number(name) === 0) throw new InvalidArgumentError('Pid 0 is the idle task of every CPU, and has no lane.');
  return { pid: Number(name) };
}
