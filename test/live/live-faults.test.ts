import { existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { EngineHost } from '../../electron/engine/host.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { projectRoot, remora, temporaryCache } from '../cli.ts';

const tracefs = usableTracefs();
const live = test.skipIf(tracefs === null);
/** REMORA_KILLS=100 for a night. */
const KILLS = Number(process.env.REMORA_KILLS ?? 6);

const cache = temporaryCache();
let folder: string;
let host: EngineHost;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-faults-'));
  const env = { ...process.env, REMORA_CACHE: join(folder, 'cache') };
  host = new EngineHost({ entry: join(projectRoot, 'dist/engine.js'), env });
});
afterEach(async () => {
  await host.close();
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => cache.remove());

const ours = (): string[] =>
  tracefs === null ? [] : readdirSync(join(tracefs, 'instances')).filter((name) => name.startsWith('remora-'));

function client(): { engine: EngineClient; leave: () => void } {
  const seat = host.join((message: FromEngine) => engine.receive(message));
  const engine = new EngineClient((message) => seat.send(message));
  return { engine, leave: () => seat.leave() };
}

live(
  'an engine or a capture that is killed at any moment leaves a recording that opens, and nothing in tracefs (needs a tracefs that may be written to)',
  async () => {
    const { engine } = client();
    for (let kill = 0; kill < KILLS; kill++) {
      const path = join(folder, `killed-${kill}.dat`);
      const events = [{ pattern: 'sched:sched_switch' }, { pattern: 'raw_syscalls' }];
      const { instance } = await engine.call('startCapture', { settings: { path, events } });
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 600));
      const ofCapture = kill % 2 === 0;
      const pid = ofCapture ? Number(instance.split('-')[1]) : (host.pid as number);
      process.kill(pid, 'SIGKILL');
      // Whoever is left takes the instance away and completes the recording.
      await expect.poll(() => ours().includes(instance), { timeout: 10_000 }).toBe(false);
      await expect.poll(() => existsSync(`${path}.live`), { timeout: 10_000 }).toBe(false);
      const opened = await engine.call('open', { paths: [path] });
      expect(opened.warnings).toEqual([]);
      expect(remora(['check', path], cache.env).status).toBe(0);
      await engine.call('close', { workspaceId: opened.workspaceId });
    }
  },
  600_000,
);

live('notes that were made during a capture survive the engine (needs a tracefs that may be written to)', async () => {
  const path = join(folder, 'noted.dat');
  const { engine } = client();
  const settings = { path, events: [{ pattern: 'sched:sched_switch' }] };
  const { captureId } = await engine.call('startCapture', { settings });
  const workspaceId = await new Promise<string>((resolve) => {
    engine
      .call(
        'watchCapture',
        { captureId },
        { onProgress: ({ capture }) => capture?.summary && resolve(capture.summary.workspaceId) },
      )
      .catch(() => {});
  });
  const annotation = { id: 'n', kind: 'point' as const, fromNs: 5, toNs: 5, text: 'kept', color: '', tags: [] };
  await engine.call('putAnnotation', { workspaceId, annotation });
  process.kill(host.pid as number, 'SIGKILL');
  await expect.poll(() => host.pid).toBe(null);
  const opened = await engine.call('open', { paths: [path] });
  expect(opened.events).toBeGreaterThan(0);
  expect(await engine.call('annotations', { workspaceId: opened.workspaceId })).toMatchObject([{ text: 'kept' }]);
});
