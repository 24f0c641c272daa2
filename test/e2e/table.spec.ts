import { join } from 'node:path';
import { writeLargeRecording } from '../build/large.ts';
import { expect, settled, test } from './host.ts';
import { clickLane, details, events, filterEvents, openSample, rows, showTab, timeline, visibleTime } from './steps.ts';

const BROWSER_LIMIT_ROWS = 33_500_000 / 20;

test('the table reaches the last of five million rows', async ({ app }) => {
  const path = join(app.folder, 'large.dat');
  const count = writeLargeRecording(path, 5_000_000);
  expect(count).toBeGreaterThan(BROWSER_LIMIT_ROWS);
  const page = await app.start([path]);
  await expect(events(page)).toBeVisible({ timeout: 60_000 });
  await expect(events(page)).toHaveAttribute('aria-rowcount', String(count + 1));
  await events(page).focus();

  await page.keyboard.press('End');
  await settled(page);
  const last = events(page).locator(`[aria-rowindex="${count + 1}"]`);
  await expect(last).toBeInViewport();
  await expect(last).toHaveAttribute('aria-selected', 'true');
  await expect(last).toContainText(count.toLocaleString('en-US'));
  await expect(last).toContainText(`value=${((count - 1) % (255 * 256)) % 1000}`);
  await expect(details(page)).toContainText('sample:tick');

  // Random access: by number, by time, and back to the first.
  await page.getByLabel('Go to row or time').fill('2500000');
  await page.keyboard.press('Enter');
  await settled(page);
  const middle = events(page).locator('[aria-rowindex="2500001"]');
  await expect(middle).toBeInViewport();
  await expect(middle).toContainText('2,500,000');
  await page.getByLabel('Go to row or time').fill('+1s');
  await page.keyboard.press('Enter');
  await settled(page);
  await expect(events(page).locator('[aria-selected="true"]')).toContainText('1,000,001');
  await events(page).focus();
  await page.keyboard.press('Home');
  await settled(page);
  await expect(events(page).locator('[aria-rowindex="2"]')).toBeInViewport();

  // The wheel and the scroll bar's end reach the last row too.
  await events(page).evaluate((grid) => grid.scrollTo({ top: grid.scrollHeight }));
  await settled(page);
  await expect(last).toBeInViewport();
});

test('a filter narrows the table and says what is wrong with it', async ({ app }) => {
  const page = await openSample(app);
  await filterEvents(page, 'balance_dirty_pages: pause > 0');
  await expect(page.getByRole('status', { name: 'Events shown' })).toContainText('1,854 of 248,749 events');
  for (const row of await rows(events(page)).all()) await expect(row).toContainText('balance_dirty_pages');

  await filterEvents(page, 'balance_dirty_pages: pause >');
  await expect(page.getByRole('tabpanel').getByRole('alert')).toBeVisible();
  await page.getByRole('button', { name: 'Clear the filter' }).click();
  await settled(page);
  await expect(page.getByRole('tabpanel').getByRole('alert')).toHaveCount(0);
  await expect(page.getByRole('status', { name: 'Events shown' })).toContainText('248,749 events');
});

test('selecting in the lanes shows in table and details, and the other way round', async ({ app }) => {
  const page = await openSample(app);
  await clickLane(page, 'CPU 1', 0.6);
  const selected = events(page).locator('[aria-selected="true"]');
  await expect(selected).toBeInViewport();
  const details1 = details(page);
  await expect(details1.getByRole('definition').nth(1)).toHaveText('1');
  const name = (await details1.getByRole('heading', { level: 2 }).innerText()).split(':')[1] as string;
  await expect(selected).toContainText(name);

  // Down in the table: the next event, whose lane is marked and whose time comes into view.
  await events(page).focus();
  await page.keyboard.press('End');
  await settled(page);
  const cpu = await details1.getByRole('definition').nth(1).innerText();
  await expect(timeline(page).getByRole('button', { name: `CPU ${cpu}`, exact: true })).toHaveAttribute(
    'aria-current',
    'true',
  );
});

test('an event shows its fields with units, its text and its bytes', async ({ app }) => {
  const page = await openSample(app);
  await filterEvents(page, 'balance_dirty_pages: pause > 0');
  await rows(events(page)).first().click();
  await settled(page);
  const fields = details(page).getByRole('table', { name: 'Fields' });
  await expect(fields.getByRole('row', { name: /^dirty / })).toContainText(/\d+ pages/);
  await expect(fields.getByRole('row', { name: /^pause / })).toContainText(/\d+ ms/);
  await expect(fields.getByRole('row', { name: /^task_ratelimit / })).toContainText(/\d+ KiB\/s/);
  await expect(fields.getByRole('row', { name: /^bdi / })).toContainText(/btrfs|\d+:\d+/);
  await expect(details(page)).toContainText(/bdi \S+: limit=\d+/);
  await expect(details(page).getByRole('heading', { name: /Raw bytes/ })).toBeVisible();
});

test('lanes zoom and pan by keys and by dragging', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  await timeline(page).getByRole('button', { name: 'CPU 0', exact: true }).focus();
  await page.keyboard.press('w');
  await settled(page);
  const zoomed = await visibleTime(page);
  expect(zoomed).not.toBe(whole);
  await page.keyboard.press('d');
  await settled(page);
  expect(await visibleTime(page)).toBe(zoomed);
  await page.keyboard.press('Alt+ArrowLeft');
  await page.keyboard.press('0');
  await settled(page);
  expect(await visibleTime(page)).toBe(whole);
  await showTab(page, 'Warnings');
  await expect(page.getByRole('tabpanel')).toContainText('Everything in the recording could be read.');
});
