import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { writeLargeRecording } from '../build/large.ts';
import { type App, expect, settled, test } from './host.ts';
import { events, openSample, rows, SAMPLE } from './steps.ts';

test.skip(process.platform !== 'linux', 'an engine is held still by means of Linux alone');

/** Long enough to index that its engine can be held in the middle. */
const LARGE_EVENTS = 16_000_000;

async function cancelInTheMiddle({ page, engine }: App): Promise<void> {
  const card = page.getByRole('region', { name: 'Opening large.dat' });
  await engine.holdWhen(card);
  await card.getByRole('button', { name: 'Cancel' }).click();
  engine.release();
  await expect(card).toBeHidden();
  await settled(page);
}

test('opening shows its progress and can be cancelled', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  writeLargeRecording(path, LARGE_EVENTS);
  const page = await app.start();
  await app.openFiles(path);
  const card = page.getByRole('region', { name: 'Opening large.dat' });
  await app.engine.holdWhen(card.getByRole('progressbar').and(page.locator('[max]')));
  await card.getByRole('button', { name: 'Cancel' }).click();
  app.engine.release();
  await expect(card).toBeHidden();
  await settled(page);
  // No error, nothing open, and the window goes on to do what is asked next.
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(page.getByRole('heading', { name: 'Remora' })).toBeVisible();
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
});

test('indexing can be stopped and looked at as a part, and goes on to the whole', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  const count = writeLargeRecording(path, LARGE_EVENTS);
  const page = await app.start();
  await app.openFiles(path);
  const card = page.getByRole('region', { name: 'Opening large.dat' });
  const show = card.getByRole('button', { name: 'Show what is indexed' });
  await app.engine.holdWhen(show);
  await show.click();
  app.engine.release();
  const bar = page.getByRole('region', { name: 'Part of the recording' });
  await expect(bar).toContainText(/Only \d+ % of the data is indexed/);
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(/[\d,]+ events in the indexed part/);
  await expect(page.getByLabel('Events shown')).toContainText('in the indexed part');
  await expect(page.getByText('Indexed part', { exact: true })).toBeVisible();
  await expect(page.getByRole('region', { name: 'Recording', exact: true })).toContainText('Count in the indexed part');
  await expect(rows(events(page)).first()).toBeVisible();

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

test('what was open stays open when the next opening is cancelled', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  writeLargeRecording(path, LARGE_EVENTS);
  const page = await openSample(app);
  await app.openFiles(path);
  await cancelInTheMiddle(app);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  await expect(rows(events(page)).first()).toBeVisible();
});

test('opening can be started, and started over after a cancelled one', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  const count = writeLargeRecording(path, LARGE_EVENTS);
  const page = await app.start();
  await app.openFiles(path);
  await cancelInTheMiddle(app);
  await app.openFiles(path);
  await expect(events(page)).toBeVisible({ timeout: 60_000 });
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(`${count.toLocaleString('en-US')} events`);
  expect(existsSync(path) && readdirSync(app.folder).includes('large.dat')).toBe(true);
});
