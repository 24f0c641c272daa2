import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import { type ErrorDetail, RemoraError, type TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import type { Compression } from '../parse/decompress.ts';
import type { CpuData } from '../parse/recording.ts';
import { ChunkEncoder } from '../store/chunk-codec.ts';
import { SlabIndexer, type SlabJob, type SlabResult } from './index-slab.ts';

export interface SlabOrder {
  /** Place in the list of slabs. */
  slab: number;
  data: CpuData;
  job: SlabJob;
}

export interface SlabAnswer {
  slab: number;
  result: SlabResult;
  warnings: TraceWarning[];
  eventTotals: Map<number, number>;
  pidTotals: Map<number, number>;
}

/** Threads to use for this much data: starting one and warming it up costs 150 ms, which small recordings do not repay. */
export function threadsFor(bytes: number): number {
  const worthwhile = Math.floor(bytes / (192 * 1024 * 1024));
  return Math.min(availableParallelism(), worthwhile, 8);
}

/**
 * Indexes slabs and hands the answers to `collect` in the order of `orders`. With no threads the work is done here, with a
 * turn of the event loop after each slab. A thread gets its next slab when it has delivered one, and answers that came too
 * early wait: at most two slabs a thread are in memory.
 */
export async function indexSlabs(
  source: ByteSource,
  compression: Compression,
  orders: readonly SlabOrder[],
  threads: number,
  collect: (answer: SlabAnswer) => void,
  signal?: AbortSignal,
): Promise<void> {
  const cancelled = (): RemoraError => new RemoraError({ code: 'cancelled', message: 'the import was cancelled' });
  if (threads < 2) {
    const encoder = new ChunkEncoder();
    const indexer = new SlabIndexer(encoder);
    for (const { slab, data, job } of orders) {
      if (signal?.aborted) throw cancelled();
      encoder.reset();
      const bytes = openCpuBytes(source, data, compression);
      const known = bytes.warnings.length;
      const result = indexer.index(bytes, job);
      collect({
        slab,
        result,
        warnings: bytes.warnings.slice(known),
        eventTotals: encoder.eventTotals,
        pidTotals: encoder.pidTotals,
      });
      await new Promise(setImmediate);
    }
    return;
  }
  const workers = Array.from(
    { length: threads },
    () => new Worker(workerUrl(), { workerData: { path: source.name, compression } }),
  );
  try {
    await new Promise<void>((resolve, reject) => {
      let given = 0;
      let collected = 0;
      const early = new Map<number, SlabAnswer>();
      const give = (worker: Worker): void => {
        // An early answer holds memory: nobody runs further ahead than two slabs a thread.
        if (given < orders.length && given < collected + threads * 2) worker.postMessage(orders[given++]);
        else idle.push(worker);
      };
      const idle: Worker[] = [];
      signal?.addEventListener('abort', () => reject(cancelled()), { once: true });
      if (signal?.aborted) reject(cancelled());
      if (orders.length === 0) resolve();
      for (const worker of workers) {
        worker.on('error', reject);
        worker.on('message', (message: SlabAnswer | { slab: number; error: ErrorDetail }) => {
          if ('error' in message) {
            reject(new RemoraError(message.error));
            return;
          }
          give(worker);
          early.set(message.slab, message);
          try {
            for (let next = early.get(collected); next !== undefined; next = early.get(collected)) {
              early.delete(collected);
              collected++;
              collect(next);
            }
          } catch (error) {
            reject(error);
            return;
          }
          for (const waiting of idle.splice(0)) give(waiting);
          if (collected === orders.length) resolve();
        });
        give(worker);
      }
    });
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

/** The worker's code: beside this module in the sources, beside the bundle in a build. */
function workerUrl(): URL {
  return new URL(import.meta.url.endsWith('.ts') ? './slab-worker.ts' : './slab-worker.js', import.meta.url);
}
