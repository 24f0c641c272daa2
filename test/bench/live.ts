// Live capture under load: what the capture costs and loses, and how soon the window shows what happens.
// Part of bench.ts (npm run bench -- --live), which leaves the other figures out then. Needs a tracefs that may be written to.
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { createEngine } from '../../electron/engine/engine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import type { CaptureNews } from '../../shared/capture.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { BROWSER_ARGS, installedBrowser } from '../runner/browser.ts';
import { type Figure, figure, figureLines, percentile } from './figures.ts';
import { recordWork, serve, summarize } from './frames.ts';
import { measureLong } from './long.ts';
import { median } from './measure.ts';

const events = (...patterns: string[]): { pattern: string }[] => patterns.map((pattern) => ({ pattern }));
/** What a system call of the load says of itself, in four events: to say it twice costs half of what a further call does. */
const EVENTS = events('raw_syscalls', 'syscalls:sys_*_read', 'syscalls:sys_*_write', 'sched:sched_switch');
/** Rates to bear, how many processes make them, and buffers for each CPU. An idle CPU makes over a million system calls a second. */
const LOADS = [
  { millions: 1, processes: 1, bufferMiB: 16 },
  { millions: 3, processes: 2, bufferMiB: 64 },
];
/** Of the recording that goes round and round in `measureLong`. */
const BASE_MS = 2000;
/** The engine has filled its caches by then: from here on its memory is to stay as it is. */
const FILLED_MS = 20_000;
/** Ages of the newest event on screen, one after the other: half a minute of following, its beginning included. */
const AGES = 600;
/** How long frames are looked at while the window follows. */
const FOLLOWED_MS = 10_000;

/** Above what is wanted, so that it is reached on the whole. */
const AIM = 1.1;

interface Load {
  /** Rests where there are more events by now than are wanted: a machine may be able to make far more. */
  pace(events: number, wanted: number): void;
  stop(): void;
}

/** Two system calls a byte, as fast as a CPU goes; `processes` of them. */
function makeLoad(processes: number): Load {
  const children = Array.from({ length: processes }, () =>
    spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' }),
  );
  const tell = (signal: NodeJS.Signals): void => {
    for (const child of children) child.kill(signal);
  };
  let rests = false;
  return {
    pace(events, wanted) {
      const enough = events > wanted * AIM;
      if (enough !== rests) tell(enough ? 'SIGSTOP' : 'SIGCONT');
      rests = enough;
    },
    stop: () => tell('SIGKILL'),
  };
}

/** Events of each CPU, as the index of a recording has them. */
async function indexed(engine: EngineClient, path: string): Promise<Map<number, number>> {
  const { workspaceId, durationNs } = await engine.call('open', { paths: [path] });
  const resolutionNs = 2 ** 30;
  const { lanes } = await engine.call('lanes', { workspaceId, fromNs: 0, toNs: durationNs + 1, resolutionNs });
  await engine.call('close', { workspaceId });
  return new Map(lanes.map(({ cpu, density }) => [cpu, density.reduce((sum, count) => sum + count, 0)]));
}

/** What the capture process has resident, the child of this process that is called so; null when it has ended. */
function captureMiB(): number | null {
  try {
    const children = readFileSync(`/proc/self/task/${process.pid}/children`, 'latin1').trim().split(' ');
    const own = children.find((pid) => readFileSync(`/proc/${pid}/cmdline`, 'latin1').startsWith('remora-capture'));
    const resident = /^VmRSS:\s*(\d+)/m.exec(readFileSync(`/proc/${own}/status`, 'latin1'))?.[1];
    return resident === undefined ? null : Number(resident) / 1024;
  } catch {
    return null;
  }
}

/** Captures with an engine that indexes along, nobody looking: what the kernel counted, what the recording has, what it cost. */
async function throughput(folder: string, seconds: number, load: (typeof LOADS)[number]): Promise<Figure[]> {
  const core = createEngine({ version: 'bench', cacheFolder: join(folder, 'cache') });
  const engine = new EngineClient((message) => core.dispatch(message, (answer: FromEngine) => engine.receive(answer)));
  const running = makeLoad(load.processes);
  const path = join(folder, 'load.dat');
  try {
    const limits = { bufferKiB: load.bufferMiB * 1024, durationMs: seconds * 1000 };
    const { captureId } = await engine.call('startCapture', {
      settings: { path, events: EVENTS, ...limits },
    });
    const shares: number[] = [];
    /** When a report came, by our clock and by the capture's: how much later than the quickest one is how late the engine is. */
    const delays: number[] = [];
    /** Resident, in MiB: since when the caches are full, and now. */
    const memory = { engine: [] as number[], capture: [] as number[] };
    const onNews = (capture: CaptureNews | undefined): void => {
      if (capture === undefined) return;
      running.pace(capture.gauges.events, load.millions * 1000 * capture.gauges.elapsedMs);
      shares.push(capture.gauges.cpuShare);
      delays.push(performance.now() - capture.gauges.elapsedMs);
      if (capture.gauges.elapsedMs < FILLED_MS) return;
      memory.engine.push(process.memoryUsage().rss / 2 ** 20);
      const mib = captureMiB();
      if (mib !== null) memory.capture.push(mib);
    };
    const { gauges } = await engine.call(
      'watchCapture',
      { captureId },
      { onProgress: ({ capture }) => onNews(capture) },
    );
    if (gauges === null) throw new Error('the capture told nothing');
    running.stop();
    const found = await indexed(engine, path);
    const perSecond = gauges.events / (gauges.elapsedMs / 1000) / 1e6;
    const missing = gauges.cpus.map(({ cpu, events }) => events - (found.get(cpu) ?? 0));
    const each = gauges.cpus.map(({ cpu, events, lost }) => `CPU ${cpu}: ${events} read, ${lost} lost`).join(', ');
    const late = delays.map((delay) => delay - Math.min(...delays));
    const of = `of ${load.millions} M/s, ${load.bufferMiB} MiB`;
    const much = `${(gauges.events / 1e6).toFixed(0)} M events in ${(gauges.elapsedMs / 1000).toFixed(0)} s, ${(gauges.bytes / 1e6).toFixed(0)} MB`;
    const lost = each.length > 0 ? each : 'no CPU told anything';
    return [
      figure(`rate ${of}`, { least: load.millions }, perSecond, 'M/s', much),
      figure(`lost in the kernel ${of}`, { most: 0 }, gauges.lost, 'events', lost),
      figure(
        `read but not in the recording ${of}`,
        { most: 0 },
        missing.reduce((sum, count) => sum + Math.abs(count), 0),
        'events',
        'all CPUs',
      ),
      figure(`capture process ${of}`, { most: 10 }, (median(shares) * 100) / perSecond, '% CPU per M/s', 'median'),
      figure(`index late ${of}`, { most: 300 }, percentile(late, 0.95), 'ms', 'p95'),
      ...Object.entries(memory).map(([what, mib]) => {
        const [first = Number.NaN, last = Number.NaN] = [mib[0], mib.at(-1)];
        return figure(
          `${what} grows ${of}`,
          { most: 100 },
          last - first,
          'MiB',
          `after 20 s, to ${last.toFixed(0)} MiB`,
        );
      }),
    ];
  } finally {
    running.stop();
    await core.close();
    rmSync(path, { force: true });
  }
}

