import type { Page } from '@playwright/test';
import { expect, samplePath, settled, test } from './host.ts';
import { coloursOf, openSample, SAMPLE, timeline } from './steps.ts';

/** Brightness of the window's background, 0 to 255. */
function brightness(page: Page): Promise<number> {
  return page.evaluate(() => {
    const [r, g, b] = (getComputedStyle(document.body).backgroundColor.match(/[\d.]+/g) ?? []).map(Number);
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  });
}

test('light and dark follow the system, and can be chosen', async ({ app }) => {
  const page = await app.start([samplePath], { colorScheme: 'dark' });
  await settled(page);
  expect(await brightness(page)).toBeLessThan(80);
  await test.info().attach('dark', { body: await page.screenshot(), contentType: 'image/png' });
  const theme = page.getByRole('toolbar', { name: 'Window' }).getByRole('button', { name: /theme/i });
  await theme.click();
  await settled(page);
  expect(await brightness(page)).toBeGreaterThan(200);
  await test.info().attach('light', { body: await page.screenshot(), contentType: 'image/png' });
  await theme.click();
  await settled(page);
  expect(await brightness(page)).toBeLessThan(80);
});

test('lanes and ribbons are drawn', async ({ app }) => {
  const page = await openSample(app);
  for (const name of [...SAMPLE.cpus, ...SAMPLE.cgroups.map((cgroup) => `cgroup ${cgroup}`)]) {
    const block = timeline(page)
      .locator('.lane-block')
      .filter({ has: page.getByRole('button', { name, exact: true }) });
    expect(await coloursOf(block.locator('canvas'))).toBeGreaterThan(3);
  }
});

test('the whole window is usable at a small size', async ({ app }) => {
  const page = await app.start([samplePath], { size: { width: 1024, height: 700 } });
  await settled(page);
  const overflow = await page.evaluate(
    () => document.documentElement.scrollWidth - document.documentElement.clientWidth,
  );
  expect(overflow).toBeLessThanOrEqual(0);
  await expect(timeline(page)).toBeInViewport();
  await expect(page.getByRole('grid', { name: 'Events' })).toBeInViewport();
  // The details leave the larger part to the time axis.
  const details = await page.getByRole('region', { name: 'Recording' }).boundingBox();
  expect(details?.width).toBeLessThan(0.4 * 1024);
  await test.info().attach('small', { body: await page.screenshot(), contentType: 'image/png' });
});

test('every button and field has a name', async ({ app }) => {
  const page = await openSample(app);
  const nameless = await page.evaluate(() =>
    [
      ...document.querySelectorAll<HTMLElement>(
        'button, input, select, textarea, [role=button], [role=grid], [role=separator]',
      ),
    ]
      .filter((element) => {
        const labels = (element as HTMLInputElement).labels;
        const labelled = element.getAttribute('aria-label') ?? element.getAttribute('aria-labelledby') ?? element.title;
        return !labelled && !element.textContent?.trim() && !(labels && labels.length > 0);
      })
      .map((element) => element.outerHTML.slice(0, 120)),
  );
  expect(nameless).toEqual([]);
});

test('the keyboard alone reaches lanes, table and palette', async ({ app }) => {
  const page = await openSample(app);
  await page.keyboard.press('ControlOrMeta+Shift+p');
  const palette = page.getByRole('dialog', { name: 'Command palette' });
  await palette.getByPlaceholder('Type a command').fill('whole recording');
  await page.keyboard.press('Enter');
  await expect(palette).toBeHidden();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: /keys/i })).toBeVisible();
  await page.keyboard.press('Escape');
  await timeline(page).getByRole('button', { name: 'CPU 0', exact: true }).focus();
  await page.keyboard.press('ArrowRight');
  await settled(page);
  await expect(page.getByRole('region', { name: 'Event details' }).getByRole('heading', { level: 2 })).toBeVisible();
});
