import { clearSelection, placeMarker, stepEvent } from '../state/selection.ts';
import { cancelOpening } from '../state/session.ts';
import { hasTimeline, selectionStore, viewportStore, workspaceStore } from '../state/stores.ts';
import { panBy, previousView, showAll, zoomBy, zoomToRange } from '../state/viewport.ts';
import type { Command } from './registry.ts';

const isOpen = () => workspaceStore.getState().summary !== null;
const isOpening = () => workspaceStore.getState().status === 'opening';
const ZOOM_STEP = 0.7;
const PAN_STEP = 0.15;

/** Where keyboard zoom holds still: under the pointer, else at the selected event if visible, else the middle. */
function anchorNs(): number {
  const { fromNs, toNs } = viewportStore.getState();
  const { hoverNs, eventTimeNs } = selectionStore.getState();
  const visible = (timeNs: number | null) => timeNs !== null && timeNs >= fromNs && timeNs <= toNs;
  if (visible(hoverNs)) return hoverNs as number;
  return visible(eventTimeNs) ? (eventTimeNs as number) : (fromNs + toNs) / 2;
}

function fitSelection(): void {
  const { range, eventTimeNs } = selectionStore.getState();
  if (range) zoomToRange(range);
  else if (eventTimeNs !== null) zoomToRange({ fromNs: eventTimeNs, toNs: eventTimeNs });
  else showAll();
}

function mark(): void {
  const { hoverNs, eventTimeNs } = selectionStore.getState();
  const timeNs = hoverNs ?? eventTimeNs;
  if (timeNs !== null) placeMarker(timeNs);
}

function clearOrCancel(): void {
  const { range, event } = selectionStore.getState();
  if (isOpening() && !range && !event) cancelOpening();
  else clearSelection();
}

export const timelineCommands: readonly Command[] = [
  {
    id: 'timeline.zoomIn',
    title: 'Zoom in',
    group: 'Timeline',
    keys: ['KeyW', '[Shift]+='],
    repeats: true,
    enabled: hasTimeline,
    run: () => zoomBy(ZOOM_STEP, anchorNs()),
  },
  {
    id: 'timeline.zoomOut',
    title: 'Zoom out',
    group: 'Timeline',
    keys: ['KeyS', '-'],
    repeats: true,
    enabled: hasTimeline,
    run: () => zoomBy(1 / ZOOM_STEP, anchorNs()),
  },
  {
    id: 'timeline.panLeft',
    title: 'Pan to earlier',
    group: 'Timeline',
    keys: ['KeyA'],
    repeats: true,
    enabled: hasTimeline,
    run: () => panBy(-PAN_STEP),
  },
  {
    id: 'timeline.panRight',
    title: 'Pan to later',
    group: 'Timeline',
    keys: ['KeyD'],
    repeats: true,
    enabled: hasTimeline,
    run: () => panBy(PAN_STEP),
  },
  {
    id: 'timeline.fit',
    title: 'Fit the selection, or everything',
    group: 'Timeline',
    keys: ['KeyF'],
    enabled: hasTimeline,
    run: fitSelection,
  },
  {
    id: 'timeline.all',
    title: 'Show the whole recording',
    group: 'Timeline',
    keys: ['0'],
    enabled: hasTimeline,
    run: showAll,
  },
  {
    id: 'timeline.back',
    title: 'Back to the previous view',
    group: 'Timeline',
    keys: ['Alt+ArrowLeft'],
    enabled: () => viewportStore.getState().history.length > 0,
    run: previousView,
  },
  {
    id: 'selection.nextEvent',
    title: 'Next event in the lane',
    group: 'Selection',
    keys: ['.'],
    repeats: true,
    enabled: isOpen,
    run: () => stepEvent(1),
  },
  {
    id: 'selection.previousEvent',
    title: 'Previous event in the lane',
    group: 'Selection',
    keys: [','],
    repeats: true,
    enabled: isOpen,
    run: () => stepEvent(-1),
  },
  {
    id: 'selection.mark',
    title: 'Place marker A or B',
    group: 'Selection',
    keys: ['KeyM'],
    enabled: hasTimeline,
    run: mark,
  },
  {
    id: 'selection.clear',
    title: 'Clear the selection, or cancel an opening',
    group: 'Selection',
    keys: ['Escape'],
    enabled: () => hasTimeline() || isOpening(),
    run: clearOrCancel,
  },
];
