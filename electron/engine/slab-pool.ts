import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorDetail, RemoraError } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import type { Compression } from '../parse/decompress.ts';
import { buffersOf, type SlabAnswer, type SlabOrder, SlabThread, type SlabWork } from './slab-thread.ts';

const MIB = 1024 * 1024;

/** Threads to use for this much data, this one among them: each takes as long to start as indexing 100 MiB, or unpacking 20. */
export function threadsFor(bytes: number, compression: Compression): number {
  const worthwhile = Math.floor(bytes / ((compression === 'none' ? 192 : 32) * MIB));
  return Math.max(1, Math.min(availableParallelism(), worthwhile, 8));
}

/** Orders that a thread has been given and not answered: the next is there when it has done one. */
const ORDERS_AHEAD = 2;

/** Slabs a thread that may be finished before the first of them is: an early answer holds memory. */
const SLABS_AHEAD = 4;

/**
 * Indexes slabs and hands the answers to `collect` in the order of `orders`. This thread works along, when it has nothing to
 * collect, with a turn of the event loop after each slab; `threads` counts it.
 */
export async function indexSlabs(
  source: ByteSource,
  work: SlabWork,
  orders: readonly SlabOrder[],
  threads: number,
  collect: (answer: SlabAnswer) => void,
  signal?: AbortSignal,
): Promise<void> {
  const own = new SlabThread(source, work);
  const early = new Map<number, SlabAnswer>();
  /** Who was given a slab, where it was not this thread. */
  const makers = new Map<number, { spent: ArrayBuffer[] }>();
  let given = 0;
  let collected = 0;
  let failure: unknown;
  let wake: (() => void) | null = null;
  const next = (): SlabOrder | undefined => (given < collected + threads * SLABS_AHEAD ? orders[given++] : undefined);

  const workers = Array.from({ length: threads - 1 }, () => {
    const worker = new Worker(workerUrl(), { workerData: { path: source.name, work } });
    const state = { worker, ahead: 0, spent: [] as ArrayBuffer[] };
    const heard = (what: () => void): void => {
      what();
      wake?.();
    };
    worker.on('error', (error) =>
      heard(() => {
        failure ??= error;
      }),
    );
    worker.on('message', (message: SlabAnswer | { slab: number; error: ErrorDetail }) =>
      heard(() => {
        state.ahead--;
        if ('error' in message) failure ??= new RemoraError(message.error);
        else early.set(message.slab, message);
      }),
    );
    return state;
  });
  const onAbort = (): void => wake?.();
  signal?.addEventListener('abort', onAbort);
  try {
    while (collected < orders.length) {
      if (signal?.aborted) throw new RemoraError({ code: 'cancelled', message: 'the import was cancelled' });
      if (failure !== undefined) throw failure;
      for (let answer = early.get(collected); answer !== undefined; answer = early.get(collected)) {
        early.delete(collected++);
        collect(answer);
        // Buffers go back to where they came from.
        const from = makers.get(answer.slab);
        makers.delete(answer.slab);
        if (from === undefined) own.recycle(buffersOf(answer));
        else from.spent.push(...buffersOf(answer));
      }
      for (const state of workers) {
        for (let order: SlabOrder | undefined; state.ahead < ORDERS_AHEAD; state.ahead++) {
          order = next();
          if (order === undefined) break;
          makers.set(order.slab, state);
          const spent = state.spent.splice(0);
          state.worker.postMessage({ order, spent }, spent);
        }
      }
      const order = next();
      if (order !== undefined) early.set(order.slab, own.index(order));
      else if (collected < orders.length && !early.has(collected)) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
        wake = null;
      }
      await new Promise(setImmediate);
    }
  } finally {
    signal?.removeEventListener('abort', onAbort);
    await Promise.all(workers.map(({ worker }) => worker.terminate()));
  }
}

/** The worker's code: beside this module in the sources, beside the bundle in a build. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './slab-worker.ts' : './slab-worker.js', import.meta.url);
}
