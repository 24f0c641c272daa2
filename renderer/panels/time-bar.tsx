import { useEffect, useRef, useState } from 'react';
import { useStore } from 'zustand';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { formatLength, type TimeRange } from '../../shared/time.ts';
import { query, reportError } from '../state/connection.ts';
import { Latest } from '../state/latest.ts';
import { selectionStore, viewportStore } from '../state/stores.ts';
import { CommandButton } from '../ui/command-button.tsx';
import { BackIcon, FitIcon, NoteIcon, ZoomInIcon, ZoomOutIcon } from '../ui/icons.tsx';
import { countOf, momentText, offsetText } from '../ui/text.ts';
import { useTimeUnit } from '../ui/use-time-unit.ts';

/** Above the lanes: moving through time, the markers A and B with B−A, and what is selected. */
export function TimeBar({ summary }: { summary: WorkspaceSummary | null }) {
  return (
    <div className="time-bar">
      <div role="toolbar" aria-label="Timeline" className="toolbar">
        <CommandButton id="timeline.back" icon={<BackIcon />} />
        <CommandButton id="timeline.zoomIn" icon={<ZoomInIcon />} />
        <CommandButton id="timeline.zoomOut" icon={<ZoomOutIcon />} />
        <CommandButton id="timeline.fit" icon={<FitIcon />} />
        <CommandButton id="notes.add" icon={<NoteIcon />} text="Add note" />
      </div>
      <Markers summary={summary} />
      <Selected countable={summary !== null} />
      <ViewLength />
    </div>
  );
}

function Markers({ summary }: { summary: WorkspaceSummary | null }) {
  const a = useStore(selectionStore, (state) => state.markerA);
  const b = useStore(selectionStore, (state) => state.markerB);
  const unit = useTimeUnit();
  const active = useStore(selectionStore, (state) => state.activeMarker);
  const marker = (name: 'A' | 'B', timeNs: number | null) => (
    <button
      type="button"
      className={`marker marker-${name.toLowerCase()}`}
      aria-pressed={active === name}
      aria-label={`Marker ${name}: ${timeNs === null ? 'not set' : offsetText(timeNs, unit)}`}
      title={`${timeNs === null || !summary ? '' : `${momentText(timeNs, summary)}. `}Double click or M places marker ${active}; click to make ${name} the next one`}
      onClick={() => selectionStore.setState({ activeMarker: name })}
    >
      <b>{name}</b> <span className="mono">{timeNs === null ? '–' : offsetText(timeNs, unit)}</span>
    </button>
  );
  return (
    // biome-ignore lint/a11y/useSemanticElements: readouts, not form fields
    <div role="group" aria-label="Markers" className="markers">
      {marker('A', a)}
      {marker('B', b)}
      <output className="marker-delta" aria-label="B minus A">
        <b>B−A</b> <span className="mono">{a === null || b === null ? '–' : formatLength(b - a, unit, 7)}</span>
      </output>
    </div>
  );
}

/** Length of the selected range and, once that can be known, how many events it holds. */
function Selected({ countable }: { countable: boolean }) {
  const range = useStore(selectionStore, (state) => state.range);
  const unit = useTimeUnit();
  const events = useEventCount(countable ? range : null);
  if (!range) return null;
  return (
    <output className="numbers" aria-label="Selected range">
      <span className="muted">Selected</span> {formatLength(range.toNs - range.fromNs, unit)}
      {events !== null && ` · ${countOf(events, 'event')}`}
    </output>
  );
}

function useEventCount(range: TimeRange | null): number | null {
  const [count, setCount] = useState<number | null>(null);
  const latest = useRef(new Latest());
  useEffect(() => {
    setCount(null);
    if (!range) return latest.current.cancel();
    const row = (timeNs: number, signal: AbortSignal) => query('findRow', { filter: '', at: { timeNs } }, { signal });
    latest.current
      .run((signal) => Promise.all([row(range.fromNs, signal), row(range.toNs, signal)]))
      .then((found) => {
        if (!found) return;
        const [from, to] = found;
        // The nearest event may lie outside of the range.
        const first = from.timeNs < range.fromNs ? from.row + 1 : from.row;
        const last = to.timeNs > range.toNs ? to.row - 1 : to.row;
        setCount(Math.max(0, last - first + 1));
      }, reportError);
  }, [range]);
  return count;
}

function ViewLength() {
  const unit = useTimeUnit();
  const lengthNs = useStore(viewportStore, (state) => state.toNs - state.fromNs);
  return (
    <output className="numbers view-length" aria-label="Visible time">
      <span className="muted">Visible</span> {formatLength(lengthNs, unit)}
    </output>
  );
}
