import type { Episode, EpisodeTotal } from '../../shared/model.ts';
import { cgroupLabel } from './cgroups.ts';

export type TotalKey = 'cgroup' | 'task' | 'bdi' | 'none';

/** What each cgroup, task or device was throttled in all: the most pause first. `none`: one total, with an empty key. */
export function totalEpisodes(episodes: readonly Episode[], by: TotalKey): EpisodeTotal[] {
  const groups = new Map<string, Episode[]>();
  for (const episode of episodes) {
    const key = keyOf(episode, by);
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [episode]);
    else group.push(episode);
  }
  const totals = [...groups].map(
    ([key, group]): EpisodeTotal => ({
      key,
      episodes: group.length,
      tasks: new Set(group.map(({ stream, task }) => `${stream} ${task.pid}`)).size,
      pauses: group.reduce((sum, { pauses }) => sum + pauses, 0),
      pauseMs: group.reduce((sum, { pauseMs }) => sum + pauseMs, 0),
      wallMs: unionNs(group) / 1e6,
      longestMs: Math.max(...group.map(({ fromNs, toNs }) => toNs - fromNs)) / 1e6,
    }),
  );
  return totals.sort((a, b) => b.pauseMs - a.pauseMs || (a.key < b.key ? -1 : 1));
}

function keyOf(episode: Episode, by: TotalKey): string {
  switch (by) {
    case 'cgroup':
      return cgroupLabel(episode.cgroup);
    case 'task':
      return `${episode.task.comm}-${episode.task.pid}`;
    case 'bdi':
      return episode.bdi;
    case 'none':
      return '';
  }
}

/** Length of the union of the episodes: two tasks paused at the same time count once. */
function unionNs(episodes: readonly Episode[]): number {
  let total = 0;
  let coveredTo = Number.NEGATIVE_INFINITY;
  for (const { fromNs, toNs } of [...episodes].sort((a, b) => a.fromNs - b.fromNs)) {
    if (toNs <= coveredTo) continue;
    total += toNs - Math.max(fromNs, coveredTo);
    coveredTo = toNs;
  }
  return total;
}
