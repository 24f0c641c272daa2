import { appendFileSync, cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, samplePath, settled, test } from './host.ts';
import { events, openSample, SAMPLE, timeline } from './steps.ts';

test('the empty window opens the sample', async ({ app }) => {
  const page = await app.start();
  await expect(page.getByRole('heading', { name: 'Remora' })).toBeVisible();
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await expect(events(page)).toBeVisible();
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  await expect(page).toHaveTitle(/throttle\.dat/);
  for (const cpu of SAMPLE.cpus)
    await expect(timeline(page).getByRole('button', { name: cpu, exact: true })).toBeVisible();
  for (const cgroup of SAMPLE.cgroups) {
    await expect(timeline(page).getByRole('button', { name: `cgroup ${cgroup}` })).toBeVisible();
  }
  expect(app.complaints).toEqual([]);
});

test('files named at the start are opened', async ({ app }) => {
  const page = await openSample(app);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  expect(app.complaints).toEqual([]);
});

test('a file is opened through the dialog, and is a recent file then', async ({ app }) => {
  const copy = join(app.folder, 'my recording.dat');
  cpSync(samplePath, copy);
  const page = await app.start();
  await app.openFiles(copy);
  await expect(events(page)).toBeVisible();
  await settled(page);
  await expect(page).toHaveTitle(/my recording\.dat/);
  await app.quit();

  const again = await app.start();
  await again.getByRole('button', { name: /my recording\.dat/ }).click();
  await settled(again);
  await expect(events(again)).toBeVisible();
});

test('several files are opened together, on one time axis', async ({ app }) => {
  const copies = ['first.dat', 'second.dat'].map((name) => join(app.folder, name));
  for (const copy of copies) cpSync(samplePath, copy);
  // Recordings are known by what they hold: the second has to be another one.
  appendFileSync(copies[1], 'x');
  const page = await app.start();
  await app.openFiles(...copies);
  await expect(events(page)).toBeVisible();
  await settled(page);
  await expect(page.getByRole('banner')).toContainText('first.dat and 1 more');
  for (const name of ['first.dat · CPU 0', 'second.dat · CPU 0']) {
    await expect(timeline(page).getByRole('button', { name, exact: true })).toBeVisible();
  }
});

test('a file is opened by dropping it', async ({ app }) => {
  const page = await app.start();
  const bytes = readFileSync(samplePath).toString('base64');
  const dropped = await page.evaluateHandle((data) => {
    const transfer = new DataTransfer();
    const content = Uint8Array.from(atob(data), (character) => character.charCodeAt(0));
    transfer.items.add(new File([content], 'dropped.dat'));
    return transfer;
  }, bytes);
  await page.dispatchEvent('body', 'dragover', { dataTransfer: dropped });
  await expect(page.getByText('Drop to open')).toBeVisible();
  await page.dispatchEvent('body', 'drop', { dataTransfer: dropped });
  await expect(events(page)).toBeVisible();
  await settled(page);
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
  await expect(page.getByText('Drop to open')).toBeHidden();
});
