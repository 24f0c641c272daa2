import type { Engine, Notice } from '../shared/api.ts';

/** TODO: being written. The one file that knows whether the window runs in Electron or in a browser tab. */
export interface Host {
  kind: 'electron' | 'browser';
  engine: Engine;
  onNotice(listener: (notice: Notice) => void): () => void;
  /** Lets the user choose recordings: the system's dialog in Electron; null in a browser, which shows its own. */
  pickFiles: (() => Promise<string[]>) | null;
  /** Path of a dropped file, uploading it first where the host has no paths. */
  pathOfDroppedFile(file: File): Promise<string>;
  /** Saves bytes under a name the user may change; resolves to where, or null when they cancelled. */
  saveFile(name: string, bytes: Uint8Array, mime: string): Promise<string | null>;
  /** Files the host was started with. */
  initialFiles: string[];
}

export declare function connect(): Promise<Host>;
