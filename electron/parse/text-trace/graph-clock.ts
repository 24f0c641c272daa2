import type { TraceLine } from './line.ts';

/** Calls deeper than this are not paired with their end: bounds what broken text can make grow. */
const DEEPEST = 512;
/** `100.598 us` in front of the bar. */
const DURATION = /(\d+)(?:\.(\d{1,3}))? us/;

/**
 * Times for function_graph text without a time column, in ns from its beginning. Such text says how long calls took and
 * in which order they began and ended, so this is the earliest time that agrees with both: a call that took d ends d after
 * it began, the next line of its CPU comes no earlier, and no line comes before the one above it.
 */
export class GraphClock {
  #now = 0;
  readonly #cpus = new Map<number, { freeNs: number; begunNs: number[] }>();

  /** Sets the time of a line; `head` is its text from the body on, `ends` whether it closes a call of an earlier line. */
  stamp(line: TraceLine, head: string, ends: boolean, begins: boolean): void {
    let cpu = this.#cpus.get(line.cpu);
    if (cpu === undefined) {
      cpu = { freeNs: 0, begunNs: [] };
      this.#cpus.set(line.cpu, cpu);
    }
    const match = DURATION.exec(head);
    const durationNs = match === null ? 0 : Number(match[1]) * 1000 + Number((match[2] ?? '').padEnd(3, '0'));
    let now = Math.max(this.#now, cpu.freeNs);
    if (ends) {
      const begun = cpu.begunNs.pop();
      if (begun !== undefined) now = Math.max(now, begun + durationNs);
    }
    cpu.freeNs = ends ? now : now + durationNs;
    if (begins && cpu.begunNs.length < DEEPEST) cpu.begunNs.push(now);
    this.#now = now;
    line.seconds = Math.floor(now / 1e9);
    line.nanoseconds = now % 1e9;
    line.time = 'seconds';
  }
}
