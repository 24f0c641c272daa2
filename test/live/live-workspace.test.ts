import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEngine, type EngineCore } from '../../electron/engine/engine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { Engine, FromEngine, Progress } from '../../shared/api.ts';
import type { CaptureNews } from '../../shared/capture.ts';
import { seriesSpecSchema } from '../../shared/chart.ts';
import { EngineClient } from '../../shared/engine-client.ts';

const live = test.skipIf(usableTracefs() === null);
/** Short, and long enough for a test that watches at once. */
const UNWATCHED_MS = 2000;

let folder: string;
let core: EngineCore;
let engine: Engine;
let load: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-live-'));
  core = createEngine({ version: 'test', cacheFolder: join(folder, 'cache'), unwatchedMs: UNWATCHED_MS });
  const client = new EngineClient((message) => core.dispatch(message, (answer: FromEngine) => client.receive(answer)));
  engine = client;
  load = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
});

afterEach(async () => {
  load.kill('SIGKILL');
  await core.close();
  rmSync(folder, { recursive: true, force: true });
});

const events = [{ pattern: 'raw_syscalls', filter: 'pid > 0' }, { pattern: 'sched:sched_switch' }];

/** Watches a capture; `until` resolves with the first news that a test accepts. */
function watch(captureId: string) {
  const waiting: { accepts(news: CaptureNews): boolean; resolve(news: CaptureNews): void }[] = [];
  const onProgress = ({ capture }: Progress): void => {
    if (capture === undefined) return;
    for (const entry of waiting.splice(0)) entry.accepts(capture) ? entry.resolve(capture) : waiting.push(entry);
  };
  const ended = engine.call('watchCapture', { captureId }, { onProgress });
  const until = (accepts: (news: CaptureNews) => boolean): Promise<CaptureNews> =>
    new Promise((resolve) => waiting.push({ accepts, resolve }));
  return { ended, until };
}

live(
  'what a capture shows while it runs is what its recording shows in the end (needs a tracefs that may be written to)',
  async () => {
    const path = join(folder, 'out.dat');
    const info = await engine.call('startCapture', { settings: { path, events } });
    const { ended, until } = watch(info.captureId);
    const fromNs = 0;
    const toNs = 2 ** 28;
    // What is compared must be over by then.
    const enough = ({ growth }: CaptureNews): boolean =>
      (growth?.events ?? 0) > 60_000 && (growth?.durationNs ?? 0) > toNs;
    const { summary } = await until((news) => enough(news) && news.summary !== undefined);
    const workspaceId = summary?.workspaceId as string;
    const filter = 'sched_switch: next_pid != 0';
    const ask = async (id: string) => {
      const lanes = await engine.call('lanes', { workspaceId: id, fromNs, toNs, resolutionNs: 2 ** 20 });
      const spec = seriesSpecSchema.parse({ expr: 'sched:sched_switch.next_prio', groupBy: 'cpu' });
      const series = await engine.call('series', { workspaceId: id, spec, fromNs, toNs, bins: 256, mode: 'bins' });
      const { rows } = await engine.call('rows', { workspaceId: id, first: 5000, count: 50 });
      const found = await engine.call('rows', { workspaceId: id, first: 0, count: 20, filter });
      return {
        density: lanes.lanes.map(({ cpu, density }) => [cpu, [...density.subarray(0, 200)]]),
        slices: lanes.lanes.map(({ slices }) => [...(slices?.pid.subarray(0, 50) ?? [])]),
        series: series.lines.map((line) => (line.mode === 'bins' ? [line.group, [...line.max].slice(0, 100)] : [])),
        rows: rows.map(({ row, cpu, timeNs, pid, eventName, info: text }) => ({
          row,
          cpu,
          timeNs,
          pid,
          eventName,
          text,
        })),
        found: found.rows.map(({ row, timeNs, info: text }) => ({ row, timeNs, text })),
      };
    };
    await engine.call('putAnnotation', {
      workspaceId,
      annotation: { id: 'n', kind: 'point', fromNs: 1000, toNs: 1000, text: 'while it runs', color: '', tags: [] },
    });
    const before = await ask(workspaceId);
    // The list of a filter goes on where it was.
    const some = (await engine.call('rows', { workspaceId, first: 0, count: 1, filter })).total;
    const seen = (await engine.call('rows', { workspaceId, first: 0, count: 1 })).total;
    await until((news) => (news.growth?.events ?? 0) > seen + 60_000);
    expect((await engine.call('rows', { workspaceId, first: 0, count: 1, filter })).total).toBeGreaterThan(some);
    const end = await engine.call('stopCapture', { captureId: info.captureId });
    expect(end).toMatchObject({ good: true, message: '' });
    expect(await ended).toEqual(end);
    const final = await engine.call('open', { paths: [path] });
    expect(final).toMatchObject({ workspaceId, reopened: true, events: end.gauges?.events });
    expect(await ask(workspaceId)).toEqual(before);
    expect(await engine.call('annotations', { workspaceId })).toMatchObject([{ text: 'while it runs' }]);
    expect(await engine.call('captures', {})).toEqual([]);
  },
);

live('a capture that nobody watches is stopped, and complete (needs a tracefs that may be written to)', async () => {
  const path = join(folder, 'alone.dat');
  await engine.call('startCapture', { settings: { path, events } });
  expect(await engine.call('captures', {})).toMatchObject([{ path }]);
  await expect.poll(() => engine.call('captures', {}), { timeout: 20_000 }).toEqual([]);
  expect(await engine.call('open', { paths: [path] })).toMatchObject({ reopened: true, warnings: [] });
});

live('what a capture would take is measured, and leaves nothing (needs a tracefs that may be written to)', async () => {
  const path = join(folder, 'never.dat');
  const estimate = await engine.call('estimateCapture', { settings: { path, events } });
  expect(estimate.eventsPerSecond).toBeGreaterThan(0);
  expect(existsSync(path)).toBe(false);
  const refused = engine.call('estimateCapture', {
    settings: { path, events: [events[1], { pattern: 'sched:sched_wakeup', filter: 'prio < 3 && no == 1' }] },
  });
  await expect(refused).rejects.toMatchObject({ detail: { code: 'bad-expression', choice: 1, position: 12 } });
});
