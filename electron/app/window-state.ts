import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { app, type BrowserWindow, type Rectangle, screen } from 'electron';
import { makeFolder } from '../store/folders.ts';

/** Where the window was, kept between runs. */
interface WindowState {
  bounds: Rectangle;
  maximized: boolean;
}

const DEFAULT: WindowState = { bounds: { x: -1, y: -1, width: 1440, height: 900 }, maximized: false };
const path = (): string => join(app.getPath('userData'), 'window.json');

/** Bounds for a new window: the last ones, unless no screen shows enough of them any more. */
export function restoreWindowState(): { bounds: Partial<Rectangle>; maximized: boolean } {
  const state = read();
  const { width, height } = state.bounds;
  const visible = screen.getAllDisplays().some(({ workArea }) => {
    const overlapX =
      Math.min(state.bounds.x + width, workArea.x + workArea.width) - Math.max(state.bounds.x, workArea.x);
    const overlapY =
      Math.min(state.bounds.y + height, workArea.y + workArea.height) - Math.max(state.bounds.y, workArea.y);
    return overlapX >= 200 && overlapY >= 100;
  });
  if (visible && state !== DEFAULT) return state;
  const { workAreaSize } = screen.getPrimaryDisplay();
  const bounds = { width: Math.min(width, workAreaSize.width), height: Math.min(height, workAreaSize.height) };
  return { bounds, maximized: state.maximized };
}

/** Writes the state when the window closes. */
export function keepWindowState(window: BrowserWindow): void {
  window.on('close', () => {
    const state: WindowState = { bounds: window.getNormalBounds(), maximized: window.isMaximized() };
    try {
      makeFolder(dirname(path()));
      writeFileSync(`${path()}.new`, JSON.stringify(state));
      renameSync(`${path()}.new`, path());
    } catch {
      // A read-only home costs the window's place, nothing else.
    }
  });
}

function read(): WindowState {
  try {
    const { bounds, maximized } = JSON.parse(readFileSync(path(), 'utf8')) as Partial<WindowState>;
    const numbers = [bounds?.x, bounds?.y, bounds?.width, bounds?.height];
    if (bounds && numbers.every(Number.isInteger)) return { bounds, maximized: maximized === true };
  } catch {
    // None yet, or not ours.
  }
  return DEFAULT;
}
