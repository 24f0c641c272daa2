import { useStore } from 'zustand';
import type { ErrorCode } from '../../shared/errors.ts';
import { dismissError } from '../state/connection.ts';
import { workspaceStore } from '../state/stores.ts';
import { CloseIcon, WarningIcon } from '../ui/icons.tsx';
import { countText } from '../ui/text.ts';

/** What the user can do, where the message alone does not say. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  'not-a-trace': 'Remora opens trace.dat files of trace-cmd and *.remora workspaces.',
  'unsupported-version': 'Recordings of version 6 and 7 can be read.',
  damaged: 'Nothing in the file could be read. Try another copy of it.',
  file: 'Check that the file is there and that you may read it.',
  workspace: 'Deleting the workspace file makes Remora build it anew; notes kept in it are lost.',
  'engine-gone': 'What was open is opened again; if this goes on, open the recording anew.',
  internal: 'This is a defect of Remora. Please report it with the recording, if you can.',
};

/** The last error: one message with file and offset, until it is dismissed. */
export function ErrorBanner() {
  const error = useStore(workspaceStore, (state) => state.error);
  if (!error) return null;
  const place = [
    error.file,
    error.offset === undefined ? null : `byte ${countText(error.offset)} (0x${error.offset.toString(16)})`,
    error.section,
  ].filter(Boolean);
  return (
    <div role="alert" className="error-banner">
      <WarningIcon />
      <div>
        <p>{error.message}</p>
        {place.length > 0 && <p className="place mono">{place.join(' · ')}</p>}
        {ADVICE[error.code] && <p className="muted">{ADVICE[error.code]}</p>}
      </div>
      <button type="button" className="icon-button" aria-label="Dismiss the error" onClick={dismissError}>
        <CloseIcon />
      </button>
    </div>
  );
}
