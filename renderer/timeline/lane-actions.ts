import { segmentAt } from '../../shared/draw/ribbons.ts';
import type { Episode, EventRow } from '../../shared/model.ts';
import { query, reportError } from '../state/connection.ts';
import { selectEvent, selectRange } from '../state/selection.ts';
import { episodesStore, selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';
import { revealTime } from '../state/viewport.ts';
import type { LaneRow } from './layout.ts';

/** What clicks and keys do on a lane. */

type CpuRow = Extract<LaneRow, { kind: 'cpu' }>;
type RibbonRow = Extract<LaneRow, { kind: 'ribbon' }>;

/** The event of a CPU lane nearest to a time, the first after it (1) or the last before it (-1); null: none known. */
export async function eventNear(
  row: Pick<CpuRow, 'stream' | 'cpu'>,
  timeNs: number,
  direction: -1 | 0 | 1 = 0,
): Promise<EventRow | null> {
  // What is still being indexed has no events to name.
  if (!workspaceStore.getState().summary) return null;
  return query('nearestEvent', { stream: row.stream, cpu: row.cpu, timeNs, direction });
}

export async function selectNear(row: CpuRow, timeNs: number, direction: -1 | 0 | 1 = 0): Promise<void> {
  try {
    const event = await eventNear(row, timeNs, direction);
    if (event) selectEvent(event, event.timeNs);
  } catch (error) {
    reportError(error);
  }
}

/** Selects an event or episode of a lane: the nearest one (0), the next (1) or the previous (-1). */
export function stepInLane(row: CpuRow | RibbonRow, direction: -1 | 0 | 1): void {
  const { fromNs, toNs } = viewportStore.getState();
  const { event, eventTimeNs, range } = selectionStore.getState();
  const middle = (fromNs + toNs) / 2;
  if (row.kind === 'cpu') {
    const inLane = event?.stream === row.stream && event.cpu === row.cpu;
    void selectNear(row, inLane && eventTimeNs !== null ? eventTimeNs : middle, inLane ? direction : 0);
  } else stepEpisode(row, range?.fromNs ?? middle, direction);
}

function stepEpisode(row: RibbonRow, atNs: number, direction: -1 | 0 | 1): void {
  const episodes = episodesOf(row);
  const later = episodes.findIndex((episode) => episode.fromNs > atNs);
  const after = later < 0 ? episodes.length : later;
  const episode =
    direction === 1
      ? episodes[after]
      : direction === -1
        ? episodes.findLast((other) => other.fromNs < atNs)
        : (episodes[after - 1] ?? episodes[after]);
  if (episode) selectEpisode(episode);
}

/** Selects an episode and its range, without changing the zoom. */
export function selectEpisode(episode: Episode): void {
  selectRange({ fromNs: episode.fromNs, toNs: episode.toNs });
  selectionStore.setState({ episodeId: episode.id });
  revealTime(episode.fromNs);
}

/** Episodes of a ribbon's cgroup, ascending. */
function episodesOf(row: RibbonRow): Episode[] {
  const ids = new Set(row.ribbon.segments.flatMap((segment) => segment.episodes));
  return episodesStore
    .getState()
    .episodes.filter((episode) => ids.has(episode.id))
    .sort((a, b) => a.fromNs - b.fromNs);
}

/** Episodes under way at a time on a ribbon. */
export function episodesAt(row: RibbonRow, ns: number): Episode[] {
  const ids = new Set(segmentAt(row.ribbon, ns)?.episodes ?? []);
  return episodesStore.getState().episodes.filter((episode) => ids.has(episode.id));
}
