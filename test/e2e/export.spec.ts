import type { Page } from '@playwright/test';
import { expect, settled, test } from './host.ts';
import { details, dragTime, openSample, SAMPLE, selectFirst } from './steps.ts';

const NOTE = 'limit reached here';

/** A window as a user has it when there is something to show others: a plot by cgroup and a note. */
async function prepare(page: Page): Promise<void> {
  await selectFirst(page, 'balance_dirty_pages: pause > 0');
  await details(page).getByRole('button', { name: 'Ways to plot dirty', exact: true }).click();
  await page.getByRole('menuitem', { name: 'By cgroup', exact: true }).click();
  await settled(page);
  await dragTime(page, 'CPU 0', 0.4, 0.6, 'Shift');
  await page.keyboard.press('n');
  await page.getByLabel('Note text').fill(NOTE);
  await page.keyboard.press('Enter');
  await settled(page);
}

test('what is on screen is exported as SVG and PNG, notes included', async ({ app }) => {
  const page = await openSample(app);
  await prepare(page);
  await page.getByRole('toolbar', { name: 'Window' }).getByRole('button', { name: 'Export chart' }).click();
  const dialog = page.getByRole('dialog', { name: 'Export chart' });
  await expect(dialog.getByRole('img', { name: 'Preview of the chart' })).toBeVisible();
  await dialog.getByLabel('Title').fill('Three cgroups');
  await settled(page);

  const svg = await app.saved(() => dialog.getByRole('button', { name: 'Save SVG' }).click());
  expect(svg.name).toMatch(/\.svg$/);
  const text = svg.bytes.toString('utf8');
  const read = await page.evaluate((source) => {
    const parsed = new DOMParser().parseFromString(source, 'image/svg+xml');
    const root = parsed.documentElement;
    return {
      error: parsed.querySelector('parsererror')?.textContent ?? '',
      name: root.localName,
      width: root.getAttribute('width'),
      texts: [...parsed.querySelectorAll('text')].map((one) => one.textContent ?? ''),
      foreign: parsed.querySelectorAll('script, foreignObject, image, [href]').length,
    };
  }, text);
  expect(read).toMatchObject({ error: '', name: 'svg', width: '1600', foreign: 0 });
  const words = read.texts.join('\n');
  for (const expected of ['Three cgroups', NOTE, 'CPU 0', 'CPU 1', ...SAMPLE.cgroups])
    expect(words).toContain(expected);
  expect(words).toMatch(/pages|MiB/);

  await dialog.getByLabel('Format').selectOption('PNG');
  await settled(page);
  const png = await app.saved(() => dialog.getByRole('button', { name: 'Save PNG' }).click());
  expect(png.name).toMatch(/\.png$/);
  expect(png.bytes.subarray(0, 8)).toEqual(Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]));
  // It is what an image viewer can show: as wide as asked for, and drawn on.
  const picture = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
    const bitmap = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
    const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
    context.drawImage(bitmap, 0, 0);
    const { data } = context.getImageData(0, 0, bitmap.width, bitmap.height);
    const colours = new Set<number>();
    for (let i = 0; i < data.length; i += 4) colours.add((data[i] << 16) | (data[i + 1] << 8) | data[i + 2]);
    return { width: bitmap.width, height: bitmap.height, colours: colours.size };
  }, png.bytes.toString('base64'));
  expect(picture.width).toBe(1600);
  expect(picture.height).toBeGreaterThan(300);
  expect(picture.colours).toBeGreaterThan(50);
  await test.info().attach('chart', { body: png.bytes, contentType: 'image/png' });
  expect(app.complaints).toEqual([]);
});

test('lanes that are folded away are not exported', async ({ app }) => {
  const page = await openSample(app);
  await page.getByRole('button', { name: /^CPUs/ }).click();
  await page.keyboard.press('ControlOrMeta+e');
  const dialog = page.getByRole('dialog', { name: 'Export chart' });
  const { bytes } = await app.saved(() => dialog.getByRole('button', { name: 'Save SVG' }).click());
  const text = bytes.toString('utf8');
  expect(text).not.toContain('CPU 0');
  for (const cgroup of SAMPLE.cgroups) expect(text).toContain(cgroup);
});

test('the export can be dark', async ({ app }) => {
  const page = await openSample(app);
  await page.keyboard.press('ControlOrMeta+e');
  const dialog = page.getByRole('dialog', { name: 'Export chart' });
  const light = await app.saved(() => dialog.getByRole('button', { name: 'Save SVG' }).click());
  await dialog.getByLabel('Theme').selectOption('Dark');
  await settled(page);
  const dark = await app.saved(() => dialog.getByRole('button', { name: 'Save SVG' }).click());
  const background = (file: { bytes: Buffer }): string =>
    /<rect[^>]*fill="([^"]+)"/.exec(file.bytes.toString('utf8'))?.[1] ?? '';
  expect(background(light)).not.toBe(background(dark));
});
