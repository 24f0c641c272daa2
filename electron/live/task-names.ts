import { join } from 'node:path';
import type { Machine } from './machine.ts';

/** More tasks than this are not kept: a head has room for about that many. */
const MOST_TASKS = 400_000;

/**
 * Names of tasks as the kernel saves them while tracing (`saved_cmdlines`), which forgets the oldest: read now and then, all are
 * kept. Lines `pid comm`.
 */
export class TaskNames {
  readonly #machine: Machine;
  readonly #root: string;
  readonly #names = new Map<string, string>();

  constructor(machine: Machine, root: string) {
    this.#machine = machine;
    this.#root = root;
  }

  async refresh(): Promise<void> {
    let text: string;
    try {
      text = (await this.#machine.read(join(this.#root, 'saved_cmdlines'))).toString('latin1');
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

  /** Lines `pid tgid` of the tasks that the kernel saved last; empty on kernels before 4.14. */
  async threadGroups(): Promise<Buffer> {
    const path = join(this.#root, 'saved_tgids');
    try {
      return (await this.#machine.exists(path)) ? await this.#machine.read(path) : Buffer.alloc(0);
    } catch {
      return Buffer.alloc(0);
    }
  }

  text(): Buffer {
    let text = '';
    for (const [pid, comm] of this.#names) text += `${pid} ${comm}\n`;
    return Buffer.from(text, 'latin1');
  }
}
