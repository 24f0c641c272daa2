import type { Episode } from '../../shared/model.ts';
import { NS_PER_MS, type TimeUnit } from '../../shared/time.ts';
import { formatNumber } from '../../shared/units.ts';
import { offsetText } from '../ui/text.ts';

/** One column of the episode table: its text, and what it is sorted by. */
export interface EpisodeColumn {
  key: string;
  title: string;
  hint: string;
  /** CSS grid width. */
  width: string;
  right?: boolean;
  text(episode: Episode, unit: TimeUnit): string;
  value(episode: Episode): number | string;
}

const number = (value: number): string => formatNumber(value, { grouping: true });

/** What a cgroup is called: its path, or its inode where nothing else is known. */
export const cgroupName = ({ cgroup }: Pick<Episode, 'cgroup'>): string => cgroup.path || `inode ${cgroup.ino}`;

const text = (
  key: string,
  title: string,
  hint: string,
  width: string,
  of: (episode: Episode) => string,
): EpisodeColumn => ({
  key,
  title,
  hint,
  width,
  text: of,
  value: of,
});
/** Null (not known) sorts before every number. */
const amount = (
  key: string,
  title: string,
  hint: string,
  width: string,
  of: (episode: Episode) => number | null,
): EpisodeColumn => ({
  key,
  title,
  hint,
  width,
  right: true,
  text: (episode) => {
    const value = of(episode);
    return value === null ? '–' : number(value);
  },
  value: (episode) => of(episode) ?? Number.NEGATIVE_INFINITY,
});

export const episodeColumns: readonly EpisodeColumn[] = [
  text('cgroup', 'Cgroup', 'Cgroup of the writeback context', 'minmax(90px, 1fr)', cgroupName),
  text('task', 'Task', 'The task that was paused', 'minmax(110px, 1fr)', ({ task }) => `${task.comm}-${task.pid}`),
  text('bdi', 'Device', 'Backing device (bdi)', '66px', (episode) => episode.bdi),
  {
    key: 'start',
    title: 'Start',
    hint: 'First event with a pause, from the start of the recording',
    width: '106px',
    right: true,
    text: (episode, unit) => offsetText(episode.fromNs, unit, 6),
    value: (episode) => episode.fromNs,
  },
  amount(
    'duration',
    'Length, ms',
    'From the first pause to the end of the last',
    '82px',
    (episode) => (episode.toNs - episode.fromNs) / NS_PER_MS,
  ),
  amount('pauses', 'Pauses', 'Events with a pause', '64px', (episode) => episode.pauses),
  amount('pauseMs', 'Pause, ms', 'Sum of the pauses that were asked for', '82px', (episode) => episode.pauseMs),
  amount(
    'sleptMs',
    'Slept, ms',
    'Time asleep after the pauses as sched_switch shows it',
    '82px',
    (episode) => episode.sleptMs,
  ),
  amount('minRate', 'Min rate, KiB/s', 'Smallest task_ratelimit', '112px', (episode) => episode.minTaskRatelimitKiBps),
  amount('dirty', 'Dirty/limit', 'Largest dirty / limit', '88px', (episode) => episode.maxDirtyOverLimit),
  text('domain', 'Domain', 'Which limit acted', '78px', (episode) => episode.domain),
  text('cause', 'Cause', 'One sentence of cause', 'minmax(240px, 6fr)', (episode) => episode.cause),
];

/** Sorted copy; episodes that compare equal stay in order of time. */
export function sortEpisodes(
  episodes: readonly Episode[],
  { column, descending }: { column: string; descending: boolean },
): Episode[] {
  const value = episodeColumns.find(({ key }) => key === column)?.value;
  if (!value) return [...episodes];
  const sign = descending ? -1 : 1;
  return [...episodes].sort((a, b) => {
    const x = value(a);
    const y = value(b);
    const order = typeof x === 'number' && typeof y === 'number' ? x - y || 0 : String(x).localeCompare(String(y));
    return order === 0 || Number.isNaN(order) ? a.fromNs - b.fromNs : order * sign;
  });
}
