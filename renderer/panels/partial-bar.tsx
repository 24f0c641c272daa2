import { useStore } from 'zustand';
import type { PartialIndex } from '../../shared/model.ts';
import { setAside } from '../state/aside.ts';
import { cancelRest, coverageText, indexRest, percentOf } from '../state/rest-of-index.ts';
import { closeWorkspace, workspaceName } from '../state/session.ts';
import { restStore, workspaceStore } from '../state/stores.ts';
import { WarningIcon } from '../ui/icons.tsx';
import { StopButton } from './stop-button.tsx';

const STOP_TITLE = 'Stop and show what is indexed by then; the rest can follow later';

/** Below the header while the recording is indexed in part: how much there is, the way to the rest and the way out. */
export function PartialBar() {
  const summary = useStore(workspaceStore, (state) => state.summary);
  return summary?.partial ? <Bar partial={summary.partial} workspaceId={summary.workspaceId} /> : null;
}

function Bar({ partial, workspaceId }: { partial: PartialIndex; workspaceId: string }) {
  const running = useStore(restStore, (state) => state.workspaceId === workspaceId);
  const progress = useStore(restStore, (state) => state.progress);
  const stopping = useStore(restStore, (state) => state.stopping);
  const before = setAside();
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
      {running ? (
        <StopButton stopping={stopping} whenOverdue="Do not wait" title={STOP_TITLE} onClick={cancelRest} />
      ) : (
        <button type="button" className="button" onClick={() => void indexRest()}>
          Index the rest
        </button>
      )}
      <button type="button" className="button" title="The index of this part is discarded" onClick={closeWorkspace}>
        {before ? `Back to ${workspaceName(before)}` : 'Close'}
      </button>
    </section>
  );
}
