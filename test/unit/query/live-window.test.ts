import { expect, it } from 'vitest';
import { memoryBudgets } from '../../../electron/query/budgets.ts';
import { LiveTaskLanes, numberParts } from '../../../electron/query/live-window.ts';
import type { Trace } from '../../../electron/query/trace.ts';

const CHUNK_EVENTS = 65_536;

/** A growing trace whose chunks, a second each, can only be counted: reading one fails. */
function traceOf(chunks: number): Trace {
  const infos = Array.from({ length: chunks }, (_, i) => {
    const [fromNs, toNs] = [i * 1e9, (i + 1) * 1e9 - 1];
    const place = { id: i + 1, stream: 0, cpu: 0, firstIndex: i * CHUNK_EVENTS, count: CHUNK_EVENTS, fromNs, toNs };
    return { ...place, ordered: true, basePosition: 0, floorNs: 0, events: Uint32Array.of(7, CHUNK_EVENTS) };
  });
  const recording = { formatOfId: new Map(), typeOfId: [], commOf: () => '' };
  const cpu = { stream: 0, cpu: 0, events: chunks * CHUNK_EVENTS, dropped: 0, chunks: infos, lost: [] };
  const stream = { info: { index: 0, fromNs: 0, toNs: chunks * 1e9 }, recording, offsetNs: 0, cpus: [cpu] };
  const read = () => {
    throw new Error('a chunk was read');
  };
  const whole = { streams: [stream], eventTypes: [], durationNs: chunks * 1e9, budgets: memoryBudgets() };
  return { ...whole, chunks: { get: read, select: read } } as unknown as Trace;
}

it('lanes of tasks in a window of an hour are refused without reading it, those of a part are not', () => {
  const trace = traceOf(3600);
  const lanes = new LiveTaskLanes(trace, numberParts(trace));
  expect(() => lanes.window(0, 3600e9, 2 ** 32, null, 4)).toThrow(/holds 236 million events: zoom in/);
  expect(() => lanes.window(60e9, 70e9, 2 ** 32, null, 4)).toThrow('a chunk was read');
});
