import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { EngineHost } from '../../../electron/engine/host.ts';
import type { EngineSeat } from '../../../electron/engine/sharing.ts';
import type { Notice } from '../../../shared/api.ts';
import { EngineClient } from '../../../shared/engine-client.ts';
import { projectRoot } from '../../cli.ts';

/** The real engine in a real child process, run from its sources. */
const sample = join(projectRoot, 'assets/samples/throttle.dat');
let folder: string;
let host: EngineHost;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-host-'));
  host = new EngineHost({
    entry: join(projectRoot, 'electron/engine/entry.ts'),
    env: { ...process.env, REMORA_CACHE: folder },
    silenceMs: 200,
  });
});

afterEach(async () => {
  await host.close();
  rmSync(folder, { recursive: true });
});

function newClient(): { client: EngineClient; seat: EngineSeat; notices: Notice[] } {
  const client: EngineClient = new EngineClient((message) => seat.send(message));
  const seat = host.join((message) => client.receive(message));
  const notices: Notice[] = [];
  client.onNotice((notice) => notices.push(notice));
  return { client, seat, notices };
}

const alive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const pidOf = (): number => host.pid as number;

describe('EngineHost', () => {
  it('starts one engine with the first request, for all clients', async () => {
    const [a, b] = [newClient(), newClient()];
    expect(host.pid).toBeNull();
    const [one, two] = await Promise.all([a.client.call('hello', {}), b.client.call('hello', {})]);
    expect([one.pid, two.pid]).toEqual([pidOf(), pidOf()]);
  });

  it('carries progress, typed arrays and errors between the processes', async () => {
    const { client } = newClient();
    const stages = new Set<string>();
    const summary = await client.call('open', { paths: [sample] }, { onProgress: ({ stage }) => stages.add(stage) });
    const { workspaceId, durationNs } = summary;
    const lanes = await client.call('lanes', {
      workspaceId,
      fromNs: 0,
      toNs: durationNs,
      resolutionNs: durationNs / 100,
    });
    expect(lanes.lanes[0]?.density).toBeInstanceOf(Uint32Array);
    expect(stages.size).toBeGreaterThan(0);
    const nothing = client.call('open', { paths: [join(folder, 'nothing.dat')] });
    await expect(nothing).rejects.toMatchObject({ code: 'file', detail: { file: join(folder, 'nothing.dat') } });
  });

  it('after a crash fails what ran, says so to everybody, and serves again', async () => {
    const [a, b] = [newClient(), newClient()];
    await a.client.call('hello', {});
    const first = pidOf();
    process.kill(first, 'SIGSTOP'); // so that the request is still unanswered when the engine ends
    const running = a.client.call('hello', {});
    process.kill(first, 'SIGKILL');
    await expect(running).rejects.toMatchObject({ code: 'engine-gone', message: expect.stringContaining('SIGKILL') });
    expect([a.notices, b.notices]).toEqual([
      [{ kind: 'engine-restarted', reason: expect.any(String) }],
      [expect.anything()],
    ]);
    expect((await b.client.call('hello', {})).pid).toBe(pidOf());
    expect(pidOf()).not.toBe(first);
  });

  it('ends an engine that does not even heed a cancel', async () => {
    const { client, notices } = newClient();
    await client.call('hello', {});
    const first = pidOf();
    process.kill(first, 'SIGSTOP');
    const abort = new AbortController();
    const hung = client.call('hello', {}, { signal: abort.signal });
    const other = client.call('hello', {});
    abort.abort();
    await expect(hung).rejects.toMatchObject({ code: 'cancelled' });
    await expect(other).rejects.toMatchObject({ code: 'engine-gone' });
    expect([alive(first), notices.length]).toEqual([false, 1]);
  });

  it('leaves an engine alone that answers', async () => {
    const { client } = newClient();
    const { pid } = await client.call('hello', {});
    const abort = new AbortController();
    const cancelled = client.call('hello', {}, { signal: abort.signal });
    abort.abort();
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
    await client.call('hello', {});
    // Longer than the silence that would have been taken for a hang.
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect((await client.call('hello', {})).pid).toBe(pid);
  });

  it('fails with a reason where the engine cannot start, once per request', async () => {
    const broken = new EngineHost({ entry: join(folder, 'missing.js') });
    const client: EngineClient = new EngineClient((message) => seat.send(message));
    const seat = broken.join((message) => client.receive(message));
    await expect(client.call('hello', {})).rejects.toMatchObject({ code: 'engine-gone' });
    await expect(client.call('hello', {})).rejects.toMatchObject({ code: 'engine-gone' });
    await broken.close();
  });

  it('closes with its engine, and answers nothing more', async () => {
    const { client } = newClient();
    const { pid } = await client.call('hello', {});
    await host.close();
    expect(alive(pid)).toBe(false);
    await expect(client.call('hello', {})).rejects.toMatchObject({ code: 'engine-gone' });
    expect(host.pid).toBeNull();
  });
});
