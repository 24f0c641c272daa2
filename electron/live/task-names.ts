import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** More tasks than this are not kept: a head has room for about that many. */
const MOST_TASKS = 400_000;

/**
 * Names of tasks as the kernel saves them while tracing (`saved_cmdlines`), which forgets the oldest: read now and then, all are
 * kept. Lines `pid comm`.
 */
export class TaskNames {
  readonly #path: string;
  readonly #names = new Map<string, string>();

  constructor(root: string) {
    this.#path = join(root, 'saved_cmdlines');
  }

  refresh(): void {
    let text: string;
    try {
      text = readFileSync(this.#path, 'latin1');
    } catch {
      return;
    }
    for (const line of text.split('\n')) {
      const space = line.indexOf(' ');
      if (space <= 0) continue;
      const pid = line.slice(0, space);
      const comm = line.slice(space + 1);
      if (comm !== '<...>' && (this.#names.has(pid) || this.#names.size < MOST_TASKS)) this.#names.set(pid, comm);
    }
  }

  text(): Buffer {
    let text = '';
    for (const [pid, comm] of this.#names) text += `${pid} ${comm}\n`;
    return Buffer.from(text, 'latin1');
  }
}
