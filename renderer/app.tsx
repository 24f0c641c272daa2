import { useStore } from 'zustand';
import { AttachDialog } from './panels/attach-dialog.tsx';
import { DropZone } from './panels/drop-zone.tsx';
import { EmptyState } from './panels/empty-state.tsx';
import { ErrorBanner } from './panels/error-banner.tsx';
import { ExportDialog } from './panels/export-dialog.tsx';
import { Header } from './panels/header.tsx';
import { HelpDialog } from './panels/help-dialog.tsx';
import { LiveBar } from './panels/live-bar.tsx';
import { OpenDialog } from './panels/open-dialog.tsx';
import { OpeningCard } from './panels/opening.tsx';
import { CommandPalette } from './panels/palette.tsx';
import { PartialBar } from './panels/partial-bar.tsx';
import { StatusLine } from './panels/status-line.tsx';
import { Workbench } from './panels/workbench.tsx';
import { uiStore, workspaceStore } from './state/stores.ts';

/** The window: what is open decides what it shows. */
export function App() {
  const connected = useStore(workspaceStore, (state) => state.connected);
  const status = useStore(workspaceStore, (state) => state.status);
  const summary = useStore(workspaceStore, (state) => state.summary);
  const estimate = useStore(workspaceStore, (state) => state.estimate);
  return (
    <div className="window">
      <Header />
      <LiveBar />
      <PartialBar />
      <ErrorBanner />
      <main className="window-body">
        {summary || estimate ? <Workbench summary={summary} /> : status === 'empty' && connected && <EmptyState />}
        {status === 'opening' && !estimate && <OpeningCard />}
      </main>
      <StatusLine />
      <Dialogs />
      <DropZone />
    </div>
  );
}

function Dialogs() {
  const dialog = useStore(uiStore, (state) => state.dialog);
  const summary = useStore(workspaceStore, (state) => state.summary);
  if (dialog === 'open') return <OpenDialog />;
  if (dialog === 'attach') return <AttachDialog />;
  if (dialog === 'help') return <HelpDialog />;
  if (dialog === 'palette') return <CommandPalette />;
  if (dialog === 'export' && summary) return <ExportDialog summary={summary} />;
  return null;
}
