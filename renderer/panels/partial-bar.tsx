import { useStore } from 'zustand';
import type { PartialIndex } from '../../shared/model.ts';
import { cancelRest, coverageText, indexRest, percentOf } from '../state/rest-of-index.ts';
import { restStore, workspaceStore } from '../state/stores.ts';
import { WarningIcon } from '../ui/icons.tsx';

/** Below the header while the recording is indexed in part: how much there is, and the way to the rest. */
export function PartialBar() {
  const summary = useStore(workspaceStore, (state) => state.summary);
  return summary?.partial ? <Bar partial={summary.partial} workspaceId={summary.workspaceId} /> : null;
}

function Bar({ partial, workspaceId }: { partial: PartialIndex; workspaceId: string }) {
  const running = useStore(restStore, (state) => state.workspaceId === workspaceId);
  const progress = useStore(restStore, (state) => state.progress);
  return (
    <section className="partial-bar" aria-label="Part of the recording">
      <WarningIcon />
      <p>
        <b className="numbers">Only {percentOf(partial)} % of the data is indexed</b>: {coverageText(partial)}. Lanes,
        lists, plots and all totals are of this part.
      </p>
      {running && (
        <progress
          aria-label="Indexing the rest"
          value={progress?.done ?? partial.bytes}
          max={progress?.total || partial.totalBytes}
        />
      )}
      <button type="button" className="button" onClick={running ? cancelRest : () => void indexRest()}>
        {running ? 'Cancel' : 'Index the rest'}
      </button>
    </section>
  );
}
