import { MOST_TASK_LANES } from '../../shared/chart.ts';
import { type ShownTask, taskLanesStore } from './stores.ts';

/** Adding and taking away lanes of tasks. */

type Task = Pick<ShownTask, 'stream' | 'pid'>;
const same = (a: Task, b: Task): boolean => a.stream === b.stream && a.pid === b.pid;

export const hasTaskLane = (task: Task): boolean => taskLanesStore.getState().tasks.some((other) => same(other, task));

/** Adds a lane below the others; one that is there stays where it is. Of too many, the oldest goes. */
export function showTaskLane(task: ShownTask): void {
  if (hasTaskLane(task)) return;
  const { tasks } = taskLanesStore.getState();
  taskLanesStore.setState({ tasks: [...tasks, task].slice(-MOST_TASK_LANES) });
}

export function hideTaskLane(task: Task): void {
  taskLanesStore.setState(({ tasks }) => ({ tasks: tasks.filter((other) => !same(other, task)) }));
}
