import { capturePath } from '../installation.ts';
import { CaptureProcess, type RunningCapture } from '../live/capture-client.ts';
import type { CaptureOrder, CaptureStatus } from '../live/protocol.ts';
import { type Rights, rightsHere } from '../live/rights.ts';

/** Somebody who fills the dialog in is not asked for a password, or connected, again and again. */
const IDLE_MS = 300_000;

interface Kept {
  process: CaptureProcess;
  /** What it is asked, one after the other. */
  tail: Promise<unknown>;
  idle: NodeJS.Timeout | undefined;
}

/** Capture processes that wait for the next request: one per machine. One that captures belongs to its capture alone. */
export class CaptureProcesses {
  readonly #kept = new Map<string, Kept>();

  /** The rights that a process here would be started with; of another machine, its own. */
  rightsFor(host: string | undefined): Rights | undefined {
    return host === undefined ? rightsHere(false) : undefined;
  }

  /** Whether one waits, and nobody would have to be asked. */
  has(host: string | undefined): boolean {
    return this.#kept.get(host ?? '')?.process.alive === true;
  }

  /** Asks a machine's process, started where there is none; requests wait for those before. */
  ask<T>(host: string | undefined, question: (process: CaptureProcess) => Promise<T>): Promise<T> {
    const kept = this.#take(host);
    clearTimeout(kept.idle);
    const answer = kept.tail.then(() => question(kept.process));
    const done = answer.catch(() => {});
    kept.tail = done;
    void done.then(() => {
      if (kept.tail === done && this.#kept.get(host ?? '') === kept) this.#wait(host ?? '', kept);
    });
    return answer;
  }

  /** Begins a capture, which takes the process with it. */
  async capture(
    order: CaptureOrder,
    onStatus: (status: CaptureStatus) => void,
    onDrained: (status: CaptureStatus) => void,
  ): Promise<RunningCapture> {
    const capture = await this.ask(order.host, async (process) => {
      const running = await process.capture(order, onStatus, onDrained);
      this.#kept.delete(order.host ?? '');
      const ended = running.ended.finally(() => process.close());
      ended.catch(() => {});
      return { ...running, ended };
    });
    return capture;
  }

  #take(host: string | undefined): Kept {
    const key = host ?? '';
    const kept = this.#kept.get(key);
    if (kept?.process.alive) return kept;
    const rights = this.rightsFor(host);
    const process = new CaptureProcess(capturePath, rights === undefined ? { host } : { rights });
    const fresh: Kept = { process, tail: Promise.resolve(), idle: undefined };
    this.#kept.set(key, fresh);
    return fresh;
  }

  #wait(key: string, kept: Kept): void {
    kept.idle = setTimeout(() => {
      this.#kept.delete(key);
      void kept.process.close();
    }, IDLE_MS);
    kept.idle.unref();
  }

  async close(): Promise<void> {
    const all = [...this.#kept.values()];
    this.#kept.clear();
    for (const { idle } of all) clearTimeout(idle);
    await Promise.all(all.map(({ process }) => process.close()));
  }
}
