import { useEffect, useState } from 'react';
import { useStore } from 'zustand';
import type { Progress } from '../../shared/api.ts';
import { formatLength } from '../../shared/time.ts';
import { cancelOpening, fileName } from '../state/session.ts';
import { workspaceStore } from '../state/stores.ts';
import { bytesText, countOf, countText } from '../ui/text.ts';
import { useTimeUnit } from '../ui/use-time-unit.ts';
import { StopButton } from './stop-button.tsx';

/** How far opening is, with cancel: over the window at first, below the timeline once there is something to look at. */

/** What is opened sooner shows no progress: it would only flash. */
const PATIENCE_MS = 250;

function usePatience(): boolean {
  const [over, setOver] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setOver(true), PATIENCE_MS);
    return () => clearTimeout(timer);
  }, []);
  return over;
}

export function OpeningCard() {
  return usePatience() ? <OpeningProgress className="opening opening-card" /> : null;
}

export function OpeningPanel() {
  return <div className="opening-panel">{usePatience() && <OpeningProgress className="opening" />}</div>;
}

function OpeningProgress({ className }: { className: string }) {
  const names = useStore(workspaceStore, (state) => state.opening);
  const progress = useStore(workspaceStore, (state) => state.progress);
  const stopping = useStore(workspaceStore, (state) => state.stopping);
  const label = `Opening ${fileName(names[0] ?? '')}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
  const known = progress !== null && progress.total > 0;
  return (
    <section className={className} aria-label={label}>
      <h2>{label}</h2>
      {known ? (
        <progress aria-label={progress.stage} value={progress.done} max={progress.total} />
      ) : (
        <progress aria-label={progress?.stage ?? 'Starting'} />
      )}
      <p className="muted numbers">{progress ? progressText(progress) : 'Starting'}</p>
      <p className="muted">
        {progress?.stoppable && 'Cancel shows what is indexed by then; the rest can follow later.'}
      </p>
      <div className="opening-buttons">
        <StopButton
          stopping={stopping}
          whenOverdue="Discard"
          title={progress?.stoppable ? 'Stop indexing and show what is there' : 'Nothing is indexed yet: open nothing'}
          onClick={cancelOpening}
        />
      </div>
    </section>
  );
}

function progressText({ stage, done, total, unit, events }: Progress): string {
  const amount = unit === 'bytes' ? bytesText : countText;
  const parts = [stage];
  if (total > 0) parts.push(`${amount(done)} of ${amount(total)}`, `${Math.floor((done / total) * 100)} %`);
  if (events !== undefined) parts.push(countOf(events, 'event'));
  return parts.join(' · ');
}

/** What is known of a recording while it is being indexed. */
export function OpeningDetails() {
  const names = useStore(workspaceStore, (state) => state.opening);
  const estimate = useStore(workspaceStore, (state) => state.estimate);
  const unit = useTimeUnit();
  if (!estimate) return null;
  return (
    <section className="details" aria-label="Recording">
      <p className="muted">
        Zoom and pan already: the lanes show an estimate of where events are. Tasks, events and plots follow with the
        index.
      </p>
      <dl className="facts">
        <dt>{names.length > 1 ? 'Files' : 'File'}</dt>
        <dd className="wrap">{names.join(', ')}</dd>
        <dt>Length</dt>
        <dd>about {formatLength(estimate.durationNs, unit)}</dd>
        <dt>Lanes</dt>
        <dd>{countOf(estimate.lanes.length, 'CPU')}</dd>
      </dl>
    </section>
  );
}
