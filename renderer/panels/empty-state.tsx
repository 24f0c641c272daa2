import { useEffect, useState } from 'react';
import { runCommand } from '../commands/registry.ts';
import { call, reportError } from '../state/connection.ts';
import { fileName, openFiles } from '../state/session.ts';
import { AttachIcon, OpenIcon, RecordingIcon } from '../ui/icons.tsx';

/** What the window shows while nothing is open. */
export function EmptyState() {
  const [recent, setRecent] = useState<{ path: string; openedMs: number }[]>([]);
  useEffect(() => {
    call('recentFiles', {}).then(setRecent, reportError);
  }, []);
  const openSample = () => {
    call('hello', {}).then(({ sample }) => openFiles([sample]), reportError);
  };
  return (
    <div className="empty-state">
      <h1>Remora</h1>
      <p className="muted">Timelines, field plots and throttle episodes of Linux kernel traces.</p>
      <div className="empty-actions">
        <button type="button" className="button primary" onClick={() => runCommand('file.open')}>
          <OpenIcon /> Open a recording…
        </button>
        <button type="button" className="button" onClick={() => runCommand('capture.attach')}>
          <AttachIcon /> Attach to a machine…
        </button>
        <button type="button" className="button" onClick={openSample}>
          <RecordingIcon /> Open the sample
        </button>
      </div>
      <p className="muted">Or drop a trace.dat anywhere in this window.</p>
      {recent.length > 0 && (
        <section aria-labelledby="recent-title">
          <h2 id="recent-title">Recent files</h2>
          <ul className="recent">
            {recent.slice(0, 12).map(({ path, openedMs }) => (
              <li key={path}>
                <button type="button" className="link-row" title={path} onClick={() => void openFiles([path])}>
                  <span className="name">{fileName(path)}</span>
                  <span className="muted path">
                    <bdi>{path.slice(0, -fileName(path).length)}</bdi>
                  </span>
                  <time className="muted" dateTime={new Date(openedMs).toISOString()}>
                    {new Date(openedMs).toLocaleDateString()}
                  </time>
                </button>
              </li>
            ))}
          </ul>
        </section>
      )}
    </div>
  );
}
