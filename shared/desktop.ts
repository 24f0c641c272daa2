import type { Notice } from './api.ts';

/**
 * What the desktop shell lets the window do beyond talking to the engine; `window.remora` in Electron, absent in a
 * browser. The preload script provides it and renderer/bridge.ts uses it, nobody else.
 */
export interface Desktop {
  /**
   * Asks for a connection to the engine. It comes as a window message `EnginePortMessage` with one MessagePort, now
   * and again whenever the engine had to be started anew.
   */
  connectEngine(): void;
  /** Ends an engine that hangs; another is started and every window is connected to it. */
  restartEngine(): void;
  /** Absolute paths that this window is to open at first. */
  initialFiles(): Promise<string[]>;
  /** The system's open dialog; empty when the user cancelled. */
  pickFiles(): Promise<string[]>;
  /** Absolute path of a dropped file; empty for one that is not on disk. */
  pathOfFile(file: File): string;
  /** The system's save dialog; resolves to the path that was written, or null when the user cancelled. */
  saveFile(name: string, bytes: Uint8Array): Promise<string | null>;
  onNotice(listener: (notice: Notice) => void): void;
  /** Tells what the native parts around the page are to follow; again whenever it changes. */
  showState(state: PageState): void;
}

export interface PageState {
  theme: 'system' | 'light' | 'dark';
  /** Ids of commands that cannot be run now: the menu greys them. */
  disabledCommands: string[];
}

export interface EnginePortMessage {
  kind: 'remora-engine-port';
  /** Why the connection before this one ended; null for the first. */
  restarted: string | null;
}
