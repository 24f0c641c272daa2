import type { Episode, EventRef } from '../../shared/model.ts';
import type { TimeRange } from '../../shared/time.ts';
import { query, reportError } from './connection.ts';
import { selectionStore, viewportStore } from './stores.ts';
import { revealTime, zoomToRange } from './viewport.ts';

/** What the user points at: the selected event, the selected range, the markers A and B. */

/** Selects an event; lanes, table and details follow. `reveal` moves the view when the event is off screen. */
export function selectEvent(event: EventRef, timeNs: number, { reveal = true } = {}): void {
  const { stream, cpu, index } = event;
  selectionStore.setState({ event: { stream, cpu, index }, eventTimeNs: timeNs });
  if (reveal) revealTime(timeNs);
}

export function selectRange(range: TimeRange | null): void {
  selectionStore.setState({ range });
}

/** Selects the next (1) or previous (-1) event in the lane of the selected one, or of the first lane. */
export async function stepEvent(direction: 1 | -1): Promise<void> {
  const { event, eventTimeNs } = selectionStore.getState();
  const { fromNs, toNs } = viewportStore.getState();
  try {
    const next = await query('nearestEvent', {
      stream: event?.stream ?? 0,
      cpu: event?.cpu ?? 0,
      timeNs: eventTimeNs ?? (fromNs + toNs) / 2,
      direction,
    });
    if (next) selectEvent(next, next.timeNs);
  } catch (error) {
    reportError(error);
  }
}

/** Puts the active marker somewhere and makes the other one active. */
export function placeMarker(timeNs: number): void {
  const { activeMarker } = selectionStore.getState();
  if (activeMarker === 'A') selectionStore.setState({ markerA: timeNs, activeMarker: 'B' });
  else selectionStore.setState({ markerB: timeNs, activeMarker: 'A' });
}

/** Shows an episode: selects its range and zooms to it. */
export function showEpisode(episode: Episode): void {
  selectionStore.setState({
    episodeId: episode.id,
    range: { fromNs: episode.fromNs, toNs: episode.toNs },
  });
  zoomToRange(episode);
}

/** Moves all that is selected along with its times, which count from another origin now. */
export function moveSelection(shiftNs: number): void {
  if (shiftNs === 0) return;
  const { eventTimeNs, hoverNs, markerA, markerB, range } = selectionStore.getState();
  const moved = (timeNs: number | null) => (timeNs === null ? null : timeNs + shiftNs);
  selectionStore.setState({
    eventTimeNs: moved(eventTimeNs),
    hoverNs: moved(hoverNs),
    markerA: moved(markerA),
    markerB: moved(markerB),
    range: range && { fromNs: range.fromNs + shiftNs, toNs: range.toNs + shiftNs },
  });
}

/** Clears what is selected, step by step: the range first, then the event, then the markers. */
export function clearSelection(): void {
  const { range, event } = selectionStore.getState();
  if (range) selectionStore.setState({ range: null, episodeId: null, annotationId: null });
  else if (event) selectionStore.setState({ event: null, eventTimeNs: null });
  else
    selectionStore.setState({ markerA: null, markerB: null, activeMarker: 'A', episodeId: null, annotationId: null });
}
