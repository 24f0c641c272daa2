import { currentHost, reportError } from '../state/connection.ts';
import { cancelOpening, closeWorkspace, openFiles } from '../state/session.ts';
import { type BottomTab, bottomTabs, uiStore, workspaceStore } from '../state/stores.ts';
import { cycleTheme } from '../state/theme.ts';
import type { Command } from './registry.ts';

const isOpen = () => workspaceStore.getState().summary !== null;
const show = (dialog: ReturnType<typeof uiStore.getState>['dialog']) => () => uiStore.setState({ dialog });

/** The system's dialog where the host has one, else the window's own. */
async function chooseFiles(): Promise<void> {
  const { pickFiles } = currentHost();
  if (!pickFiles) return uiStore.setState({ dialog: 'open' });
  try {
    await openFiles(await pickFiles());
  } catch (error) {
    reportError(error);
  }
}

const TAB_TITLES: Record<BottomTab, string> = {
  events: 'Show events',
  episodes: 'Show episodes',
  notes: 'Show notes',
  warnings: 'Show warnings',
};

export const windowCommands: readonly Command[] = [
  { id: 'file.open', title: 'Open a recording…', group: 'File', keys: ['$mod+KeyO'], run: chooseFiles },
  {
    id: 'file.cancel',
    title: 'Cancel the opening: show what is indexed',
    group: 'File',
    keys: [],
    enabled: () => workspaceStore.getState().status === 'opening',
    run: cancelOpening,
  },
  { id: 'file.close', title: 'Close the recording', group: 'File', keys: [], enabled: isOpen, run: closeWorkspace },
  {
    id: 'file.exportChart',
    title: 'Export chart…',
    group: 'File',
    keys: ['$mod+KeyE'],
    enabled: isOpen,
    run: show('export'),
  },
  ...bottomTabs.map(
    (tab, index): Command => ({
      id: `view.${tab}`,
      title: TAB_TITLES[tab],
      group: 'View',
      keys: [`Alt+Digit${index + 1}`],
      enabled: isOpen,
      run: () => uiStore.setState({ bottomTab: tab }),
    }),
  ),
  { id: 'view.theme', title: 'Change theme: system, light, dark', group: 'View', keys: [], run: cycleTheme },
  {
    id: 'view.wheel',
    title: 'Wheel: switch between scrolling and zooming',
    group: 'View',
    keys: [],
    run: () => uiStore.setState({ wheelZooms: !uiStore.getState().wheelZooms }),
  },
  { id: 'help.palette', title: 'Command palette', group: 'Help', keys: ['$mod+Shift+KeyP'], run: show('palette') },
  { id: 'help.keys', title: 'Keys and commands', group: 'Help', keys: ['[Shift]+?'], run: show('help') },
];
