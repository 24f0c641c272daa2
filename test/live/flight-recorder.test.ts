import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEngine, type EngineCore } from '../../electron/engine/engine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine, LanesResult, RowsResult } from '../../shared/api.ts';
import type { CaptureGrowth, CaptureNews } from '../../shared/capture.ts';
import { EngineClient } from '../../shared/engine-client.ts';

const live = test.skipIf(usableTracefs() === null);
const KEPT_BYTES = 48 << 20;
const filter = 'sys_enter: id >= 0';

let folder: string;
let core: EngineCore;
let engine: EngineClient;
let load: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-flight-'));
  core = createEngine({ version: 'test', cacheFolder: join(folder, 'cache') });
  engine = new EngineClient((message) => core.dispatch(message, (answer: FromEngine) => engine.receive(answer)));
  load = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
});
afterEach(async () => {
  load.kill('SIGKILL');
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

/** What each CPU has in a window. */
const counts = ({ lanes }: LanesResult): number =>
  lanes.reduce((sum, { density }) => sum + density.reduce((events, count) => events + count, 0), 0);

live(
  'a flight recorder is looked at while it runs: what it has given up is nowhere (needs a tracefs that may be written to)',
  async () => {
    const path = join(folder, 'flight.dat');
    const events = [{ pattern: 'raw_syscalls' }, { pattern: 'sched:sched_switch' }];
    const settings = { path, events, keep: { bytes: KEPT_BYTES }, bufferKiB: 16_384 };
    const { captureId } = await engine.call('startCapture', { settings });
    let latest: CaptureNews | undefined;
    let workspaceId = '';
    let originNs = 0n;
    let bytes = 0;
    let accept: (growth: CaptureGrowth) => void = () => {};
    const ended = engine.call(
      'watchCapture',
      { captureId },
      {
        onProgress: ({ capture }) => {
          latest = capture;
          workspaceId = capture?.summary?.workspaceId ?? workspaceId;
          originNs = BigInt(capture?.summary?.originNs ?? originNs);
          bytes = capture?.summary?.recordings[0]?.bytes ?? bytes;
          if (capture?.growth && workspaceId !== '') accept(capture.growth);
        },
      },
    );
    const until = (accepts: (growth: CaptureGrowth) => boolean): Promise<CaptureGrowth> =>
      new Promise((resolve) => {
        accept = (growth) => accepts(growth) && resolve(growth);
      });

    await until(({ events: held }) => held > 0);
    const note = { id: 'n', kind: 'point' as const, fromNs: 1, toNs: 1, text: 'long ago', color: '', tags: [] };
    await engine.call('putAnnotation', { workspaceId, annotation: note });
    const asked = { first: 0, count: 10, filter: '' };
    const early = await engine.call('rows', { workspaceId, ...asked });
    // What was seen once is given up, several times over.
    for (let round = 0; round < 4; round++) {
      const { fromNs } = (latest as { growth: CaptureGrowth }).growth;
      await until((growth) => growth.fromNs > fromNs);
      const rows = await engine.call('rows', { workspaceId, ...asked, count: 5000 });
      const { firstRow, total } = rows;
      const middle = Math.floor((firstRow + total) / 2);
      const whole = { fromNs: 0, toNs: 2 ** 34, resolutionNs: 2 ** 21 };
      const [, list, filtered] = await Promise.all([
        engine.call('lanes', { workspaceId, ...whole }),
        engine.call('rows', { workspaceId, first: middle, count: 20 }),
        engine.call('rows', { workspaceId, first: 'end', count: 20, filter }),
      ]);
      expect(firstRow).toBeGreaterThan(early.firstRow);
      // Asked for what is gone, nothing is given for it.
      expect(rows.rows.every(({ row }) => row >= firstRow)).toBe(true);
      // More may have been given up between the two questions.
      const there = Array.from({ length: 20 }, (_, i) => middle + i).filter((row) => row >= list.firstRow);
      expect(list.rows.map(({ row }) => row)).toEqual(there);
      expect(filtered.rows.every(({ info }) => info.startsWith('NR '))).toBe(true);
      expect(list.rows.every(({ info }) => info !== '')).toBe(true);
    }

    // Nothing is given up any more once nothing comes: lanes, list and filter are of the same events.
    load.kill('SIGKILL');
    await until(() => (latest?.gauges.bytesPerSecond ?? 1) < KEPT_BYTES / 50);
    const { growth } = latest as { growth: CaptureGrowth };
    expect(latest?.gauges.bytes).toBeLessThanOrEqual(KEPT_BYTES);
    expect(bytes).toBeLessThanOrEqual(KEPT_BYTES);
    const resolutionNs = 2 ** 30;
    const [before, held, list, found] = (await Promise.all([
      engine.call('lanes', { workspaceId, fromNs: 0, toNs: growth.fromNs - 2 ** 21, resolutionNs: 2 ** 21 }),
      engine.call('lanes', { workspaceId, fromNs: 0, toNs: growth.durationNs + 2 ** 34, resolutionNs }),
      engine.call('rows', { workspaceId, first: 'end', count: 5000 }),
      engine.call('rows', { workspaceId, first: 'end', count: 5000, filter }),
    ])) as [LanesResult, LanesResult, RowsResult, RowsResult];
    expect(counts(before)).toBe(0);
    // Some more may have come between two questions.
    expect(counts(held)).toBeGreaterThanOrEqual(growth.events);
    expect(list.total - list.firstRow).toBeGreaterThanOrEqual(counts(held));
    // A filter that was slower than the load catches up, and finds about every second event.
    const catchesUp = async (): Promise<number> => {
      const { total, firstRow } = await engine.call('rows', { workspaceId, first: 'end', count: 1, filter });
      return total - firstRow;
    };
    await expect.poll(catchesUp, { timeout: 60_000 }).toBeGreaterThan(growth.events / 8);
    expect(found.total - found.firstRow).toBeLessThan(list.total - list.firstRow);

    const some = Math.floor((list.firstRow + list.total) / 2);
    const shown = await engine.call('rows', { workspaceId, first: some, count: 1000 });
    const end = await engine.call('stopCapture', { captureId });
    expect(end).toMatchObject({ good: true, message: '' });
    await ended;
    const final = await engine.call('open', { paths: [path] });
    expect(final.workspaceId).toBe(workspaceId);
    expect(await engine.call('annotations', { workspaceId })).toMatchObject([{ text: 'long ago' }]);
    // The recording has all that was shown, at the same times and with the same words.
    expect(final.events).toBeGreaterThanOrEqual(list.total - list.firstRow);
    const shiftNs = Number(originNs - BigInt(final.originNs));
    const timeNs = (shown.rows[0]?.timeNs as number) + shiftNs;
    const { row } = await engine.call('findRow', { workspaceId, at: { timeNs } });
    const same = await engine.call('rows', { workspaceId, first: row, count: 1000 });
    const words = (rows: RowsResult['rows'], shift: number) =>
      rows.map(({ timeNs: at, cpu, pid, info }) => [at + shift, cpu, pid, info]);
    expect(words(shown.rows, shiftNs)).toEqual(words(same.rows.slice(0, shown.rows.length), 0));
  },
);
