import type { Progress } from '../../shared/api.ts';
import type { TraceWarning } from '../../shared/errors.ts';
import { formatCount } from '../../shared/time.ts';
import { placed } from './exit-code.ts';

/** Warnings beyond this many are counted, not listed: a badly damaged file has thousands. */
const SHOWN_WARNINGS = 20;
const BAR_WIDTH = 24;

/** Standard error as the command line uses it: a progress bar on a terminal, warnings, neither with `--quiet`. */
export class Messages {
  readonly #stream: NodeJS.WriteStream;
  readonly #quiet: boolean;
  #bar = false;
  #lastMs = 0;

  constructor(stream: NodeJS.WriteStream, quiet: boolean) {
    this.#stream = stream;
    this.#quiet = quiet;
  }

  /** Draws the bar again, at most ten times a second. */
  progress(progress: Progress): void {
    if (this.#quiet || !this.#stream.isTTY) return;
    const nowMs = Date.now();
    if (nowMs - this.#lastMs < 100) return;
    this.#lastMs = nowMs;
    this.#bar = true;
    this.#stream.write(`\r${progressText(progress).slice(0, (this.#stream.columns || 80) - 1)}\x1b[K`);
  }

  /** Takes the bar away. */
  clear(): void {
    if (this.#bar) this.#stream.write('\r\x1b[K');
    this.#bar = false;
    this.#lastMs = 0;
  }

  /** A line for people that is no answer: what is going on, and why. */
  say(line: string): void {
    if (this.#quiet) return;
    this.clear();
    this.#stream.write(`${line}\n`);
  }

  warnings(warnings: readonly TraceWarning[]): void {
    for (const warning of warnings.slice(0, SHOWN_WARNINGS)) this.say(`remora: warning: ${placed(warning)}`);
    const more = warnings.length - SHOWN_WARNINGS;
    if (more > 0) this.say(`remora: warning: and ${more} more; \`remora info\` lists them all`);
  }
}

/** `Indexing ████████░░░░ 42 %  1,234,567 events`. */
export function progressText({ stage, done, total, events }: Progress): string {
  const share = total > 0 ? Math.min(1, done / total) : null;
  const filled = Math.round((share ?? 0) * BAR_WIDTH);
  const bar =
    share === null ? '' : ` ${'█'.repeat(filled)}${'░'.repeat(BAR_WIDTH - filled)} ${Math.floor(share * 100)} %`;
  return `${stage}${bar}${events === undefined ? '' : `  ${formatCount(events)} events`}`;
}