/** The newest event on screen by its own time stamp, in seconds of CLOCK_MONOTONIC; null before there is one. */
const newestOnScreen = (page: Page): Promise<number | null> =>
  page.evaluate(() => {
    const times = [...document.querySelectorAll('.event-row .time')].map((cell) => Number(cell.textContent));
    const known = times.filter((time) => time > 0);
    return known.length === 0 ? null : Math.max(...known);
  });

async function window(folder: string): Promise<Figure[]> {
  const executablePath = await installedBrowser();
  if (executablePath === null)
    return [figure('first events on screen', { most: 1500 }, Number.NaN, 'ms', 'no browser')];
  const browser = await chromium.launch({ executablePath: executablePath || undefined, args: BROWSER_ARGS });
  const { url, stop } = await serve([], join(folder, 'window-cache'));
  const load = makeLoad(1);
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    await page.goto(url);
    await page.getByRole('button', { name: /^Attach to a machine/ }).click();
    const dialog = page.getByRole('dialog', { name: 'Attach to this machine' });
    await dialog.getByRole('button', { name: /Scheduling/ }).click();
    await dialog.getByRole('button', { name: /System calls/ }).click();
    await dialog.getByLabel('Recording').fill(join(folder, 'window.dat'));
    await dialog.getByLabel('Clock').selectOption('mono');
    await page.getByRole('status', { name: 'Cost' }).getByText('Right now').waitFor();
    const clicked = performance.now();
    await dialog.getByRole('button', { name: 'Start capturing' }).click();
    await page.waitForFunction(() => document.querySelector('.event-row .time:not(:empty)') !== null);
    const first = performance.now() - clicked;
    const ages: number[] = [];
    while (ages.length < AGES) {
      const newest = await newestOnScreen(page);
      if (newest !== null) ages.push(Number(process.hrtime.bigint()) / 1e6 - newest * 1000);
      await new Promise((done) => setTimeout(done, 20));
    }
    const session = await page.context().newCDPSession(page);
    const following = summarize(
      'following',
      await recordWork(session, () => new Promise((done) => setTimeout(done, FOLLOWED_MS))),
    );
    const rate = await page.getByText(/events\/s$/).innerText();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('region', { name: 'Capture ended' }).waitFor();
    return [
      figure('first events on screen', { most: 1500 }, first, 'ms', 'after the click'),
      figure(
        'newest event on screen',
        { most: 300 },
        percentile(ages, 0.95),
        'ms',
        `p95; median ${median(ages).toFixed(0)} ms, at ${rate}`,
      ),
      figure(
        'frame while following',
        { most: 20 },
        following.p95Ms,
        'ms',
        `p95 of main-thread work; median ${following.medianMs.toFixed(1)} ms of ${following.frames} frames`,
      ),
    ];
  } finally {
    load.stop();
    await browser.close();
    await stop();
  }
}

/** A recording of the lighter load. */
async function record(folder: string): Promise<string> {
  const core = createEngine({ version: 'bench', cacheFolder: join(folder, 'cache') });
  const engine = new EngineClient((message) => core.dispatch(message, (answer: FromEngine) => engine.receive(answer)));
  const load = makeLoad(1);
  const path = join(folder, 'base.dat');
  try {
    const settings = { path, events: EVENTS, bufferKiB: 1 << 16, durationMs: BASE_MS };
    const { captureId } = await engine.call('startCapture', { settings });
    await engine.call('watchCapture', { captureId });
    return path;
  } finally {
    load.stop();
    await core.close();
  }
}

/** Lines to print; `long`: how many events go through a growing index instead. Null where tracefs cannot be used here. */
export async function measureLive(seconds: number, long: number | null): Promise<string[] | null> {
  if (usableTracefs() === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'remora-bench-live-'));
  try {
    if (long !== null) return figureLines([await measureLong(await record(folder), folder, long)]);
    const figures: Figure[] = [];
    for (const load of LOADS) figures.push(...(await throughput(resolve(folder), seconds, load)));
    return figureLines([...(await window(folder)), ...figures]);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
