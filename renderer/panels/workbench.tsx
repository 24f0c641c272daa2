import { Group, type Layout, Panel, Separator } from 'react-resizable-panels';
import { useStore } from 'zustand';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { annotationsStore, episodesStore, uiStore } from '../state/stores.ts';
import { Timeline } from '../timeline/timeline.tsx';
import { Tabs } from '../ui/tabs.tsx';
import { EpisodesPanel } from './episodes-panel.tsx';
import { EventDetails } from './event-details.tsx';
import { EventTable } from './event-table.tsx';
import { NoteEditor } from './note-editor.tsx';
import { NotesPanel } from './notes-panel.tsx';
import { OpeningDetails, OpeningPanel } from './opening.tsx';
import { TimeBar } from './time-bar.tsx';
import { WarningsPanel } from './warnings-panel.tsx';

const DETAILS_MIN_PX = 260;

/** The details' width until somebody changes it: enough for fields with long names, but not half of a small window. */
const detailsPx = (): number => Math.max(DETAILS_MIN_PX, Math.min(440, Math.round(window.innerWidth * 0.34)));

/**
 * The window with something open: timeline and plots above, lists below, details at the right. Without a summary it is
 * still being opened: the timeline shows an estimate, and how far indexing is takes the place of the lists.
 */
export function Workbench({ summary }: { summary: WorkspaceSummary | null }) {
  const layout = uiStore.getState().layout;
  const keep = (group: string) => (sizes: Layout) =>
    uiStore.setState({ layout: { ...uiStore.getState().layout, [group]: sizes } });
  return (
    <div className="workbench">
      <TimeBar summary={summary} />
      <Group
        orientation="horizontal"
        defaultLayout={layout.columns}
        onLayoutChanged={keep('columns')}
        className="workbench-panels"
      >
        <Panel id="main" minSize={420}>
          <Group orientation="vertical" defaultLayout={layout.rows} onLayoutChanged={keep('rows')}>
            <Panel id="timeline" defaultSize="62" minSize={160}>
              <div className="timeline-body">
                <Timeline />
                <NoteEditor />
              </div>
            </Panel>
            <Separator className="separator" aria-label="Height of the lists" />
            <Panel id="lists" minSize={120}>
              {summary ? <Lists key={summary.workspaceId} summary={summary} /> : <OpeningPanel />}
            </Panel>
          </Group>
        </Panel>
        <Separator className="separator" aria-label="Width of the details" />
        <Panel
          id="details"
          defaultSize={detailsPx()}
          minSize={DETAILS_MIN_PX}
          groupResizeBehavior="preserve-pixel-size"
        >
          {summary ? <EventDetails key={summary.workspaceId} summary={summary} /> : <OpeningDetails />}
        </Panel>
      </Group>
    </div>
  );
}

function Lists({ summary }: { summary: WorkspaceSummary }) {
  const tab = useStore(uiStore, (state) => state.bottomTab);
  const episodes = useStore(episodesStore, (state) => state.episodes.length);
  const notes = useStore(annotationsStore, (state) => state.annotations.length);
  return (
    <Tabs
      label="Lists"
      selected={tab}
      onSelect={(key) => uiStore.setState({ bottomTab: key })}
      tabs={[
        { key: 'events', label: 'Events', panel: <EventTable summary={summary} /> },
        { key: 'episodes', label: 'Episodes', count: episodes, panel: <EpisodesPanel /> },
        { key: 'notes', label: 'Notes', count: notes, panel: <NotesPanel /> },
        {
          key: 'warnings',
          label: 'Warnings',
          count: summary.warnings.length,
          panel: <WarningsPanel summary={summary} />,
        },
      ]}
    />
  );
}
