import { expect, samplePath, settled, test } from './host.ts';

test('the empty window opens the sample', async ({ app }) => {
  const page = await app.start();
  await expect(page.getByRole('heading', { name: 'Remora' })).toBeVisible();
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await expect(page.getByRole('grid', { name: 'Events' })).toBeVisible();
  expect(app.complaints).toEqual([]);
});

test('files named at the start are opened', async ({ app }) => {
  const page = await app.start([samplePath]);
  await expect(page.getByRole('grid', { name: 'Events' })).toBeVisible();
  expect(app.complaints).toEqual([]);
});
