import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, type Locator } from '@playwright/test';

/** Short against everything that a window does, long enough for an engine to get on. */
const SLICE_MS = 20;

/**
 * The engine of a window, which can be held still in the middle of its work. What a test does meanwhile does not depend on how
 * fast the machine is, and shows that the window never waits for its engine. By proc(5), so on Linux alone.
 */
export class EngineProcess {
  readonly #root: () => number | undefined;
  #held: number | null = null;

  /** `root`: the process that the engine descends from. */
  constructor(root: () => number | undefined) {
    this.#root = root;
  }

  /** Processes that the program consists of by now, its first one included. */
  family(): number[] {
    const children = childrenByParent();
    const below = [this.#first()];
    for (const pid of below) below.push(...(children.get(pid) ?? []));
    return below;
  }

  hold(): void {
    this.#held = this.#find();
    process.kill(this.#held, 'SIGSTOP');
  }

  release(): void {
    if (this.#held === null) return;
    try {
      process.kill(this.#held, 'SIGCONT');
    } catch {
      // It was ended meanwhile.
    }
    this.#held = null;
  }

  /** Lets the engine work in small steps until something is on screen, and holds it there. */
  async holdWhen(shown: Locator): Promise<void> {
    const steps = async (): Promise<boolean> => {
      if (await shown.isVisible()) return true;
      this.release();
      await pause(SLICE_MS);
      this.hold();
      return shown.isVisible();
    };
    if (this.#held === null) this.hold();
    await expect.poll(steps, { intervals: [10] }).toBe(true);
  }

  #first(): number {
    const root = this.#root();
    if (root === undefined) throw new Error('start the app first');
    return root;
  }

  #find(): number {
    const found = this.family().find((pid) => /\bdist[\\/]engine\.js|node\.mojom\.NodeService/.test(commandLine(pid)));
    if (found === undefined) throw new Error(`process ${this.#first()} has no engine`);
    return found;
  }
}

/** `pid (name) state parent …` of every process. */
function childrenByParent(): Map<number, number[]> {
  const children = new Map<number, number[]>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
      children.set(parent, [...(children.get(parent) ?? []), Number(name)]);
    } catch {
      // It ended meanwhile.
    }
  }
  return children;
}

function commandLine(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'latin1');
  } catch {
    return '';
  }
}
