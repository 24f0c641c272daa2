import { useStore } from 'zustand';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { formatLength, timeUnitOf } from '../../shared/time.ts';
import { captureStore } from '../state/capture.ts';
import { ofPart } from '../state/rest-of-index.ts';
import { fileName, workspaceName } from '../state/session.ts';
import { type UiState, uiStore, workspaceStore } from '../state/stores.ts';
import { CommandButton } from '../ui/command-button.tsx';
import {
  AttachIcon,
  DarkThemeIcon,
  ExportIcon,
  HelpIcon,
  LightThemeIcon,
  OpenIcon,
  SystemThemeIcon,
  WarningIcon,
} from '../ui/icons.tsx';
import { countOf, countText } from '../ui/text.ts';

const THEME_ICONS: Record<UiState['theme'], () => React.ReactNode> = {
  system: SystemThemeIcon,
  light: LightThemeIcon,
  dark: DarkThemeIcon,
};

/** Top of the window: what is open, and what can be done with it. */
export function Header() {
  const summary = useStore(workspaceStore, (state) => state.summary);
  const opening = useStore(workspaceStore, ({ estimate, opening }) =>
    estimate ? opening.map(fileName).join(', ') : '',
  );
  const theme = useStore(uiStore, (state) => state.theme);
  const ThemeIcon = THEME_ICONS[theme];
  return (
    <header className="window-header">
      {summary ? <Facts summary={summary} /> : <strong className="ellipsis">{opening || 'Remora'}</strong>}
      <div role="toolbar" aria-label="Window" className="toolbar">
        <CommandButton id="file.open" icon={<OpenIcon />} text="Open" />
        <CommandButton id="capture.attach" icon={<AttachIcon />} text="Attach" />
        <CommandButton id="file.exportChart" icon={<ExportIcon />} text="Export chart" />
        <CommandButton id="view.theme" icon={<ThemeIcon />} />
        <CommandButton id="help.keys" icon={<HelpIcon />} />
      </div>
    </header>
  );
}

function Facts({ summary }: { summary: WorkspaceSummary }) {
  const live = useStore(captureStore, (state) => (state.workspaceId === summary.workspaceId ? state.shown : null));
  const lost = live?.lost ?? summary.streams.reduce((sum, stream) => sum + stream.lost, 0);
  const gaps = summary.streams.reduce((sum, stream) => sum + stream.gaps, 0);
  const clocks = [...new Set(summary.streams.map((stream) => stream.clock))].join(', ');
  return (
    <div className="facts-row">
      <strong className="ellipsis" title={summary.recordings.map((recording) => recording.path).join('\n')}>
        {workspaceName(summary)}
      </strong>
      <span className="fact numbers">
        {formatLength(live ? live.durationNs - live.fromNs : summary.durationNs, timeUnitOf(summary))}
      </span>
      <span className="fact numbers">{ofPart(countOf(live?.events ?? summary.events, 'event'), summary)}</span>
      <span className={lost + gaps > 0 ? 'fact numbers bad' : 'fact numbers'}>
        {lost === 0 && gaps > 0 ? `lost in ${countOf(gaps, 'place')}` : ofPart(`${countText(lost)} lost`, summary)}
      </span>
      {clocks && <span className="fact">clock {clocks}</span>}
      {summary.warnings.length > 0 && (
        <button type="button" className="badge" onClick={() => uiStore.setState({ bottomTab: 'warnings' })}>
          <WarningIcon />
          {countOf(summary.warnings.length, 'warning')}
        </button>
      )}
    </div>
  );
}
