import { Command, Option } from 'commander';
import type { Episode, EpisodeTotal, Finding, WorkspaceSummary } from '../../shared/model.ts';
import { formatSeconds, type TimeRange, toAbsNs } from '../../shared/time.ts';
import { totalEpisodes } from '../derive/throttle-totals.ts';
import { action, type CommandHost, positiveNumber } from './host.ts';
import { type InputOptions, readInput, withInput } from './input.ts';
import { csvLines, tableLines, writeJson, writeLines } from './output.ts';
import { parseWindow } from './time-point.ts';

interface EpisodesOptions extends InputOptions {
  by: 'cgroup' | 'task' | 'bdi' | 'none';
  gap?: number;
  csv?: boolean;
}

export function addEpisodes(program: Command, host: CommandHost): void {
  const command = new Command('episodes').description('throttle episodes and totals');
  withInput(command)
    .addOption(
      new Option('--by <key>', 'what the totals are per').choices(['cgroup', 'task', 'bdi', 'none']).default('cgroup'),
    )
    .addOption(
      new Option('--gap <ms>', 'pauses at most this far apart belong to one episode').argParser(positiveNumber),
    )
    .option('--csv', 'episodes as CSV')
    .action(
      action(host, (files: string[], options: EpisodesOptions) =>
        readInput(files, options, host, async ({ engine, summary }) => {
          const { workspaceId } = summary;
          const all = await engine.call(
            'episodes',
            { workspaceId, by: options.by, gapMs: options.gap, where: options.filter },
            host,
          );
          const found = within(all, parseWindow(options, summary), options.by);
          if (options.json) await writeJson(host.stdout, episodesDocument(found, summary));
          else if (options.csv) await writeLines(host.stdout, episodeCsv(found.episodes, summary));
          else await writeLines(host.stdout, episodeLines(found, summary, options.by));
        }),
      ),
    );
  program.addCommand(command);
}

interface Found {
  episodes: Episode[];
  totals: EpisodeTotal[];
  findings: Finding[];
}

/** Episodes that touch a window, whole, with the totals of those alone. */
function within(all: Found, { fromNs, toNs }: TimeRange, by: EpisodesOptions['by']): Found {
  const episodes = all.episodes.filter((episode) => episode.toNs >= fromNs && episode.fromNs <= toNs);
  if (episodes.length === all.episodes.length) return all;
  const findings = all.findings.filter(({ atNs }) => atNs >= fromNs && atNs <= toNs);
  return { episodes, totals: totalEpisodes(episodes, by), findings };
}

/** Start of an episode's stream on the workspace axis: the JSON's relative times count from there. */
const streamStart = (episode: Episode, summary: WorkspaceSummary): number =>
  summary.streams[episode.stream]?.fromNs ?? 0;

function episodesDocument({ episodes, totals, findings }: Found, summary: WorkspaceSummary): object {
  return {
    originNs: summary.originNs,
    episodes: episodes.map(({ fromNs, toNs, ...episode }) => {
      const start = streamStart(episode as Episode, summary);
      const { id, cgroup, bdi, task, ...rest } = episode;
      return { id, cgroup, bdi, task, startNs: fromNs - start, endNs: toNs - start, ...rest };
    }),
    totals,
    findings,
  };
}

export const cgroupName = ({ ino, path }: Episode['cgroup']): string => path || `inode ${ino}`;

const csvHeader = [
  'id',
  'cgroup_ino',
  'cgroup',
  'bdi',
  'pid',
  'comm',
  'start_ns',
  'end_ns',
  'events',
  'pauses',
  'pause_ms',
  'slept_ms',
  'max_pause_ms',
  'min_task_ratelimit_kibps',
  'max_dirty_over_limit',
  'domain',
  'cause',
] as const;

function* episodeCsv(episodes: readonly Episode[], summary: WorkspaceSummary): Generator<string> {
  yield* csvLines(
    csvHeader,
    episodes.map((episode) => [
      episode.id,
      episode.cgroup.ino,
      episode.cgroup.path,
      episode.bdi,
      episode.task.pid,
      episode.task.comm,
      episode.fromNs - streamStart(episode, summary),
      episode.toNs - streamStart(episode, summary),
      episode.events,
      episode.pauses,
      episode.pauseMs,
      episode.sleptMs,
      episode.maxPauseMs,
      episode.minTaskRatelimitKiBps,
      episode.maxDirtyOverLimit,
      episode.domain,
      episode.cause,
    ]),
  );
}

const seconds = (ms: number): string => (ms / 1000).toFixed(3);

export function* totalLines(totals: readonly EpisodeTotal[], by: EpisodesOptions['by']): Generator<string> {
  const rows = totals.map(({ key, episodes, tasks, pauses, pauseMs, wallMs, longestMs }) => [
    key || 'all',
    episodes,
    tasks,
    pauses,
    seconds(pauseMs),
    seconds(wallMs),
    seconds(longestMs),
  ]);
  yield* tableLines([by === 'none' ? '' : by, 'episodes', 'tasks', 'pauses', 'pause s', 'wall s', 'longest s'], rows);
}

function* episodeLines(
  { episodes, totals, findings }: Found,
  summary: WorkspaceSummary,
  by: EpisodesOptions['by'],
): Generator<string> {
  if (episodes.length === 0) yield 'No throttle episodes.';
  else {
    const originNs = BigInt(summary.originNs);
    const rows = episodes.map((episode) => [
      formatSeconds(toAbsNs(episode.fromNs, originNs)),
      seconds((episode.toNs - episode.fromNs) / 1e6),
      cgroupName(episode.cgroup),
      `${episode.task.comm}-${episode.task.pid}`,
      episode.bdi,
      episode.pauses,
      episode.pauseMs,
      episode.sleptMs === null ? null : Math.round(episode.sleptMs),
      episode.domain,
      episode.cause,
    ]);
    yield* tableLines(
      ['start', 'length s', 'cgroup', 'task', 'bdi', 'pauses', 'pause ms', 'slept ms', 'domain', 'cause'],
      rows,
    );
    yield '';
    yield* totalLines(totals, by);
  }
  for (const { message, atNs } of findings)
    yield `${formatSeconds(toAbsNs(atNs, BigInt(summary.originNs)))}: ${message}`;
}
