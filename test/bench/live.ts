// Live capture under load: what the capture costs and loses, and how soon the window shows what happens.
// Part of bench.ts (npm run bench -- --live), which leaves the other figures out then. Needs a tracefs that may be written to.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { chromium, type Page } from '@playwright/test';
import { createEngine } from '../../electron/engine/engine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import type { CaptureNews } from '../../shared/capture.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { BROWSER_ARGS, installedBrowser } from '../runner/browser.ts';
import { serve } from './frames.ts';
import { median } from './measure.ts';

const EVENTS = [{ pattern: 'raw_syscalls' }, { pattern: 'sched:sched_switch' }];
const BUFFER_KIB = 16 * 1024;
/** Ages of the newest event on screen, one after the other. */
const AGES = 200;

const percentile = (values: readonly number[], share: number): number =>
  [...values].sort((a, b) => a - b)[Math.min(values.length - 1, Math.floor(values.length * share))] ?? Number.NaN;

/** Two system calls a byte, as fast as a CPU goes; `processes` of them. */
function makeLoad(processes: number): { stop(): void } {
  const children = Array.from({ length: processes }, () =>
    spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' }),
  );
  const stop = (): void => {
    for (const child of children) child.kill('SIGKILL');
  };
  return { stop };
}

/** Captures with an engine that indexes along, nobody looking. */
async function throughput(folder: string, seconds: number): Promise<string[]> {
  const core = createEngine({ version: 'bench', cacheFolder: join(folder, 'cache') });
  const engine = new EngineClient((message) => core.dispatch(message, (answer: FromEngine) => engine.receive(answer)));
  const load = makeLoad(1);
  try {
    const settings = {
      path: join(folder, 'load.dat'),
      events: EVENTS,
      bufferKiB: BUFFER_KIB,
      durationMs: seconds * 1000,
    };
    const { captureId } = await engine.call('startCapture', { settings });
    const shares: number[] = [];
    /** When a report came, by our clock and by the capture's: how much later than the quickest one is how late the engine is. */
    const delays: number[] = [];
    let peak = 0;
    const onNews = (capture: CaptureNews | undefined): void => {
      if (capture === undefined) return;
      shares.push(capture.gauges.cpuShare);
      delays.push(performance.now() - capture.gauges.elapsedMs);
      peak = Math.max(peak, process.memoryUsage().rss);
    };
    const { gauges } = await engine.call(
      'watchCapture',
      { captureId },
      { onProgress: ({ capture }) => onNews(capture) },
    );
    if (gauges === null) throw new Error('the capture told nothing');
    const quickest = Math.min(...delays);
    const perSecond = gauges.events / (gauges.elapsedMs / 1000);
    return [
      `capture   ${(gauges.events / 1e6).toFixed(1)} M events in ${(gauges.elapsedMs / 1000).toFixed(0)} s, ${(perSecond / 1e6).toFixed(2)} M/s, ${gauges.lost} lost, ${(gauges.bytes / 1e6).toFixed(0)} MB`,
      `          ${(median(shares) * 100).toFixed(1)} % of one CPU in the capture process (median)`,
      `index     ${(median(delays) - quickest).toFixed(0)} ms late (median), ${(percentile(delays, 0.95) - quickest).toFixed(0)} ms (p95); engine at most ${(peak / 2 ** 20).toFixed(0)} MiB`,
    ];
  } finally {
    load.stop();
    await core.close();
  }
}

/** The newest event on screen by its own time stamp, in seconds of CLOCK_MONOTONIC; null before there is one. */
const newestOnScreen = (page: Page): Promise<number | null> =>
  page.evaluate(() => {
    const times = [...document.querySelectorAll('.event-row .time')].map((cell) => Number(cell.textContent));
    const known = times.filter((time) => time > 0);
    return known.length === 0 ? null : Math.max(...known);
  });

async function window(folder: string): Promise<string[]> {
  const executablePath = await installedBrowser();
  if (executablePath === null) return ['window    no browser is installed'];
  const browser = await chromium.launch({ executablePath: executablePath || undefined, args: BROWSER_ARGS });
  const { url, stop } = await serve([], join(folder, 'window-cache'));
  const load = makeLoad(1);
  try {
    const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
    await page.goto(url);
    await page.getByRole('button', { name: /^Attach to this machine/ }).click();
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
    const rate = await page.getByText(/events\/s$/).innerText();
    await page.getByRole('button', { name: 'Stop' }).click();
    await page.getByRole('region', { name: 'Capture ended' }).waitFor();
    return [
      `window    first events on screen ${first.toFixed(0)} ms after the click`,
      `          newest event on screen ${median(ages).toFixed(0)} ms old (median), ${percentile(ages, 0.95).toFixed(0)} ms (p95) at ${rate}`,
    ];
  } finally {
    load.stop();
    await browser.close();
    await stop();
  }
}

/** Lines to print. Null where tracefs cannot be used here. */
export async function measureLive(seconds: number): Promise<string[] | null> {
  if (usableTracefs() === null) return null;
  const folder = mkdtempSync(join(tmpdir(), 'remora-bench-live-'));
  try {
    return [...(await throughput(resolve(folder), seconds)), ...(await window(folder))];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
