import type { Stopping } from '../state/stoppable.ts';

/** Ends indexing with what is there. `whenOverdue`: what it says when the engine does not answer, and does then. */
export function StopButton({
  stopping,
  whenOverdue,
  title,
  onClick,
}: {
  stopping: Stopping;
  whenOverdue: string;
  title: string;
  onClick: () => void;
}) {
  const text = { no: 'Cancel', asked: 'Stopping …', overdue: whenOverdue }[stopping];
  const hint = stopping === 'overdue' ? 'The engine has not stopped yet: go on without what is indexed' : title;
  return (
    <button type="button" className="button" title={hint} disabled={stopping === 'asked'} onClick={onClick}>
      {text}
    </button>
  );
}
