/** Where series of few samples end and those of many begin, and in what pieces the latter are looked at. */
export interface SeriesSizes {
  /** Events of a kind that are evaluated at once: takes some 40 ms. */
  atOnce: number;
  /** Bins over all of a recording: those of any coarser window follow from them. Of one line, and of each of several. */
  finestBins: number;
  finestBinsOfGroups: number;
  /** Finer bins would take as much memory as the samples. */
  samplesABin: number;
  /**
   * More events than these are not gone through one after the other for a few samples among them, nor where they can be binned in any
   * order.
   */
  manyEvents: number;
  /** Events of a segment, for each CPU that has any: enough that little of what is decoded for one is of its neighbours. */
  segmentEvents: number;
  /** Groups of at most this many samples are kept as they are. */
  fewOfGroup: number;
  /** What delta and rate remember at the edges of segments takes no more: else there are half as many segments. */
  stateBytes: number;
}

export const USUAL_SIZES: SeriesSizes = {
  atOnce: 100_000,
  finestBins: 1 << 18,
  finestBinsOfGroups: 1 << 15,
  samplesABin: 16,
  manyEvents: 1 << 21,
  segmentEvents: 1 << 15,
  fewOfGroup: 1 << 14,
  stateBytes: 1 << 25,
};
