import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import * as z from 'zod';
import { RemoraError } from '../shared/errors.ts';
import { App } from './app.tsx';
import { connect } from './bridge.ts';
import { bindKeys } from './commands/keys.ts';
import { keepNative } from './commands/native.ts';
import { noteCommands } from './commands/notes.ts';
import { registerCommands, runCommand } from './commands/registry.ts';
import { timelineCommands } from './commands/timeline.ts';
import { windowCommands } from './commands/window.ts';
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
registerCommands([...windowCommands, ...timelineCommands, ...noteCommands]);
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
      void reopen().then(() => reportError(new RemoraError({ code: 'engine-gone', message: notice.reason })));
    }
  });
  await openFiles(host.initialFiles);
}

whileBusy(start()).catch(reportError);
