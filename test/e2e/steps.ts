import type { Locator, Page } from '@playwright/test';
import { type App, expect, samplePath, settled } from './host.ts';

/** What a user does, said once. */

/** The bundled sample, known from its description: three cgroups are throttled in 13.5 s. */
export const SAMPLE = { events: '248,749 events', cgroups: ['web', 'db', 'backup'], cpus: ['CPU 0', 'CPU 1'] };

export const events = (page: Page): Locator => page.getByRole('grid', { name: 'Events' });
export const details = (page: Page): Locator => page.getByRole('region', { name: 'Event details' });
export const timeline = (page: Page): Locator => page.getByRole('region', { name: 'Timeline' });
export const visibleTime = (page: Page): Promise<string> =>
  page.getByRole('status', { name: 'Visible time' }).innerText();

/** The data rows that are on screen, without the head. */
export const rows = (grid: Locator): Locator => grid.locator('[role=row][aria-rowindex]:not([aria-rowindex="1"])');

export async function openSample(app: App): Promise<Page> {
  const page = await app.start([samplePath]);
  await expect(timeline(page)).toBeVisible();
  // A window may come back with the list that it showed last.
  await showTab(page, 'Events');
  await expect(rows(events(page)).first()).toBeVisible();
  return page;
}

export async function showTab(page: Page, name: 'Events' | 'Episodes' | 'Notes' | 'Warnings'): Promise<void> {
  await page.getByRole('tablist', { name: 'Lists' }).getByRole('tab', { name }).click();
  await settled(page);
}

export async function filterEvents(page: Page, filter: string): Promise<void> {
  await page.getByLabel('Filter events').fill(filter);
  await settled(page);
}

/** Selects the first event that a filter lets through. */
export async function selectFirst(page: Page, filter: string): Promise<void> {
  await filterEvents(page, filter);
  await rows(events(page)).first().click();
  await settled(page);
}

/** Drags over the time axis from one share of its width to another, at the height of a lane. */
export async function dragTime(
  page: Page,
  lane: string,
  from: number,
  to: number,
  key?: 'Shift' | 'Space',
): Promise<void> {
  const name = await page.getByRole('button', { name: lane, exact: true }).boundingBox();
  const whole = await timeline(page).boundingBox();
  if (!name || !whole) throw new Error(`${lane} is not on screen`);
  const left = name.x + name.width;
  const width = whole.x + whole.width - left;
  const y = name.y + name.height / 2;
  if (key) await page.keyboard.down(key);
  await page.mouse.move(left + width * from, y);
  await page.mouse.down();
  await page.mouse.move(left + width * ((from + to) / 2), y, { steps: 4 });
  await page.mouse.move(left + width * to, y, { steps: 4 });
  await page.mouse.up();
  if (key) await page.keyboard.up(key);
  await settled(page);
}

/** Clicks on the time axis of a lane, at a share of its width. */
export async function clickLane(page: Page, lane: string, at: number, count = 1): Promise<void> {
  const name = await page.getByRole('button', { name: lane, exact: true }).boundingBox();
  const whole = await timeline(page).boundingBox();
  if (!name || !whole) throw new Error(`${lane} is not on screen`);
  const left = name.x + name.width;
  await page.mouse.click(left + (whole.x + whole.width - left) * at, name.y + name.height / 2, { clickCount: count });
  await settled(page);
}

/** How many different colours a canvas shows: 1 is a blank one. */
export function coloursOf(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const { width, height } = element as HTMLCanvasElement;
    const data = (element as HTMLCanvasElement).getContext('2d')?.getImageData(0, 0, width, height).data ?? [];
    const seen = new Set<number>();
    for (let i = 0; i < data.length; i += 4)
      seen.add(data[i] * 65536 + data[i + 1] * 256 + data[i + 2] + data[i + 3] * 2 ** 24);
    return seen.size;
  });
}
