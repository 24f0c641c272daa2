import type { Page } from '@playwright/test';
import { expect, settled, test } from './host.ts';
import { clickLane, coloursOf, details, dragTime, events, openSample, rows, timeline } from './steps.ts';

/** A task chosen on a CPU lane has a lane of its own, which is remembered. */

const LANE = 'CPU 0';
const tasks = (page: Page) => timeline(page).getByRole('list', { name: 'Tasks' });

/** Opens the menu on a lane, at a share of the time axis. */
async function menuOn(page: Page, lane: string, at: number) {
  const name = await page.getByRole('button', { name: lane, exact: true }).boundingBox();
  const whole = await timeline(page).boundingBox();
  if (!name || !whole) throw new Error(`${lane} is not on screen`);
  const left = name.x + name.width;
  await page.mouse.click(left + (whole.x + whole.width - left) * at, name.y + name.height / 2, { button: 'right' });
  return page.getByRole('menu', { name: 'Timeline' });
}

test('a task of a slice gets a lane below the CPUs, is remembered there, and goes again', async ({ app }) => {
  const page = await openSample(app);
  await expect(tasks(page)).toHaveCount(0);
  await dragTime(page, LANE, 0.15, 0.16);
  await (await menuOn(page, LANE, 0.5)).getByRole('menuitem', { name: 'Show task lane' }).click();
  await settled(page);
  const lane = tasks(page).getByRole('button', { name: /^task \S+-\d+$/ });
  await expect(lane).toHaveCount(1);
  const name = (await lane.getAttribute('aria-label')) ?? '';
  const block = timeline(page)
    .locator('.lane-block')
    .filter({ has: page.getByRole('button', { name, exact: true }) });
  expect(await coloursOf(block.locator('canvas'))).toBeGreaterThan(3);
  await test.info().attach('task lane', { body: await page.screenshot(), contentType: 'image/png' });

  // Its events can be reached with the pointer and with keys.
  await clickLane(page, name, 0.5);
  await expect(details(page)).toContainText(/CPU\s*\d/);
  await lane.focus();
  const before = await details(page).innerText();
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await expect.poll(() => details(page).innerText()).not.toBe(before);
  await app.quit();

  const again = await openSample(app);
  await expect(tasks(again).getByRole('button', { name, exact: true })).toBeVisible();
  await (await menuOn(again, name, 0.5)).getByRole('menuitem', { name: 'Remove this lane' }).click();
  await settled(again);
  await expect(tasks(again)).toHaveCount(0);
});

test('several tasks have lanes in the order they were chosen, and each its own way out', async ({ app }) => {
  const page = await openSample(app);
  await dragTime(page, LANE, 0.15, 0.16);
  const names: string[] = [];
  const lanes = tasks(page).getByRole('button', { name: /^task / });
  for (const at of [0.2, 0.35, 0.5, 0.65, 0.8]) {
    const item = (await menuOn(page, LANE, at)).getByRole('menuitem', { name: 'Show task lane' });
    if ((await item.count()) > 0) await item.click();
    else await page.keyboard.press('Escape');
    await settled(page);
  }
  for (const lane of await lanes.all()) names.push((await lane.getAttribute('aria-label')) ?? '');
  expect(names.length).toBeGreaterThan(1);
  await tasks(page)
    .getByRole('button', { name: names[0]?.replace('task ', 'Remove task lane '), exact: true })
    .click();
  await settled(page);
  await expect(lanes).toHaveCount(names.length - 1);
  await expect(lanes.first()).toHaveAttribute('aria-label', names[1] ?? '');
});

test('the task of an event in the table can have a lane too', async ({ app }) => {
  const page = await openSample(app);
  await rows(events(page)).first().click({ button: 'right' });
  await page.getByRole('menuitem', { name: 'Show task lane' }).click();
  await settled(page);
  await expect(tasks(page).getByRole('button', { name: 'task bash-188', exact: true })).toBeVisible();
});
