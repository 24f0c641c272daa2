import { resolve } from 'node:path';
import { app, BrowserWindow, type IpcMainEvent, type IpcMainInvokeEvent, ipcMain } from 'electron';
import { filesOfArguments } from './arguments.ts';
import { pickFiles, saveFile } from './dialogs.ts';
import { DesktopEngine } from './engine-host.ts';
import { setMenu } from './menu.ts';
import { PAGE_ORIGIN, registerPageScheme, servePage } from './page.ts';
import { takePageState } from './page-state.ts';
import { createWindow, openFiles, takeInitialFiles } from './window.ts';

/** The desktop shell: one process per user, any number of windows, one engine. */

const engine = new DesktopEngine();
/** Files to open with the first window: from the command line, and from the desktop before the app was ready. */
let firstFiles: string[] = filesOfArguments(process.argv, app.isPackaged ? null : app.getAppPath());

app.on('open-file', (event, path) => {
  event.preventDefault();
  if (app.isReady()) openFiles([path]);
  else firstFiles.push(path);
});

if (app.requestSingleInstanceLock({ files: firstFiles })) run();
else app.quit();

function run(): void {
  registerPageScheme();
  // Chromium may reorder the arguments of a second instance: it sends its files itself, as absolute paths.
  app.on('second-instance', (_event, _argv, cwd, sent) => {
    const files = (sent as { files?: unknown } | null)?.files;
    openFiles(Array.isArray(files) ? files.map((file) => resolve(cwd, String(file))) : []);
  });
  app.on('window-all-closed', () => {
    if (process.platform !== 'darwin') app.quit();
  });
  app.on('activate', () => {
    if (BrowserWindow.getAllWindows().length === 0) createWindow([]);
  });
  closeEngineBeforeQuit();
  answerPage();
  void app.whenReady().then(() => {
    servePage();
    setMenu([]);
    engine.start();
    createWindow(firstFiles);
    firstFiles = [];
    keepRecentFiles();
  });
}

/** The engine is given the time to write what it has; then the app quits for good. */
function closeEngineBeforeQuit(): void {
  let closed = false;
  app.on('will-quit', (event) => {
    if (closed) return;
    event.preventDefault();
    void engine.close().finally(() => {
      closed = true;
      app.quit();
    });
  });
}

function answerPage(): void {
  ipcMain.on('connect-engine', (event) => engine.connect(windowOf(event).webContents));
  ipcMain.on('restart-engine', (event) => {
    windowOf(event);
    engine.end();
  });
  ipcMain.on('page-state', (event, state: unknown) => takePageState(windowOf(event), state));
  ipcMain.handle('initial-files', (event) => takeInitialFiles(windowOf(event).webContents));
  ipcMain.handle('pick-files', (event) => pickFiles(windowOf(event)));
  ipcMain.handle('save-file', (event, name: unknown, bytes: unknown) => {
    if (typeof name !== 'string' || !(bytes instanceof Uint8Array))
      throw new TypeError('save-file wants a name and bytes');
    return saveFile(windowOf(event), name, bytes);
  });
}

/** The window that a message comes from; throws for anything but the top frame of our own page. */
function windowOf(event: IpcMainEvent | IpcMainInvokeEvent): BrowserWindow {
  const window = BrowserWindow.fromWebContents(event.sender);
  const frame = event.senderFrame;
  if (
    window === null ||
    frame === null ||
    frame !== event.sender.mainFrame ||
    !frame.url.startsWith(`${PAGE_ORIGIN}/`)
  ) {
    throw new Error('message from a foreign page');
  }
  return window;
}

/** The menu's recent files are the engine's; a window changes its title when it has opened something. */
function keepRecentFiles(): void {
  const update = async (): Promise<void> => {
    const recent = await engine.client.call('recentFiles', {}).catch(() => null);
    if (recent !== null) setMenu(recent.map(({ path }) => path));
  };
  const follow = (window: BrowserWindow): void => {
    window.on('page-title-updated', () => void update());
  };
  BrowserWindow.getAllWindows().forEach(follow);
  app.on('browser-window-created', (_event, window) => follow(window));
  void update();
}
