import { basename } from 'node:path';
import { app, BrowserWindow, Menu, type MenuItemConstructorOptions } from 'electron';
import { createWindow, notify, openFiles } from './window.ts';

/**
 * The application menu. What the window can do is a command of the window's own registry, named here by its id: the
 * window runs it and has its key bound already, so accelerators are shown and not registered a second time.
 */
function command(label: string, id: string, accelerator?: string): MenuItemConstructorOptions {
  return {
    label,
    accelerator,
    registerAccelerator: false,
    click: (_item, window) => {
      if (window instanceof BrowserWindow) notify(window, { kind: 'command', command: id });
    },
  };
}

/** Builds the menu with the files that were opened last, newest first. */
export function setMenu(recent: string[]): void {
  const mac = process.platform === 'darwin';
  const separator: MenuItemConstructorOptions = { type: 'separator' };
  const recentItems = recent.slice(0, 12).map(
    (path): MenuItemConstructorOptions => ({
      label: basename(path).replaceAll('&', '&&'),
      sublabel: path,
      toolTip: path,
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
        { role: 'reload' },
        { role: 'toggleDevTools' },
      ],
    },
    {
      label: '&Timeline',
      submenu: [
        command('Zoom &in', 'timeline.zoomIn'),
        command('Zoom &out', 'timeline.zoomOut'),
        command('&Fit the selection', 'timeline.fit'),
        command('Show &all', 'timeline.all'),
        command('&Back', 'timeline.back', 'Alt+Left'),
        separator,
        command('&Next event', 'selection.nextEvent'),
        command('&Previous event', 'selection.previousEvent'),
        command('Place &marker', 'selection.mark'),
        separator,
        command('&Add note', 'notes.add'),
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
}
