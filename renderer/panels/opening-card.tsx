import { useStore } from 'zustand';
import type { Progress } from '../../shared/api.ts';
import { cancelOpening, fileName } from '../state/session.ts';
import { workspaceStore } from '../state/stores.ts';
import { bytesText, countOf, countText } from '../ui/text.ts';

/** Determinate progress of opening, with cancel. */
export function OpeningCard() {
  const names = useStore(workspaceStore, (state) => state.opening);
  const progress = useStore(workspaceStore, (state) => state.progress);
  const label = `Opening ${fileName(names[0] ?? '')}${names.length > 1 ? ` and ${names.length - 1} more` : ''}`;
  const known = progress !== null && progress.total > 0;
  return (
    <section className="opening-card" aria-label={label}>
      <h2>{label}</h2>
      {known ? (
        <progress aria-label={progress.stage} value={progress.done} max={progress.total} />
      ) : (
        <progress aria-label={progress?.stage ?? 'Starting'} />
      )}
      <p className="muted numbers">{progress ? progressText(progress) : 'Starting'}</p>
      <button type="button" className="button" onClick={cancelOpening}>
        Cancel
      </button>
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
