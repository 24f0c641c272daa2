import type { EpisodesResult } from '../../shared/api.ts';
import type { Samples } from './samples.ts';
import type { Trace } from './trace.ts';

/** Throttle episodes of a workspace. */
export class EpisodeQueries {
  readonly #trace: Trace;
  readonly #samples: Samples;

  constructor(trace: Trace, samples: Samples) {
    this.#trace = trace;
    this.#samples = samples;
  }

  find(_by: 'cgroup' | 'task' | 'bdi' | 'none', _gapMs: number | undefined): EpisodesResult {
    // TODO: derive/throttle
    void this.#trace;
    void this.#samples;
    return { episodes: [], totals: [], findings: [] };
  }
}
