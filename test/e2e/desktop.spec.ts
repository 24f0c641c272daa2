import { expect, settled, test } from './host.ts';
import { openSample, timeline, visibleTime } from './steps.ts';

/** What only the desktop shell has. */

test('the menu runs commands of the window, and greys those that cannot run', async ({ app }) => {
  test.skip(app.kind === 'browser', 'a browser tab has no menu of its own');
  const { menu } = app;
  if (!menu) throw new Error('no menu');
  const page = await app.start();
  for (const id of ['file.exportChart', 'file.close', 'timeline.zoomIn', 'timeline.back']) {
    await expect.poll(() => menu.enabled(id), id).toBe(false);
  }
  expect(await menu.enabled('file.open')).toBe(true);
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await expect.poll(() => menu.enabled('file.exportChart')).toBe(true);
  expect(await menu.enabled('timeline.back')).toBe(false);
  const whole = await visibleTime(page);
  await menu.choose('timeline.zoomIn');
  await expect.poll(() => visibleTime(page)).not.toBe(whole);
  await expect.poll(() => menu.enabled('timeline.back')).toBe(true);
  await menu.choose('timeline.back');
  await expect.poll(() => visibleTime(page)).toBe(whole);
  await menu.choose('file.close');
  await expect(timeline(page)).toHaveCount(0);
  await expect.poll(() => menu.enabled('file.close')).toBe(false);
  expect(app.complaints).toEqual([]);
});

test('keys that the menu shows are typed into fields as usual, and work outside of them', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  const filter = page.getByLabel('Filter events');
  await filter.click();
  await page.keyboard.type('wsfmn0.,');
  await expect(filter).toHaveValue('wsfmn0.,');
  expect(await visibleTime(page)).toBe(whole);
  await filter.fill('');
  await timeline(page).getByRole('button', { name: 'CPU 0', exact: true }).focus();
  await page.keyboard.press('w');
  await expect.poll(() => visibleTime(page)).not.toBe(whole);
});
