import { parentPort, workerData } from 'node:worker_threads';
import { toErrorDetail } from '../../shared/errors.ts';
import { type CpuBytes, openCpuBytes } from '../parse/cpu-data.ts';
import type { Compression } from '../parse/decompress.ts';
import type { CpuData } from '../parse/recording.ts';
import { ChunkEncoder } from '../store/chunk-codec.ts';
import { SlabIndexer, type SlabJob } from './index-slab.ts';
import { openSource } from './open-source.ts';
import type { SlabAnswer, SlabOrder } from './slab-pool.ts';

/** A thread that indexes slabs of one recording: orders in, results out, one at a time. */
const { path, compression } = workerData as { path: string; compression: Compression };
const source = openSource(path);
const encoder = new ChunkEncoder();
const indexer = new SlabIndexer(encoder);
const open = new Map<string, CpuBytes>();

function bytesOf(data: CpuData): CpuBytes {
  const key = `${data.cpu}:${data.offset}`;
  let bytes = open.get(key);
  if (bytes === undefined) {
    bytes = openCpuBytes(source, data, compression);
    open.set(key, bytes);
  }
  return bytes;
}

function answer(order: SlabOrder): SlabAnswer {
  encoder.reset();
  const bytes = bytesOf(order.data);
  const known = bytes.warnings.length;
  const result = indexer.index(bytes, order.job satisfies SlabJob);
  return {
    slab: order.slab,
    result,
    // What opening the data had to say is told once, by the collector.
    warnings: bytes.warnings.slice(known),
    eventTotals: encoder.eventTotals,
    pidTotals: encoder.pidTotals,
  };
}

parentPort?.on('message', (order: SlabOrder) => {
  try {
    const message = answer(order);
    const transfer = message.result.chunks.map(({ chunk }) => chunk.columns.buffer as ArrayBuffer);
    parentPort?.postMessage(message, transfer);
  } catch (error) {
    parentPort?.postMessage({ slab: order.slab, error: toErrorDetail(error) });
  }
});
