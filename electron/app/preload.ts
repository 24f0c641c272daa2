import { contextBridge, ipcRenderer, webUtils } from 'electron';
import type { Notice } from '../../shared/api.ts';
import type { Desktop, EnginePortMessage } from '../../shared/desktop.ts';

/** Runs sandboxed in the window, apart from the page's own world: lets through what `Desktop` lists and no more. */

/** The page's globals that are used here; the types of a browser's world do not belong to this project. */
declare const window: {
  postMessage(message: EnginePortMessage, targetOrigin: string, transfer: readonly object[]): void;
};

// MessagePorts cannot pass the context bridge, only a window message can carry them.
ipcRenderer.on('engine-port', (event, restarted: string | null) => {
  window.postMessage({ kind: 'remora-engine-port', restarted }, 'remora://app', event.ports);
});

const desktop: Desktop = {
  connectEngine: () => ipcRenderer.send('connect-engine'),
  restartEngine: () => ipcRenderer.send('restart-engine'),
  initialFiles: () => ipcRenderer.invoke('initial-files') as Promise<string[]>,
  pickFiles: () => ipcRenderer.invoke('pick-files') as Promise<string[]>,
  pathOfFile: (file) => webUtils.getPathForFile(file),
  saveFile: (name, bytes) => ipcRenderer.invoke('save-file', name, bytes) as Promise<string | null>,
  onNotice: (listener) => {
    ipcRenderer.on('notice', (_event, notice: Notice) => listener(notice));
  },
  showState: (state) => ipcRenderer.send('page-state', state),
};

contextBridge.exposeInMainWorld('remora', desktop);
