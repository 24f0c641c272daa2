import { parentPort, workerData } from 'node:worker_threads';
import { toErrorDetail } from '../../shared/errors.ts';
import { openSource } from './open-source.ts';
import { buffersOf, type SlabOrder, SlabThread, type SlabWork } from './slab-thread.ts';

/** A thread that indexes slabs of one recording: orders in, results out, one at a time. */
const { path, work } = workerData as { path: string; work: SlabWork };
const thread = new SlabThread(openSource(path), work);

parentPort?.on('message', ({ order, spent }: { order: SlabOrder; spent: ArrayBuffer[] }) => {
  try {
    thread.recycle(spent);
    const answer = thread.index(order);
    parentPort?.postMessage(answer, buffersOf(answer));
  } catch (error) {
    parentPort?.postMessage({ slab: order.slab, error: toErrorDetail(error) });
  }
});
