import { useStore } from 'zustand';
import { narrowFilter } from '../panels/narrow-filter.ts';
import { startNote } from '../state/notes.ts';
import { selectRange } from '../state/selection.ts';
import { selectionStore, uiStore, workspaceStore } from '../state/stores.ts';
import { zoomToRange } from '../state/viewport.ts';
import { Menu, type MenuItem, type MenuSection } from '../ui/menu.tsx';
import { menuStore } from './pointing.ts';

/** What the right button offers on the timeline. */

/** What every place offers: its time, and the selected range if it lies in it. */
export function timeSections(ns: number): MenuSection[] {
  const { range } = selectionStore.getState();
  const inRange = range !== null && ns >= range.fromNs && ns <= range.toNs;
  const note: MenuItem = {
    label: inRange ? 'Add note to the selected range' : 'Add note here',
    run: () => {
      // A note goes to what is selected: here, nothing but this time.
      if (!inRange) selectionStore.setState({ range: null, event: null, eventTimeNs: null, hoverNs: ns });
      startNote();
    },
  };
  return [
    {
      title: 'Time',
      items: [
        ...(workspaceStore.getState().summary ? [note] : []),
        { label: 'Place marker A here', run: () => selectionStore.setState({ markerA: ns, activeMarker: 'B' }) },
        { label: 'Place marker B here', run: () => selectionStore.setState({ markerB: ns, activeMarker: 'A' }) },
        ...(inRange ? [{ label: 'Zoom to the selected range', run: () => zoomToRange(range) }] : []),
      ],
    },
  ];
}

/** Narrows the table to events that pass a test in the filter language. */
export const onlyInTable = (label: string, test: string): MenuItem => ({
  label,
  run: () => uiStore.setState({ tableFilter: narrowFilter(uiStore.getState().tableFilter, test), bottomTab: 'events' }),
});

export const zoomTo = (label: string, range: { fromNs: number; toNs: number }): MenuItem => ({
  label,
  run: () => {
    selectRange({ fromNs: range.fromNs, toNs: range.toNs });
    zoomToRange(range);
  },
});

export function TimeMenu() {
  const menu = useStore(menuStore, (state) => state.menu);
  if (!menu) return null;
  const { sections, x, y } = menu;
  return (
    <Menu label="Timeline" sections={sections} anchor={{ x, y }} onClose={() => menuStore.setState({ menu: null })} />
  );
}
