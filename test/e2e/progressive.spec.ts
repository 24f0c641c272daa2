import { join } from 'node:path';
import type { Page } from '@playwright/test';
import { writeLargeRecording } from '../build/large.ts';
import { expect, settled, test } from './host.ts';
import {
  coloursOf,
  details,
  dragTime,
  events,
  openSample,
  SAMPLE,
  selectFirst,
  timeline,
  visibleTime,
} from './steps.ts';

test.skip(process.platform !== 'linux', 'an engine is held still by means of Linux alone');

/** Long enough to index that its engine can be held in the middle, with a preview on screen. */
const LARGE_EVENTS = 16_000_000;

const opening = (page: Page) => page.getByRole('region', { name: 'Opening large.dat' });

/** Zooms with the wheel at a share of the window's width, as long as the window is still busy with something else. */
async function zoomAt(page: Page, share: number): Promise<void> {
  const lane = await timeline(page).getByRole('button', { name: 'CPU 0', exact: true }).boundingBox();
  const whole = await timeline(page).boundingBox();
  if (!lane || !whole) throw new Error('the lane is not on screen');
  await page.mouse.move(lane.x + lane.width + (whole.width - lane.width) * share, lane.y + lane.height / 2);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -600);
  await page.keyboard.up('Control');
}

test('a recording is seen while it is indexed, and its index appears in the same place', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  writeLargeRecording(path, LARGE_EVENTS);
  const page = await app.start();
  await app.openFiles(path);
  const lane = timeline(page).getByRole('button', { name: 'CPU 0', exact: true });
  await app.engine.holdWhen(lane);
  await expect(opening(page).getByRole('progressbar')).toBeVisible();
  const canvas = timeline(page).locator('.lane-block canvas').first();
  expect(await coloursOf(canvas)).toBeGreaterThan(3);
  const whole = await visibleTime(page);
  await zoomAt(page, 0.3);
  await expect.poll(() => visibleTime(page)).not.toBe(whole);
  const zoomed = await visibleTime(page);
  const place = await lane.boundingBox();
  // Nothing that needs the index is offered or goes wrong.
  await expect(page.getByRole('button', { name: 'Export chart' })).toBeDisabled();
  await page.mouse.down();
  await page.mouse.up();
  await expect(page.getByRole('alert')).toHaveCount(0);
  await expect(opening(page)).toBeVisible();

  app.engine.release();
  await expect(events(page)).toBeVisible({ timeout: 60_000 });
  await settled(page);
  await expect(opening(page)).toBeHidden();
  expect(await visibleTime(page)).toBe(zoomed);
  expect(await lane.boundingBox()).toEqual(place);
  await page.getByRole('button', { name: 'Back to the previous view' }).click();
  await settled(page);
  expect(await visibleTime(page)).toBe(whole);
  expect(app.complaints).toEqual([]);
});

test('what was open comes back as it was when the part that a cancelled opening left is closed', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  writeLargeRecording(path, LARGE_EVENTS);
  const page = await openSample(app);
  await selectFirst(page, 'balance_dirty_pages: pause > 0');
  await details(page).getByRole('button', { name: 'Plot pause', exact: true }).click();
  await dragTime(page, 'CPU 0', 0.4, 0.5);
  const zoomed = await visibleTime(page);
  await app.openFiles(path);
  await app.engine.holdWhen(opening(page).getByText('Cancel shows what is indexed by then'));
  await expect(page.getByRole('banner')).not.toContainText(SAMPLE.events);
  await zoomAt(page, 0.5);
  await opening(page).getByRole('button', { name: 'Cancel' }).click();
  app.engine.release();
  await expect(opening(page)).toBeHidden();
  await settled(page);
  await zoomAt(page, 0.5);
  await page.getByRole('button', { name: 'Back to throttle.dat' }).click();
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  expect(await visibleTime(page)).toBe(zoomed);
  await expect(timeline(page).getByRole('region', { name: /^Plot .*pause/ })).toHaveCount(1);
  await expect(page.getByLabel('Filter events')).toHaveValue('balance_dirty_pages: pause > 0');
  await expect(details(page).getByRole('heading', { level: 2 })).toContainText('balance_dirty_pages');
  // Neither the preview's view nor the part's was written into the workspace that was put aside.
  await app.quit();
  const again = await openSample(app);
  expect(await visibleTime(again)).toBe(zoomed);
  expect(app.complaints).toEqual([]);
});
