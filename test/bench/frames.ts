// Main-thread work per frame while a user zooms and pans in the window, and how soon the window shows a recording that
// was never opened before. Part of bench.ts; alone: node test/bench/frames.ts FILE
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { type Browser, type CDPSession, chromium, type Page } from '@playwright/test';
import { BROWSER_ARGS, installedBrowser } from '../runner/browser.ts';
import { median } from './measure.ts';

const cli = resolve(import.meta.dirname, '../../dist/cli.js');
const VIEWPORT = { width: 1600, height: 1000 };

export interface FrameWork {
  gesture: string;
  frames: number;
  /** Main-thread work of a frame in ms: all tasks from its start to that of the next one. */
  medianMs: number;
  p95Ms: number;
  maxMs: number;
}

export interface WindowFigures {
  /** From the click on Open to lanes on screen, ms, in each run. */
  firstPaintMs: number[];
  work: FrameWork[];
}

/** Null where no browser is installed. */
export async function measureWindow(path: string, keptCache: string, runs: number): Promise<WindowFigures | null> {
  const executablePath = await installedBrowser();
  if (executablePath === null) return null;
  const browser = await chromium.launch({ executablePath: executablePath || undefined, args: BROWSER_ARGS });
  try {
    const firstPaintMs: number[] = [];
    for (let run = 0; run < runs; run++) firstPaintMs.push(await firstPaint(browser, path));
    return { firstPaintMs, work: await frameWork(browser, path, keptCache) };
  } finally {
    await browser.close();
  }
}

