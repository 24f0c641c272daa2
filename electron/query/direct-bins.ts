import type { Progress } from '../../shared/api.ts';
import type { SeriesSpec } from '../../shared/chart.ts';
import { type NumberReader, scalarReader } from '../parse/field-access.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import type { ChunkInfo } from '../store/workspace-store.ts';
import { Bins, type BinWindow } from './fill-bins.ts';
import { PayloadReader } from './payload.ts';
import { type SeriesPlan, seriesPlan } from './series.ts';
import { type SeriesBins, seriesBins } from './series-bins.ts';
import { Turns } from './shared-work.ts';
import { countInChunk, idsOfType, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;

/** Whether a series can be binned event by event: one line of values that depend on their own event alone. */
export const isPlain = (spec: SeriesSpec, { compiled }: SeriesPlan): boolean =>
  spec.groupBy === '' && spec.where === '' && !compiled.stateful;

/**
 * Bins of a plain series straight from the recording, CPU by CPU: without columns of its samples, which are most of the time that evaluating
 * all of them takes. One for each of some windows. Means are of sums in another order, the rest is as
 * from samples in order. See SharedWork for `nextTurn`.
 */
export async function binsDirectly(
  trace: Trace,
  spec: SeriesSpec,
  windows: readonly BinWindow[],
  nextTurn: () => Promise<void>,
  onProgress: (progress: Progress) => void,
): Promise<SeriesBins[]> {
  const plan = seriesPlan(trace, spec);
  const { type } = plan.type;
  const all = windows.map((window) => new Bins(window, plan.limit));
  const around = {
    fromNs: Math.min(...windows.map(({ fromNs }) => fromNs)),
    toNs: Math.max(...windows.map(({ toNs }) => toNs)),
  };
  const parts = trace.streams.flatMap((stream) => partsOf(stream, type, around));
  const total = parts.reduce((sum, { n }) => sum + n, 0);
  const space = new SelectionSpace();
  let done = 0;
  let decoder: ChunkDecoder | null = null;
  const turns = new Turns(nextTurn);
  for (const { stream, cpu, info, id, n } of parts) {
    if (decoder === null || !decoder.isOf(stream, cpu, id)) decoder = new ChunkDecoder(stream, cpu, id, plan);
    const found = trace.chunks.select(info, id, space);
    const values = decoder.values(found.position, found.n, info.basePosition);
    for (const bins of all) bins.add(found.time, values, found.n, stream.offsetNs);
    done += n;
    if (!turns.isDue) continue;
    onProgress({ stage: 'Reading', unit: 'events', done, total });
    await turns.take();
  }
  return all.map((bins) =>
    seriesBins(plan.unit, [{ label: '', key: '', bins: bins.finish(), outliers: bins.outliers }], 0),
  );
}

interface Part {
  stream: TraceStream;
  cpu: TraceCpu;
  id: number;
  info: ChunkInfo;
  n: number;
}

/** Chunks that have events of a type in a window: by kernel id, then CPU, as samples of one time are in order. */
function partsOf(stream: TraceStream, type: number, { fromNs, toNs }: Pick<BinWindow, 'fromNs' | 'toNs'>): Part[] {
  const { recording, cpus, offsetNs } = stream;
  return idsOfType(recording, type).flatMap((id) =>
    cpus.flatMap((cpu) =>
      cpu.chunks
        .filter((info) => info.toNs + offsetNs >= fromNs && info.fromNs + offsetNs <= toNs)
        .map((info) => ({ stream, cpu, id, info, n: countInChunk(info, id) }))
        .filter(({ n }) => n > 0),
    ),
  );
}

/** Values of one CPU's events of one kernel id, chunk by chunk, in memory that is used again. */
class ChunkDecoder {
  readonly #stream: TraceStream;
  readonly #cpu: TraceCpu;
  readonly #id: number;
  readonly #plan: SeriesPlan;
  readonly #payloads: PayloadReader;
  readonly #evaluate: ReturnType<SeriesPlan['compiled']['evaluator']>;
  readonly #readers: NumberReader[];
  #columns: Float64Array[] = [];
  #values = new Float64Array(0);

  constructor(stream: TraceStream, cpu: TraceCpu, id: number, plan: SeriesPlan) {
    this.#stream = stream;
    this.#cpu = cpu;
    this.#id = id;
    this.#plan = plan;
    this.#payloads = new PayloadReader(stream, cpu, BLOCK_BYTES);
    this.#evaluate = plan.compiled.evaluator();
    const fields = stream.recording.formatOfId.get(id)?.fields ?? [];
    this.#readers = plan.compiled.fields.map((name) =>
      scalarReader(
        fields.find((each) => each.name === name),
        stream.layout.abi,
      ),
    );
  }

  isOf(stream: TraceStream, cpu: TraceCpu, id: number): boolean {
    return stream === this.#stream && cpu === this.#cpu && id === this.#id;
  }

  /** Of `n` records at positions from `base` on, ascending. Borrowed, until the next call. */
  values(position: Uint32Array, n: number, base: number): Float64Array {
    if (this.#values.length < n) {
      this.#values = new Float64Array(n);
      this.#columns = this.#readers.map(() => new Float64Array(n));
    }
    const readers = this.#readers;
    const columns = this.#columns;
    this.#payloads.expect(position, base);
    for (let i = 0; i < n; i++) {
      const { view, at, length } = this.#payloads.read(base + (position[i] as number));
      for (let k = 0; k < readers.length; k++)
        (columns[k] as Float64Array)[i] = (readers[k] as NumberReader)(view, at, at + length);
    }
    const values = this.#values;
    const { places, factor } = this.#plan;
    const byField: Float64Array[] = [];
    for (const [k, place] of places.entries()) byField[place] = columns[k] as Float64Array;
    this.#evaluate(byField, n, values);
    if (factor !== 1) for (let i = 0; i < n; i++) values[i] = (values[i] as number) * factor;
    return values;
  }
}
