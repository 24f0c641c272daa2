import { quoteString } from '../../shared/filter/lex.ts';
import type { EventRow } from '../../shared/model.ts';
import { reportError } from '../state/connection.ts';
import { type ShownTask, selectionStore, uiStore } from '../state/stores.ts';
import { showTaskLane } from '../state/task-lanes.ts';
import { zoomToRange } from '../state/viewport.ts';
import type { MenuSection } from '../ui/menu.tsx';
import { narrowFilter } from './narrow-filter.ts';

const taskOf = ({ stream, pid, comm }: EventRow): ShownTask => ({ stream, pid, comm });

/** What the right button offers on an event of the table. */
export function eventMenu(event: EventRow): MenuSection[] {
  const filter = (label: string, test: string) => ({
    label,
    run: () => uiStore.setState({ tableFilter: narrowFilter(uiStore.getState().tableFilter, test) }),
  });
  const name = quoteString(event.eventName);
  return [
    {
      title: 'Filter',
      items: [
        filter(`Only ${event.eventName}`, `event == ${name}`),
        filter(`Hide ${event.eventName}`, `event != ${name}`),
        filter(`Only ${event.comm}-${event.pid}`, `pid == ${event.pid}`),
        filter(`Hide ${event.comm}-${event.pid}`, `pid != ${event.pid}`),
        filter(`Only CPU ${event.cpu}`, `cpu == ${event.cpu}`),
      ],
    },
    {
      title: 'Event',
      items: [
        // Pid 0 is the idle task of every CPU.
        ...(event.pid > 0 ? [{ label: 'Show task lane', run: () => showTaskLane(taskOf(event)) }] : []),
        { label: 'Zoom to it', run: () => zoomToRange({ fromNs: event.timeNs, toNs: event.timeNs }) },
        {
          label: 'Place marker A here',
          run: () => selectionStore.setState({ markerA: event.timeNs, activeMarker: 'B' }),
        },
        {
          label: 'Place marker B here',
          run: () => selectionStore.setState({ markerB: event.timeNs, activeMarker: 'A' }),
        },
        { label: 'Copy its text', run: () => void navigator.clipboard.writeText(event.info).catch(reportError) },
      ],
    },
  ];
}