export async function serve(files: string[], cache: string): Promise<{ url: string; stop: () => Promise<void> }> {
  const server: ChildProcess = spawn(process.execPath, [cli, 'serve', ...files], {
    env: { ...process.env, REMORA_CACHE: cache },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const ended = new Promise<void>((done) => server.once('exit', () => done()));
  const url = await new Promise<string>((done, fail) => {
    let said = '';
    server.stdout?.on('data', (chunk: Buffer) => {
      said += String(chunk);
      if (said.includes('\n')) done(said.trim());
    });
    server.once('exit', (code) => fail(new Error(`remora serve ended with ${code}`)));
  });
  const stop = async (): Promise<void> => {
    server.kill('SIGINT');
    await ended;
  };
  return { url, stop };
}

const idle = (page: Page): Promise<void> =>
  page.locator('html[data-idle="true"]').waitFor({ state: 'attached', timeout: 300_000 });

/** Opens a recording that has no index through the window's own dialog; the index is not waited for. */
async function firstPaint(browser: Browser, path: string): Promise<number> {
  const cache = mkdtempSync(join(tmpdir(), 'remora-paint-'));
  const { url, stop } = await serve([], cache);
  const page = await browser.newPage({ viewport: VIEWPORT });
  try {
    await page.goto(url);
    await idle(page);
    await page.keyboard.press('ControlOrMeta+o');
    const dialog = page.getByRole('dialog', { name: 'Open a recording' });
    await dialog.getByRole('option').first().waitFor();
    await dialog.getByLabel('Path').fill(path);
    await page.evaluate(() => {
      const measured = window as unknown as { paintedAfter: Promise<number> };
      measured.paintedAfter = new Promise((done) => {
        document.addEventListener(
          'click',
          ({ timeStamp }) => {
            const look = (): void => {
              const canvas = document.querySelector<HTMLCanvasElement>('.lane-block canvas');
              const pixels = canvas?.getContext('2d')?.getImageData(0, 0, canvas.width, canvas.height).data;
              // The frame that the lanes were drawn in is on screen when the next one begins.
              if (pixels?.some((value) => value !== 0)) done(performance.now() - timeStamp);
              else requestAnimationFrame(look);
            };
            look();
          },
          { once: true },
        );
      });
    });
    await dialog.getByRole('button', { name: 'Open', exact: true }).click();
    return await page.evaluate(() => (window as unknown as { paintedAfter: Promise<number> }).paintedAfter);
  } finally {
    await page.close();
    await stop();
    rmSync(cache, { recursive: true, force: true });
  }
}

async function frameWork(browser: Browser, path: string, cache: string): Promise<FrameWork[]> {
  const { url, stop } = await serve([path], cache);
  const page = await browser.newPage({ viewport: VIEWPORT });
  try {
    await page.goto(url);
    await page.getByRole('grid', { name: 'Events' }).waitFor({ timeout: 300_000 });
    await idle(page);
    const session = await page.context().newCDPSession(page);
    const figures: FrameWork[] = [];
    const run = async (what: string): Promise<void> => {
      for (const [gesture, perform] of Object.entries(gestures)) {
        await page.keyboard.press('0');
        await idle(page);
        const work = await recordWork(session, () => perform(page));
        figures.push(summarize(`${gesture}, ${what}`, work));
        await idle(page);
      }
    };
    await run('lanes');
    await addPlot(page, 'As one line');
    await run('lanes and a line');
    await page.getByRole('button', { name: /^Remove plot/ }).click();
    await addPlot(page, 'By task');
    const lines = await page.getByRole('list', { name: 'Legend' }).getByRole('button').count();
    await run(`lanes and ${lines} lines`);
    return figures;
  } finally {
    await page.close();
    await stop();
  }
}

/** Plots the first numeric field of the first event. */
async function addPlot(page: Page, way: 'As one line' | 'By task'): Promise<void> {
  await page.getByRole('grid', { name: 'Events' }).locator('[role=row][aria-rowindex="2"]').click();
  const details = page.getByRole('region', { name: 'Event details' });
  await details
    .getByRole('button', { name: /^Ways to plot / })
    .first()
    .click();
  await page.getByRole('menuitem', { name: way, exact: true }).click();
  await idle(page);
  await page.keyboard.press('Escape');
}

const HOLD_MS = 2000;

async function pointAtLanes(page: Page): Promise<{ x: number; y: number }> {
  const box = await page.locator('.lane-block canvas').first().boundingBox();
  if (box === null) throw new Error('no lanes on screen');
  const at = { x: box.x + box.width * 0.4, y: box.y + box.height / 2 };
  await page.mouse.move(at.x, at.y);
  return at;
}

async function hold(page: Page, key: string): Promise<void> {
  await page.keyboard.down(key);
  await page.waitForTimeout(HOLD_MS);
  await page.keyboard.up(key);
}

/** As hands do them: keys held down, a wheel that turns, a drag. */
const gestures: Record<string, (page: Page) => Promise<void>> = {
  async 'zoom in and out by keys'(page) {
    await pointAtLanes(page);
    await hold(page, 'w');
    await hold(page, 's');
  },
  async 'pan by keys, zoomed'(page) {
    await pointAtLanes(page);
    await hold(page, 'w');
    await hold(page, 'd');
    await hold(page, 'a');
  },
  async 'zoom by wheel'(page) {
    await pointAtLanes(page);
    await page.keyboard.down('Control');
    for (let turn = 0; turn < 60; turn++) {
      await page.mouse.wheel(0, turn < 40 ? -60 : 120);
      await page.waitForTimeout(16);
    }
    await page.keyboard.up('Control');
  },
  async 'pan by drag, zoomed'(page) {
    const { x, y } = await pointAtLanes(page);
    await hold(page, 'w');
    await page.mouse.down({ button: 'middle' });
    for (let step = 0; step < 120; step++) {
      await page.mouse.move(x + 350 * Math.sin(step / 12), y);
      await page.waitForTimeout(16);
    }
    await page.mouse.up({ button: 'middle' });
  },
};

interface TraceEvent {
  name: string;
  ph: string;
  /** µs. */
  ts: number;
  dur?: number;
  /** Time on the processor: what other processes took in between is not the window's work. */
  tdur?: number;
  pid: number;
  tid: number;
}

/** Milliseconds of main-thread work of every frame that an action makes the page draw. */
export async function recordWork(session: CDPSession, action: () => Promise<void>): Promise<number[]> {
  const events: TraceEvent[] = [];
  const collect = ({ value }: { value: unknown[] }): void => void events.push(...(value as TraceEvent[]));
  session.on('Tracing.dataCollected', collect);
  await session.send('Tracing.start', {
    transferMode: 'ReportEvents',
    traceConfig: { includedCategories: ['toplevel', 'devtools.timeline'], recordMode: 'recordUntilFull' },
  });
  await action();
  const complete = new Promise((done) => session.once('Tracing.tracingComplete', done));
  await session.send('Tracing.end');
  await complete;
  session.off('Tracing.dataCollected', collect);
  return workPerFrame(events);
}

function workPerFrame(events: readonly TraceEvent[]): number[] {
  const frames = events.filter(({ name }) => name === 'FireAnimationFrame').sort((a, b) => a.ts - b.ts);
  const [first] = frames;
  if (first === undefined) return [];
  // Only the outermost tasks: what runs within them is part of them.
  const tasks = events
    .filter(
      ({ name, ph, pid, tid }) => name.endsWith('RunTask') && ph === 'X' && pid === first.pid && tid === first.tid,
    )
    .sort((a, b) => a.ts - b.ts);
  const work: number[] = [];
  let next = 0;
  /** µs since the frame began; null before the first. */
  let sum: number | null = null;
  let reached = Number.NEGATIVE_INFINITY;
  for (const { ts, dur = 0, tdur = dur } of tasks) {
    if (ts < reached) continue;
    reached = ts + dur;
    // A frame begins with the task that fires its animation frame callbacks.
    let begins = false;
    while (next < frames.length && (frames[next] as TraceEvent).ts < ts + dur) {
      begins ||= (frames[next] as TraceEvent).ts >= ts;
      next++;
    }
    if (begins) {
      if (sum !== null) work.push(sum / 1000);
      sum = 0;
    }
    if (sum !== null) sum += tdur;
  }
  if (sum !== null) work.push(sum / 1000);
  return work;
}

export function summarize(gesture: string, work: readonly number[]): FrameWork {
  const sorted = work.toSorted((a, b) => a - b);
  const at = (share: number): number =>
    sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? Number.NaN;
  return { gesture, frames: work.length, medianMs: median(sorted), p95Ms: at(0.95), maxMs: at(1) };
}

/** The figures as lines of text. */
export function windowTable({ firstPaintMs, work }: WindowFigures): string[] {
  const lines = [
    `window, first paint of a recording without an index, from the click on Open: median ${median(firstPaintMs).toFixed(0)} ms (${firstPaintMs.map((ms) => ms.toFixed(0)).join(', ')})`,
    '',
    `${'window, main-thread work a frame, ms'.padEnd(46)}${'frames'.padStart(8)}${'median'.padStart(9)}${'p95'.padStart(8)}${'max'.padStart(8)}`,
  ];
  for (const { gesture, frames, medianMs, p95Ms, maxMs } of work) {
    lines.push(
      gesture.padEnd(46) +
        String(frames).padStart(8) +
        medianMs.toFixed(1).padStart(9) +
        p95Ms.toFixed(1).padStart(8) +
        maxMs.toFixed(1).padStart(8),
    );
  }
  return lines;
}

if (import.meta.main) {
  const [path] = process.argv.slice(2);
  if (path === undefined) throw new Error('name a recording');
  const cache = mkdtempSync(join(tmpdir(), 'remora-frames-'));
  try {
    const figures = await measureWindow(resolve(path), cache, 3);
    console.log(basename(path));
    console.log(figures ? windowTable(figures).join('\n') : 'no browser is installed');
  } finally {
    rmSync(cache, { recursive: true, force: true });
  }
}
