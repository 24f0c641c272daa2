import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { createEngine, type EngineCore } from '../../../electron/engine/engine.ts';
import type { Params, SeriesResult } from '../../../shared/api.ts';
import { EngineClient } from '../../../shared/engine-client.ts';
import { writeLargeRecording } from '../../build/large.ts';

let folder: string;
let core: EngineCore;
let engine: EngineClient;
let workspaceId: string;
let durationNs: number;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'remora-first-look-'));
  const path = join(folder, 'large.dat');
  writeLargeRecording(path, 2_500_000);
  core = createEngine({ version: 'test', cacheFolder: folder });
  engine = new EngineClient((message) => core.dispatch(message, (reply) => engine.receive(reply)));
  ({ workspaceId, durationNs } = await engine.call('open', { paths: [path] }));
});
afterAll(async () => {
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What is told on the way to a series over all of the recording, and the series. */
async function asked(spec: Params<'series'>['spec']): Promise<{ looks: SeriesResult[]; whole: SeriesResult }> {
  const looks: SeriesResult[] = [];
  const whole = await engine.call(
    'series',
    { workspaceId, spec, fromNs: 0, toNs: durationNs, bins: 200, mode: 'bins' },
    { onProgress: ({ firstLook }) => firstLook && looks.push(firstLook) },
  );
  return { looks, whole };
}

function binsOf(result: SeriesResult | undefined) {
  const [line] = result?.lines ?? [];
  if (line?.mode !== 'bins') throw new Error('no bins');
  return new Map(Array.from(line.tNs, (t, i) => [t, { min: line.min[i], max: line.max[i], count: line.count[i] }]));
}

it('a field of many events is drawn from a part of them first, once', async () => {
  const { looks, whole } = await asked({ expr: 'sample:tick.value * 2' });
  expect(looks.length).toBe(1);
  const [part, all] = [binsOf(looks[0]), binsOf(whole)];
  let [partCount, allCount] = [0, 0];
  for (const { count } of all.values()) allCount += count as number;
  for (const [t, { min, max, count }] of part) {
    const full = all.get(t);
    expect(min).toBeGreaterThanOrEqual(full?.min as number);
    expect(max).toBeLessThanOrEqual(full?.max as number);
    expect(count).toBeLessThanOrEqual(full?.count as number);
    partCount += count as number;
  }
  expect(partCount).toBeGreaterThan(0);
  expect(partCount).toBeLessThan(allCount / 4);
  // All along the recording, not its beginning.
  expect(Math.max(...part.keys())).toBeGreaterThan(durationNs / 2);
  expect((await asked({ expr: 'sample:tick.value * 2' })).looks).toEqual([]);
});

it('what a part cannot tell is not told by one: differences, sums and counts', async () => {
  expect((await asked({ expr: 'delta(sample:tick.value)' })).looks).toEqual([]);
  expect((await asked({ expr: 'sample:tick.value', aggregate: 'count' })).looks).toEqual([]);
});
