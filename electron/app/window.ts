import { app, BrowserWindow, dialog, nativeTheme, type WebContents } from 'electron';
import type { Notice } from '../../shared/api.ts';
import { themes } from '../../shared/draw/theme.ts';
import { preloadPath } from '../installation.ts';
import { PAGE_URL } from './page.ts';
import { keepWindowState, restoreWindowState } from './window-state.ts';

/** What is to be opened in windows whose page has not asked yet. */
const waitingFiles = new Map<WebContents, string[]>();

/** Opens a window that opens `files` (absolute paths) as soon as its page is there. */
export function createWindow(files: string[]): BrowserWindow {
  const { bounds, maximized } = restoreWindowState();
  const window = new BrowserWindow({
    ...bounds,
    minWidth: 640,
    minHeight: 400,
    show: false,
    title: app.name,
    backgroundColor: themes[nativeTheme.shouldUseDarkColors ? 'dark' : 'light'].background,
    webPreferences: {
      preload: preloadPath,
      contextIsolation: true,
      sandbox: true,
      nodeIntegration: false,
      webviewTag: false,
      spellcheck: false,
    },
  });
  const { webContents } = window;
  waitingFiles.set(webContents, files);
  webContents.once('destroyed', () => waitingFiles.delete(webContents));
  if (maximized) window.maximize();
  keepWindowState(window);
  confine(webContents);
  reloadAfterCrash(window);
  window.once('ready-to-show', () => window.show());
  void window.loadURL(PAGE_URL);
  return window;
}

/** The page asks once it is loaded; from then on files reach it as a notice. */
export function takeInitialFiles(contents: WebContents): string[] {
  const files = waitingFiles.get(contents) ?? [];
  waitingFiles.delete(contents);
  return files;
}

/** Opens files in the window that the user looks at, or in a new one where there is none. */
export function openFiles(files: string[]): void {
  const window = BrowserWindow.getFocusedWindow() ?? BrowserWindow.getAllWindows()[0];
  if (window === undefined) {
    createWindow(files);
    return;
  }
  if (window.isMinimized()) window.restore();
  window.focus();
  if (files.length === 0) return;
  const waiting = waitingFiles.get(window.webContents);
  if (waiting !== undefined) waitingFiles.set(window.webContents, files);
  else notify(window, { kind: 'open-files', paths: files });
}

export function notify(window: BrowserWindow, notice: Notice): void {
  window.webContents.send('notice', notice);
}

/** The page never leaves its own address, opens no other window and embeds nothing. */
function confine(contents: WebContents): void {
  contents.setWindowOpenHandler(() => ({ action: 'deny' }));
  contents.on('will-attach-webview', (event) => event.preventDefault());
  // A reload is no navigation of the page's own making; everything else is.
  contents.on('will-frame-navigate', (event) => {
    if (event.url !== PAGE_URL) event.preventDefault();
  });
  contents.on('will-redirect', (event) => event.preventDefault());
}

function reloadAfterCrash(window: BrowserWindow): void {
  window.webContents.on('render-process-gone', (_event, { reason }) => {
    if (reason === 'clean-exit' || window.isDestroyed()) return;
    const question = {
      type: 'error' as const,
      message: 'The window stopped working.',
      detail: `Reason: ${reason}. Annotations and views are kept in the workspace.`,
      buttons: ['Reload', 'Close'],
    };
    void dialog.showMessageBox(window, question).then(({ response }) => {
      if (window.isDestroyed()) return;
      if (response === 0) window.reload();
      else window.destroy();
    });
  });
}
