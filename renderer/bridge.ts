import type { Engine, FromEngine, Notice, ToEngine } from '../shared/api.ts';
import type { Desktop, EnginePortMessage, PageState } from '../shared/desktop.ts';
import { EngineClient } from '../shared/engine-client.ts';
import { RemoraError } from '../shared/errors.ts';
import { decodeMessage, encodeMessage } from '../shared/wire.ts';
import type { FromSocket, ToSocket } from './socket-worker.ts';

/**
 * The one file that knows whether the window runs in Electron or in a browser tab. Everything else calls the engine
 * and asks for files through `Host`.
 */
export interface Host {
  kind: 'electron' | 'browser';
  engine: Engine;
  /** Returns a function that ends the subscription. */
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Lets the user choose recordings: the system's dialog in Electron; null in a browser, which shows its own. */
  pickFiles: (() => Promise<string[]>) | null;
  /** Path of a dropped file, uploading it first where the host has no paths. */
  pathOfDroppedFile(file: File): Promise<string>;
  /** Saves bytes under a name the user may change; resolves to where, or null when they cancelled. */
  saveFile(name: string, bytes: Uint8Array, mime: string): Promise<string | null>;
  /** Files the host was started with. */
  initialFiles: string[];
  /** Tells what native parts around the page are to follow; null where there are none. */
  showState: ((state: PageState) => void) | null;
}

declare global {
  interface Window {
    remora?: Desktop;
  }
}

/** Resolves once the engine can be called. Rejects with a RemoraError where it cannot be reached at all. */
export function connect(): Promise<Host> {
  return window.remora ? connectDesktop(window.remora) : connectBrowser();
}

async function connectDesktop(desktop: Desktop): Promise<Host> {
  const engine = new EngineClient(null, () => desktop.restartEngine());
  const connected = new Promise<void>((resolve) => {
    window.addEventListener('message', (event: MessageEvent<Partial<EnginePortMessage> | null>) => {
      const port = event.ports[0];
      if (event.source !== window || event.data?.kind !== 'remora-engine-port' || port === undefined) return;
      const reason = event.data.restarted ?? null;
      engine.reconnect((message) => port.postMessage(message), reason ?? undefined);
      port.onmessage = ({ data }: MessageEvent<FromEngine>) => engine.receive(data);
      if (reason !== null) engine.notify({ kind: 'engine-restarted', reason });
      resolve();
    });
  });
  desktop.onNotice((notice) => engine.notify(notice));
  desktop.connectEngine();
  await connected;
  return {
    kind: 'electron',
    engine,
    onNotice: (listener) => engine.onNotice(listener),
    pickFiles: () => desktop.pickFiles(),
    pathOfDroppedFile: async (file) => desktop.pathOfFile(file) || upload(engine, file),
    saveFile: (name, bytes) => desktop.saveFile(name, bytes),
    initialFiles: await desktop.initialFiles(),
    showState: (state) => desktop.showState(state),
  };
}

const TOKEN_KEY = 'remora-token';
const RETRY_MS = [250, 500, 1000, 2000, 5000];

async function connectBrowser(): Promise<Host> {
  const token = takeToken();
  const session = await fetchSession(token);
  const engine = new EngineClient();
  await new Promise<void>((resolve) => keepConnected(engine, token, resolve));
  return {
    kind: 'browser',
    engine,
    onNotice: (listener) => engine.onNotice(listener),
    pickFiles: null,
    pathOfDroppedFile: (file) => upload(engine, file),
    saveFile: async (name, bytes, mime) => {
      download(name, bytes, mime);
      return name;
    },
    initialFiles: session.files,
    showState: null,
  };
}

/** Moves the token out of the address bar, where it could be copied or photographed, into the tab's own storage. */
function takeToken(): string {
  const url = new URL(location.href);
  const token = url.searchParams.get('token');
  if (token === null) return sessionStorage.getItem(TOKEN_KEY) ?? '';
  sessionStorage.setItem(TOKEN_KEY, token);
  url.searchParams.delete('token');
  history.replaceState(null, '', url);
  return token;
}

async function fetchSession(token: string): Promise<{ files: string[] }> {
  const response = await fetch('./session', { headers: { Authorization: `Bearer ${token}` } });
  if (response.ok) return (await response.json()) as { files: string[] };
  const message =
    response.status === 401
      ? 'This link is not valid, or not any more. Open the URL that the running `remora serve` printed.'
      : `The server answered ${response.status} ${response.statusText}.`;
  throw new RemoraError({ code: 'engine-gone', message });
}

/** Opens the WebSocket, and again whenever it is lost. `onFirst` is called when it is open for the first time. */
function keepConnected(engine: EngineClient, token: string, onFirst: () => void): void {
  const worker = new Worker(new URL('./socket-worker.ts', import.meta.url), { type: 'module' });
  const tell = (message: ToSocket, transfer: Transferable[] = []): void => worker.postMessage(message, transfer);
  const open = (): void => tell({ url: `ws://${location.host}/engine?token=${encodeURIComponent(token)}` });
  const send = (message: ToEngine): void => {
    const { buffer } = encodeMessage(message);
    tell(buffer, [buffer]);
  };
  let attempts = 0;
  let lost = false;
  worker.onmessage = ({ data }: MessageEvent<FromSocket>) => {
    if (data instanceof ArrayBuffer) engine.receive(decodeMessage(new Uint8Array(data)) as FromEngine);
    else if (data === 'open') {
      attempts = 0;
      engine.reconnect(send);
      // What the lost connection was asked for has failed: listeners start over as after a restart.
      if (lost) engine.notify({ kind: 'engine-restarted', reason: 'The connection to Remora was lost and is back.' });
      onFirst();
    } else {
      lost = true;
      engine.disconnect('The connection to Remora is lost. Is `remora serve` still running? Trying again.');
      setTimeout(open, RETRY_MS[Math.min(attempts++, RETRY_MS.length - 1)]);
    }
  };
  open();
}

async function upload(engine: Engine, file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return (await engine.call('upload', { name: file.name, bytes })).path;
}

function download(name: string, bytes: Uint8Array, mime: string): void {
  const url = URL.createObjectURL(new Blob([bytes as Uint8Array<ArrayBuffer>], { type: mime }));
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  // The browser reads the blob after this task.
  setTimeout(() => URL.revokeObjectURL(url), 60_000);
}
