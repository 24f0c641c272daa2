import { homedir } from 'node:os';
import { basename, dirname } from 'node:path';
import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { createWindow, notify, openFiles } from './window.ts';

/**
 * The application menu. What the window can do is a command of the window's own registry, named here by its id: the
 * window runs it and has its key bound already, so accelerators are shown and not registered a second time.
 */
function command(label: string, id: string, accelerator = ''): MenuItemConstructorOptions {
  // macOS takes every accelerator for itself: plain letters could not be typed any more.
  const shown = accelerator.length > 1 || process.platform !== 'darwin';
  return {
    id,
    label,
    accelerator: shown && accelerator ? accelerator : undefined,
    registerAccelerator: false,
    click: (_item, window) => {
      if (window instanceof BrowserWindow) notify(window, { kind: 'command', command: id });
    },
  };
}

/** Commands that cannot be run now. */
let grey: ReadonlySet<string> = new Set();

/** Greys the entries of these commands, and of no others. */
export function greyCommands(ids: readonly string[]): void {
  grey = new Set(ids);
  const items = Menu.getApplicationMenu()?.items.flatMap((top) => top.submenu?.items ?? []) ?? [];
  for (const item of items) if (item.id?.includes('.')) item.enabled = !grey.has(item.id);
}

/** Where a file is, short enough for a menu. */
function placeOf(path: string): string {
  const folder = dirname(path);
  const home = homedir();
  return folder === home || folder.startsWith(`${home}/`) ? `~${folder.slice(home.length)}` : folder;
}

/** Builds the menu with the files that were opened last, newest first. */
export function setMenu(recent: string[]): void {
  const mac = process.platform === 'darwin';
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const recentItems = recent.slice(0, 12).map(
    (path): MenuItemConstructorOptions => ({
      label: `${basename(path)}  —  ${placeOf(path)}`.replaceAll('&', '&&'),
      click: () => openFiles([path]),
    }),
  );
  const template: MenuItemConstructorOptions[] = [
    ...(mac ? [{ role: 'appMenu' as const }] : []),
    {
      label: '&File',
      submenu: [
        command('&Open…', 'file.open', 'CmdOrCtrl+O'),
        { label: 'Open &recent', submenu: recentItems, enabled: recentItems.length > 0 },
        { label: '&New window', accelerator: 'CmdOrCtrl+Shift+N', click: () => createWindow([]) },
        separator,
        command('&Export chart…', 'file.exportChart', 'CmdOrCtrl+E'),
        separator,
        command('&Close recording', 'file.close'),
        { role: mac ? 'close' : 'quit' },
      ],
    },
    {
      label: '&Capture',
      submenu: [
        command('&Attach to a machine…', 'capture.attach', 'CmdOrCtrl+R'),
        command('Attach a&gain', 'capture.again'),
        separator,
        command('&Follow', 'capture.follow', 'L'),
        command('&Pause the view', 'capture.pause', 'P'),
        command('&Show the capture', 'capture.show'),
        separator,
        command('S&top', 'capture.stop'),
      ],
    },
    { role: 'editMenu' },
    {
      label: '&View',
      submenu: [
        command('&Events', 'view.events', 'Alt+1'),
        command('E&pisodes', 'view.episodes', 'Alt+2'),
        command('&Notes', 'view.notes', 'Alt+3'),
        command('&Warnings', 'view.warnings', 'Alt+4'),
        separator,
        command('Change &theme', 'view.theme'),
        command('Wheel &zooms', 'view.wheel'),
        separator,
        { role: 'resetZoom' },
        { role: 'zoomIn' },
        { role: 'zoomOut' },
        { role: 'togglefullscreen' },
        separator,
        { role: 'reload', accelerator: 'CmdOrCtrl+Shift+R' },
        { role: 'toggleDevTools' },
      ],
    },
    {
      label: '&Timeline',
      submenu: [
        command('Zoom &in', 'timeline.zoomIn', 'W'),
        command('Zoom &out', 'timeline.zoomOut', 'S'),
        command('&Fit the selection', 'timeline.fit', 'F'),
        command('Show &all', 'timeline.all', '0'),
        command('&Back', 'timeline.back', 'Alt+Left'),
        separator,
        command('&Next event', 'selection.nextEvent', '.'),
        command('&Previous event', 'selection.previousEvent', ','),
        command('Place &marker', 'selection.mark', 'M'),
        separator,
        command('&Add note', 'notes.add', 'N'),
      ],
    },
    ...(mac ? [{ role: 'windowMenu' as const }] : []),
    {
      role: 'help',
      submenu: [
        command('&Keys and commands', 'help.keys'),
        command('Command &palette', 'help.palette', 'CmdOrCtrl+Shift+P'),
        separator,
        { label: `&About ${app.name}`, click: () => app.showAboutPanel() },
      ],
    },
  ];
  Menu.setApplicationMenu(Menu.buildFromTemplate(template));
  greyCommands([...grey]);
}
