import { useStore } from 'zustand';
import type { ErrorCode } from '../../shared/errors.ts';
import { dismissError } from '../state/connection.ts';
import { workspaceStore } from '../state/stores.ts';
import { CloseIcon, WarningIcon } from '../ui/icons.tsx';
import { countText } from '../ui/text.ts';

/** What the user can do, for errors whose message is not about what they did. */
const ADVICE: Partial<Record<ErrorCode, string>> = {
  'engine-gone': 'What was open is opened again; if this goes on, open the recording anew.',
  internal: 'This is a defect of Remora. Please report it with the recording, if you can.',
};

/** The last error: one message with file and offset, until it is dismissed. */
export function ErrorBanner() {
  const error = useStore(workspaceStore, (state) => state.error);
  if (!error) return null;
  // Messages for the command line name the file and the offset; here they have a line of their own.
  const message = error.file ? error.message.replaceAll(`${error.file}: `, '') : error.message;
  const place = [
    error.file,
    error.offset === undefined ? null : `byte ${countText(error.offset)} (0x${error.offset.toString(16)})`,
    error.section,
  ].filter(Boolean);
  return (
    <div role="alert" className="error-banner">
      <WarningIcon />
      <div>
        <p>{message}</p>
        {place.length > 0 && <p className="place mono">{place.join(' · ')}</p>}
        {ADVICE[error.code] && <p className="muted">{ADVICE[error.code]}</p>}
      </div>
      <button type="button" className="icon-button" aria-label="Dismiss the error" onClick={dismissError}>
        <CloseIcon />
      </button>
    </div>
  );
}
