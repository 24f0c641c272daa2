import { useState } from 'react';
import { toErrorDetail } from '../../shared/errors.ts';
import { call } from '../state/connection.ts';
import { countOf } from '../ui/text.ts';

/** Tracing instances that a killed capture left behind: they take memory and may still trace. */
export function StaleInstances({
  host,
  names,
  onRemoved,
}: {
  /** Empty: this machine. */
  host: string;
  names: readonly string[];
  onRemoved: () => void;
}) {
  const [message, setMessage] = useState('');
  if (names.length === 0) return null;
  const remove = async () => {
    try {
      const { kept } = await call('removeStaleInstances', host === '' ? {} : { host });
      if (kept.length > 0) setMessage(`Somebody has ${kept.join(', ')} open.`);
      else onRemoved();
    } catch (error) {
      setMessage(toErrorDetail(error).message);
    }
  };
  return (
    <div className="stale-instances" role="status">
      <span>
        A capture that was killed left {countOf(names.length, 'tracing instance')} behind:{' '}
        <code>{names.join(', ')}</code>
      </span>
      {message && <span className="field-error">{message}</span>}
      <button type="button" className="button" onClick={() => void remove()}>
        Remove
      </button>
    </div>
  );
}
