import type { SeriesResult } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { RemoraError } from '../../shared/errors.ts';
import { countOfType, traceOfWindow } from './live-window.ts';
import { Samples } from './samples.ts';
import { SeriesQueries, typeOfSeries } from './series.ts';
import type { Trace } from './trace.ts';

/** What one sample takes while a series is made of it. */
const SAMPLE_BYTES = 64;

/**
 * Series of a recording of any size: of a kind of event of which there are more than memory should hold, what is around the
 * window is evaluated, and a window that has too many itself is refused.
 */
export class LargeSeries {
  readonly #trace: Trace;
  readonly #whole: SeriesQueries;
  readonly #most: number;
  #last: { window: string; queries: SeriesQueries } | null = null;

  /** `most`: events that are evaluated at once; default: as many as the workspace's memory has room for. */
  constructor(trace: Trace, samples: Samples, most?: number) {
    this.#trace = trace;
    this.#whole = new SeriesQueries(trace, samples);
    this.#most = most ?? Object.values(trace.budgets).reduce((sum, bytes) => sum + bytes, 0) / SAMPLE_BYTES;
  }

  firstLook(spec: SeriesSpec, fromNs: number, toNs: number, bins: number): SeriesResult | null {
    return this.#isMuch(spec) ? null : this.#whole.firstLook(spec, fromNs, toNs, bins);
  }

  /** Throws `limit` where the window has too many. */
  window(spec: SeriesSpec, fromNs: number, toNs: number, bins: number, mode: 'auto' | 'raw' | 'bins'): SeriesResult {
    if (!this.#isMuch(spec)) return this.#whole.window(spec, fromNs, toNs, bins, mode);
    const window = `${fromNs} ${toNs}`;
    if (this.#last?.window !== window) {
      const part = traceOfWindow(this.#trace, fromNs, toNs);
      const type = typeOfSeries(this.#trace, spec);
      const n = countOfType(part, type.type);
      if (n > this.#most) throw tooMany(`${type.system}:${type.name}`, n, this.#most);
      this.#last = { window, queries: new SeriesQueries(part, new Samples(part)) };
    }
    return this.#last.queries.window(spec, fromNs, toNs, bins, mode);
  }

  #isMuch(spec: SeriesSpec): boolean {
    return typeOfSeries(this.#trace, spec).count > this.#most;
  }
}

const millions = (n: number): string => `${(n / 1e6).toFixed(1)} million`;

function tooMany(event: string, n: number, most: number): RemoraError {
  return new RemoraError({
    code: 'limit',
    message: `the window has ${millions(n)} ${event} events, and memory is set aside for ${millions(most)} at once: choose a shorter time, or set REMORA_MEMORY_MIB to more`,
  });
}
