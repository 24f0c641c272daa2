import type { Page } from '@playwright/test';
import { expect, settled, test } from './host.ts';
import { clickLane, details, dragTime, openSample, timeline, visibleTime } from './steps.ts';

/** The settled ways of moving through time, as a hand on mouse and keyboard does them. */

const LANE = 'CPU 0';
/** Time under the pointer in seconds from the start. */
async function pointedAt(page: Page, at: number): Promise<number> {
  const name = await page.getByRole('button', { name: LANE, exact: true }).boundingBox();
  const whole = await timeline(page).boundingBox();
  if (!name || !whole) throw new Error('the lane is not on screen');
  const left = name.x + name.width;
  await page.mouse.move(left + (whole.x + whole.width - left) * at, name.y + name.height / 2);
  await settled(page);
  return Number.parseFloat(await page.locator('.hover-time').innerText());
}
const selected = (page: Page): Promise<string> => details(page).innerText();

test('drag zooms, Space and drag pans, Alt+Left goes back', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  await dragTime(page, LANE, 0.4, 0.5);
  const zoomed = await visibleTime(page);
  expect(zoomed).not.toBe(whole);
  const middle = await pointedAt(page, 0.5);

  await dragTime(page, LANE, 0.3, 0.6, 'Space');
  expect(await visibleTime(page)).toBe(zoomed);
  expect(await pointedAt(page, 0.5)).toBeLessThan(middle);
  await page.keyboard.press('Alt+ArrowLeft');
  expect(await pointedAt(page, 0.5)).toBeCloseTo(middle, 6);
  await page.keyboard.press('Alt+ArrowLeft');
  await settled(page);
  expect(await visibleTime(page)).toBe(whole);
});

test('Ctrl+wheel zooms at the pointer, the wheel alone does not', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  const at = await pointedAt(page, 0.3);
  await page.mouse.wheel(0, -200);
  await settled(page);
  expect(await visibleTime(page)).toBe(whole);
  await page.keyboard.down('Control');
  await page.mouse.wheel(0, -200);
  await page.keyboard.up('Control');
  await settled(page);
  expect(await visibleTime(page)).not.toBe(whole);
  expect(await pointedAt(page, 0.3)).toBeCloseTo(at, 2);
});

test('W and S zoom, A and D pan, by the position of the keys', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  await pointedAt(page, 0.5);
  await page.keyboard.press('KeyW');
  await settled(page);
  const zoomed = await visibleTime(page);
  expect(zoomed).not.toBe(whole);
  const middle = await pointedAt(page, 0.5);
  await page.keyboard.press('KeyD');
  await settled(page);
  expect(await visibleTime(page)).toBe(zoomed);
  expect(await pointedAt(page, 0.5)).toBeGreaterThan(middle);
  await page.keyboard.press('KeyS');
  await settled(page);
  expect(await visibleTime(page)).not.toBe(zoomed);
});

test('Shift+drag selects, F fits the selection, Esc clears it', async ({ app }) => {
  const page = await openSample(app);
  const range = page.getByRole('status', { name: 'Selected range' });
  await dragTime(page, LANE, 0.4, 0.5, 'Shift');
  await expect(range).toBeVisible();
  const whole = await visibleTime(page);
  await page.keyboard.press('KeyF');
  await settled(page);
  expect(await visibleTime(page)).not.toBe(whole);
  await page.keyboard.press('Escape');
  await expect(range).toHaveCount(0);
});

test('Esc gives a drag up', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  await pointedAt(page, 0.4);
  await page.mouse.down();
  await pointedAt(page, 0.6);
  await page.keyboard.press('Escape');
  await page.mouse.up();
  await settled(page);
  expect(await visibleTime(page)).toBe(whole);
});

test('a click selects the nearest event of the lane; comma and dot step along it', async ({ app }) => {
  const page = await openSample(app);
  await clickLane(page, LANE, 0.5);
  const first = await selected(page);
  expect(first).toMatch(/CPU\s*0/);
  await page.keyboard.press('.');
  await settled(page);
  await expect.poll(() => selected(page)).not.toBe(first);
  expect(await selected(page)).toMatch(/CPU\s*0/);
  await page.keyboard.press(',');
  await expect.poll(() => selected(page)).toBe(first);
});

test('double clicks place A and B on events, and B−A is shown', async ({ app }) => {
  const page = await openSample(app);
  const markers = page.getByRole('group', { name: 'Markers' });
  const a = markers.getByRole('button', { name: /^Marker A: \+/ });
  await clickLane(page, LANE, 0.4, 2);
  await expect(a).toBeVisible();
  await clickLane(page, LANE, 0.6, 2);
  await expect(markers.getByRole('button', { name: /^Marker B: \+/ })).toBeVisible();
  await expect(markers.getByRole('status', { name: 'B minus A' })).toContainText(/\d s$/);
});

test('the right button offers what can be done with a task', async ({ app }) => {
  const page = await openSample(app);
  await dragTime(page, LANE, 0.5, 0.505);
  await pointedAt(page, 0.5);
  await page.mouse.down({ button: 'right' });
  await page.mouse.up({ button: 'right' });
  await page.getByRole('menu', { name: 'Timeline' }).getByRole('menuitem', { name: 'Only CPU 0 in the table' }).click();
  await settled(page);
  await expect(page.getByLabel('Filter events')).toHaveValue(/cpu == 0/);
});
