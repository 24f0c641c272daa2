import { useSyncExternalStore } from 'react';
import { useStore } from 'zustand';
import { timeUnitOf } from '../../shared/time.ts';
import { isIdle, onIdleChange } from '../state/idle.ts';
import { selectionStore, workspaceStore } from '../state/stores.ts';
import { momentText, offsetText } from '../ui/text.ts';

/** Bottom of the window: whether something is being fetched, and the time under the pointer. */
export function StatusLine() {
  const idle = useSyncExternalStore(onIdleChange, isIdle);
  const summary = useStore(workspaceStore, (state) => state.summary);
  const hoverNs = useStore(selectionStore, (state) => state.hoverNs);
  const recording = summary?.recordings[0];
  return (
    <footer className="status-line">
      <span className={idle ? 'idle' : 'idle working'}>{idle ? 'Ready' : 'Working'}</span>
      {recording && (
        <span className="ellipsis">
          {recording.format}
          {recording.version > 0 && ` v${recording.version}`}
          {recording.compression !== 'none' && `, ${recording.compression}`}
          {recording.uname && ` · ${recording.uname}`}
        </span>
      )}
      <span className="mono hover-time">
        {summary && hoverNs !== null && `${offsetText(hoverNs, timeUnitOf(summary))}  ${momentText(hoverNs, summary)}`}
      </span>
    </footer>
  );
}
