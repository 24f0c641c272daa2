import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, expect, test } from 'vitest';
import { WebSocket } from 'ws';
import { removeStaleInstances, staleInstances } from '../../electron/live/instance.ts';
import { LocalMachine } from '../../electron/live/local-machine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { decodeMessage, encodeMessage } from '../../shared/wire.ts';
import { projectRoot, remora, remoraJson, temporaryCache } from '../cli.ts';

const tracefs = usableTracefs();
const machine = new LocalMachine();
/** REMORA_KILLS=100 for a night. */
const KILLS = Number(process.env.REMORA_KILLS ?? 6);
/** What a recording may lose of the time before the kill. */
const MOST_LOST_NS = 1_000_000_000n;

interface InfoDocument {
  streams: { originNs: string; durationNs: number }[];
}

const cache = temporaryCache();
let folder: string;
let load: ChildProcess;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-served-'));
  load = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
});
afterEach(() => {
  load.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});
afterAll(() => cache.remove());

const instances = (): string[] => readdirSync(join(tracefs as string, 'instances'));

/** Processes below one, itself first. */
function descendants(root: number): number[] {
  const below = [root];
  for (const pid of below) {
    try {
      below.push(...readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number));
    } catch {
      // It ended meanwhile.
    }
  }
  return below;
}

/** `remora serve` and a page of it: what a browser tab does, without the browser. */
async function openTab(): Promise<{ server: ChildProcess; socket: WebSocket; engine: EngineClient }> {
  const server = spawn(process.execPath, [join(projectRoot, 'dist/cli.js'), 'serve'], {
    env: { ...process.env, REMORA_CACHE: join(folder, 'cache') },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const url = await new Promise<URL>((resolve) => {
    let said = '';
    server.stdout.on('data', (piece: Buffer) => {
      said += String(piece);
      if (said.includes('\n')) resolve(new URL(said.trim()));
    });
  });
  const socket = new WebSocket(`ws://${url.host}/engine${url.search}`, { origin: url.origin });
  socket.binaryType = 'nodebuffer';
  const engine = new EngineClient((message) => socket.send(encodeMessage(message)));
  socket.on('message', (bytes: Buffer) => engine.receive(decodeMessage(new Uint8Array(bytes)) as FromEngine));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return { server, socket, engine };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}

test.skipIf(tracefs === null)(
  'a window whose processes are killed at any moment loses no more than the last second (needs a tracefs that may be written to)',
  async () => {
    for (let round = 0; round < KILLS; round++) {
      const path = join(folder, `killed-${round}.dat`);
      const { server, socket, engine } = await openTab();
      const events = [{ pattern: 'sched:sched_switch' }, { pattern: 'raw_syscalls', filter: 'id >= 0' }];
      const settings = { path, events, clock: 'mono', bufferKiB: 16_384 };
      const { captureId, instance } = await engine.call('startCapture', { settings });
      const begun = new Promise<void>((resolve) => {
        const onProgress = ({ capture }: { capture?: { growth: unknown } | undefined }) => capture?.growth && resolve();
        engine.call('watchCapture', { captureId }, { onProgress }).catch(() => {});
      });
      await begun;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 800));
      // By turns: the server, whose engine and capture notice; engine and server, and the capture does; all, and nobody does.
      const capture = Number(instance.split('-')[1]);
      const all = descendants(server.pid as number);
      for (const pid of [all.slice(0, 1), all.filter((other) => other !== capture), all][round % 3] as number[])
        kill(pid);
      const killedNs = process.hrtime.bigint();
      socket.terminate();
      if (round % 3 === 2) {
        await expect.poll(() => staleInstances(machine, tracefs as string)).toContain(instance);
        // Its threads end one after the other, and the last has the files open for a moment longer.
        await expect.poll(async () => (await removeStaleInstances(machine, tracefs as string)).kept).toEqual([]);
        expect(remora(['record', '--recover', path], cache.env).status).toBe(0);
      }
      await expect.poll(() => instances().includes(instance), { timeout: 20_000 }).toBe(false);
      await expect.poll(() => existsSync(`${path}.live`), { timeout: 60_000 }).toBe(false);
      expect(remora(['check', path], cache.env).status).toBe(0);
      const [stream] = remoraJson<InfoDocument>(['info', '--no-cache', path], cache.env).streams;
      const lastNs = BigInt(stream?.originNs as string) + BigInt(Math.round(stream?.durationNs as number));
      expect(killedNs - lastNs).toBeLessThan(MOST_LOST_NS);
      rmSync(path);
    }
  },
  1_200_000,
);

test.skipIf(tracefs === null)(
  'two windows capture at once, and neither sees anything of the other (needs a tracefs that may be written to)',
  async () => {
    const tabs = await Promise.all([openTab(), openTab()]);
    const wanted = ['raw_syscalls:sys_enter', 'raw_syscalls:sys_exit'];
    const names = ['sys_enter', 'sys_exit'];
    const begin = async ({ engine }: (typeof tabs)[number], i: number) => {
      const settings = { path: join(folder, `tab-${i}.dat`), events: [{ pattern: wanted[i] as string }] };
      const info = await engine.call('startCapture', { settings });
      const enough = new Promise<void>((resolve) => {
        engine
          .call(
            'watchCapture',
            { captureId: info.captureId },
            { onProgress: ({ capture }) => (capture?.growth?.events ?? 0) > 50_000 && resolve() },
          )
          .catch(() => {});
      });
      return { info, enough };
    };
    const [first, second] = await Promise.all(tabs.map(begin));
    if (first === undefined || second === undefined) throw new Error('a capture did not start');
    expect(first.info.instance).not.toBe(second.info.instance);
    await Promise.all([first.enough, second.enough]);
    // One of them stops, and the other goes on.
    const [one, other] = tabs as [(typeof tabs)[number], (typeof tabs)[number]];
    await one.engine.call('stopCapture', { captureId: first.info.captureId });
    expect(instances()).not.toContain(first.info.instance);
    expect(await other.engine.call('captures', {})).toMatchObject([{ captureId: second.info.captureId }]);
    await other.engine.call('stopCapture', { captureId: second.info.captureId });
    for (const [i, { engine, socket, server }] of tabs.entries()) {
      const { eventTypes, events } = await engine.call('open', { paths: [join(folder, `tab-${i}.dat`)] });
      const some = eventTypes.filter(({ count }) => count > 0).map(({ name }) => name);
      expect(some).toEqual([names[i]]);
      expect(events).toBeGreaterThan(50_000);
      socket.terminate();
      const ended = new Promise((resolve) => server.once('exit', resolve));
      server.kill('SIGINT');
      await ended;
    }
  },
);
