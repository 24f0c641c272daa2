import { createStore } from 'zustand/vanilla';
import type { TaskLane, TaskLanesResult } from '../../shared/api.ts';
import { type ErrorDetail, toErrorDetail } from '../../shared/errors.ts';
import { query } from '../state/connection.ts';
import { type ShownTask, taskLanesStore, workspaceStore } from '../state/stores.ts';
import { ViewLoader } from './view-loader.ts';

/** The data of the tasks' lanes around the view, as `lanesStore` has that of the CPUs. */
interface TaskLanesState {
  result: TaskLanesResult | null;
  /** By `taskLaneKey`. */
  lanes: Map<string, TaskLane>;
  error: ErrorDetail | null;
}
const nothing: TaskLanesState = { result: null, lanes: new Map(), error: null };
export const taskDataStore = createStore<TaskLanesState>(() => nothing);

export const taskLaneKey = ({ stream, pid }: Pick<ShownTask, 'stream' | 'pid'>): string => `${stream} ${pid}`;

/** Loads the chosen tasks' lanes for whatever the view shows, until the returned function is called. */
export function keepTaskLanesLoaded(): () => void {
  const loader = new ViewLoader<TaskLanesResult | null>(
    (window, signal) => {
      const tasks = taskLanesStore.getState().tasks.map(({ stream, pid }) => ({ stream, pid }));
      return tasks.length === 0 ? Promise.resolve(null) : query('taskLanes', { ...window, tasks }, { signal });
    },
    (result) =>
      taskDataStore.setState({
        result,
        lanes: new Map(result?.lanes.map((lane) => [taskLaneKey(lane), lane])),
        error: null,
      }),
    (error) => taskDataStore.setState({ error: toErrorDetail(error) }),
  );
  const stops = [
    taskLanesStore.subscribe(() => loader.reload()),
    workspaceStore.subscribe((state, before) => {
      if (state.summary?.workspaceId === before.summary?.workspaceId) return;
      taskDataStore.setState(nothing);
      loader.reload();
    }),
  ];
  return () => {
    for (const stop of stops) stop();
    loader.stop();
    taskDataStore.setState(nothing);
  };
}
