import { randomUUID } from 'node:crypto';
import { rename, rm, writeFile } from 'node:fs/promises';
import { basename, dirname, extname, join } from 'node:path';
import { app, type BrowserWindow, dialog } from 'electron';

/** Lets the user choose recordings or a workspace. Empty when they cancelled. */
export async function pickFiles(window: BrowserWindow): Promise<string[]> {
  const { canceled, filePaths } = await dialog.showOpenDialog(window, {
    title: 'Open recordings or a workspace',
    properties: ['openFile', 'multiSelections', 'showHiddenFiles'],
    filters: [
      { name: 'Recordings and workspaces', extensions: ['dat', 'remora', 'txt', 'trace'] },
      { name: 'All files', extensions: ['*'] },
    ],
  });
  return canceled ? [] : filePaths;
}

/** Where the last file was saved: the next one is likely to belong beside it. */
let lastFolder: string | null = null;

/** Asks where to save and writes there, whole or not at all. Returns the path, or null when the user cancelled. */
export async function saveFile(window: BrowserWindow, name: string, bytes: Uint8Array): Promise<string | null> {
  const extension = extname(name).slice(1);
  const { canceled, filePath } = await dialog.showSaveDialog(window, {
    defaultPath: join(lastFolder ?? app.getPath('documents'), basename(name)),
    filters: extension ? [{ name: extension.toUpperCase(), extensions: [extension] }] : [],
  });
  if (canceled || !filePath) return null;
  lastFolder = dirname(filePath);
  const unfinished = join(lastFolder, `.${basename(filePath)}.${randomUUID()}`);
  try {
    await writeFile(unfinished, bytes);
    await rename(unfinished, filePath);
  } catch (error) {
    await rm(unfinished, { force: true });
    throw error;
  }
  return filePath;
}
