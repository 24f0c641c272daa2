import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { writeLargeRecording, writeLargeText } from '../build/large.ts';
import { type App, expect, settled, test } from './host.ts';
import { events, openSample, rows, SAMPLE } from './steps.ts';

test.skip(process.platform !== 'linux', 'an engine is held still by means of Linux alone');

/** Long enough to index that its engine can be held in the middle. */
const LARGE_EVENTS = 16_000_000;
/** Long enough to read for what it has. */
const LARGE_LINES = 1_000_000;

const opening = (page: Page, name = 'large.dat') => page.getByRole('region', { name: `Opening ${name}` });
const part = (page: Page) => page.getByRole('region', { name: 'Part of the recording' });

function largeRecording({ folder }: App): { path: string; count: number } {
  const path = join(folder, 'large.dat');
  return { path, count: writeLargeRecording(path, LARGE_EVENTS) };
}

/** Opens a large recording and cancels in the middle, when a part of it is indexed. */
async function openPart(app: App, path: string, cancel: (card: Locator) => Promise<void>): Promise<void> {
  await app.openFiles(path);
  const card = opening(app.page);
  await app.engine.holdWhen(card.getByText('Cancel shows what is indexed by then'));
  await cancel(card);
  app.engine.release();
  await expect(card).toBeHidden();
  await settled(app.page);
}

const byButton = (card: Locator): Promise<void> => card.getByRole('button', { name: 'Cancel' }).click();

test('cancelling shows what is indexed, as a part, and indexing goes on to the whole', async ({ app }) => {
  const { path, count } = largeRecording(app);
  const page = await app.start();
  await openPart(app, path, byButton);
  const bar = part(page);
  await expect(bar).toContainText(/Only \d+ % of the data is indexed/);
  await expect(page.getByRole('banner')).toContainText(/[\d,]+ events in the indexed part/);
  await expect(page.getByLabel('Events shown')).toContainText('in the indexed part');
  await expect(page.getByText('Indexed part', { exact: true })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Recording', exact: true })).toContainText('Count in the indexed part');
  await expect(rows(events(page)).first()).toBeVisible();

  // Cancelled again, the part is a larger one.
  const first = await bar.locator('b').innerText();
  const cancel = bar.getByRole('button', { name: 'Cancel' });
  await bar.getByRole('button', { name: 'Index the rest' }).click();
  await app.engine.holdWhen(cancel);
  await cancel.click();
  app.engine.release();
  await expect(bar.getByRole('button', { name: 'Index the rest' })).toBeVisible();
  await settled(page);
  await expect(bar.locator('b')).not.toHaveText(first);

  await bar.getByRole('button', { name: 'Index the rest' }).click();
  await expect(bar).toBeHidden({ timeout: 60_000 });
  await settled(page);
  const all = `${count.toLocaleString('en-US')} events`;
  await expect(page.getByRole('banner')).toContainText(all);
  await expect(page.getByLabel('Events shown')).toHaveText(all);
  // The list reaches an event that was in the other part.
  await page.getByLabel('Go to row or time').fill(String(count - 1));
  await page.keyboard.press('Enter');
  await expect(rows(events(page)).last()).toContainText(String((count - 1) % 1000));
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('a part that is closed is discarded, and what was open before it comes back', async ({ app }) => {
  const { path, count } = largeRecording(app);
  const page = await openSample(app);
  await openPart(app, path, () => page.keyboard.press('Escape'));
  await expect(page.getByRole('banner')).toContainText('events in the indexed part');
  await part(page).getByRole('button', { name: 'Back to throttle.dat' }).click();
  await settled(page);
  await expect(part(page)).toBeHidden();
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  await expect(page).toHaveTitle('throttle.dat — Remora');
  await expect(rows(events(page)).first()).toBeVisible();

  await app.openFiles(path);
  await expect(page.getByRole('banner')).toContainText(`${count.toLocaleString('en-US')} events`, { timeout: 60_000 });
  await settled(page);
  await expect(part(page)).toHaveCount(0);
  expect(app.complaints).toEqual([]);
});

test('a part can be closed where nothing was open, also while the rest is indexed', async ({ app }) => {
  const { path } = largeRecording(app);
  const page = await app.start();
  await openPart(app, path, byButton);
  await part(page).getByRole('button', { name: 'Index the rest' }).click();
  await app.engine.holdWhen(part(page).getByRole('progressbar'));
  await part(page).getByRole('button', { name: 'Close' }).click();
  app.engine.release();
  await settled(page);
  await expect(page.getByRole('heading', { name: 'Remora' })).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await openPart(app, path, byButton);
  await expect(part(page)).toBeVisible();
  await expect(page.getByRole('alert')).toHaveCount(0);
});

test('cancelling before anything is indexed goes back to where the user was', async ({ app }) => {
  const path = join(app.folder, 'large.txt');
  writeLargeText(path, LARGE_LINES);
  const page = await app.start();
  const cancel = async (): Promise<void> => {
    await app.openFiles(path);
    const card = opening(page, 'large.txt');
    await app.engine.holdWhen(card.getByText(/^Reading/));
    await byButton(card);
    app.engine.release();
    await expect(card).toBeHidden();
    await settled(page);
    // No error, and no part.
    await expect(page.getByRole('alert')).toHaveCount(0);
    await expect(part(page)).toHaveCount(0);
  };
  await cancel();
  await expect(page.getByRole('heading', { name: 'Remora' })).toBeVisible();
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await cancel();
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  await expect(rows(events(page)).first()).toBeVisible();
});

test('nobody has to wait for an engine that does not stop', async ({ app }) => {
  const { path, count } = largeRecording(app);
  const page = await openSample(app);
  await app.openFiles(path);
  const card = opening(page);
  await app.engine.holdWhen(card);
  await byButton(card);
  // It says that it stops for a second and a half, which a slow machine may not show.
  await expect(card.getByRole('button', { name: /^(Stopping …|Discard)$/ })).toBeVisible();
  await card.getByRole('button', { name: 'Discard' }).click();
  await expect(card).toBeHidden();
  app.engine.release();
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  // And it can be started over.
  await app.openFiles(path);
  // The dialog that it was opened with has a head too, while it lasts.
  const head = page.getByRole('banner').first();
  await expect(head).toContainText(`${count.toLocaleString('en-US')} events`, { timeout: 60_000 });
  expect(app.complaints).toEqual([]);
});
