import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import * as z from 'zod';
import { RemoraError } from '../shared/errors.ts';
import { App } from './app.tsx';
import { connect } from './bridge.ts';
import { captureCommands } from './commands/capture.ts';
import { bindKeys } from './commands/keys.ts';
import { keepNative } from './commands/native.ts';
import { noteCommands } from './commands/notes.ts';
import { registerCommands, runCommand } from './commands/registry.ts';
import { timelineCommands } from './commands/timeline.ts';
import { windowCommands } from './commands/window.ts';
import { resumeCapture, showedCapture } from './state/capture.ts';
import { attachHost, reportError } from './state/connection.ts';
import { whileBusy } from './state/idle.ts';
import { keepPreferences } from './state/preferences.ts';
import { openFiles, reopen } from './state/session.ts';
import { workspaceStore } from './state/stores.ts';
import { applyTheme } from './state/theme.ts';
import { watchView } from './state/view-memory.ts';
import './ui/window.css';

// The content policy forbids code made of text, which zod would try.
z.config({ jitless: true });
keepPreferences();
applyTheme();
registerCommands([...windowCommands, ...captureCommands, ...timelineCommands, ...noteCommands]);
bindKeys(window);
watchView();

createRoot(document.getElementById('root') as HTMLElement).render(
  <StrictMode>
    <App />
  </StrictMode>,
);

async function start(): Promise<void> {
  const host = await connect();
  attachHost(host);
  if (host.showState) keepNative(host.showState);
  workspaceStore.setState({ connected: true });
  host.onNotice((notice) => {
    if (notice.kind === 'open-files') void openFiles(notice.paths);
    else if (notice.kind === 'command') runCommand(notice.command);
    else {
      void comeBack().then(() => reportError(new RemoraError({ code: 'engine-gone', message: notice.reason })));
    }
  });
  await openFiles(host.initialFiles);
  // A page that was loaded again takes up the capture that it showed.
  await resumeCapture();
}

/** The engine or the way to it is new: what is captured goes on there, what was open is opened again. */
async function comeBack(): Promise<void> {
  const wasLive = showedCapture();
  const goesOn = await resumeCapture();
  if (!wasLive || !goesOn) await reopen();
}

whileBusy(start()).catch(reportError);
