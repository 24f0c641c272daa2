import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeLargeRecording } from '../build/large.ts';
import { type App, expect, samplePath, settled, test } from './host.ts';
import { events, SAMPLE } from './steps.ts';

const sample = readFileSync(samplePath);

/** Opens something bad: one clear message, nothing written, and the window goes on to open the sample. */
async function refused(app: App, name: string, message: RegExp): Promise<void> {
  const path = join(app.folder, name);
  const page = await app.start();
  await app.openFiles(path);
  const alert = page.getByRole('alert');
  await expect(alert).toHaveCount(1);
  await expect(alert).toContainText(message);
  await expect(alert).toContainText(name);
  await settled(page);
  expect(
    readdirSync(app.folder, { recursive: true, encoding: 'utf8' }).filter((file) => /\.remora$/.test(file)),
  ).toEqual([]);

  await alert.getByRole('button', { name: 'Dismiss the error' }).click();
  await expect(alert).toHaveCount(0);
  await page.getByRole('button', { name: 'Open the sample' }).click();
  await settled(page);
  await expect(events(page)).toBeVisible();
  await expect(page.getByRole('banner')).toContainText(SAMPLE.events);
}

test('a file that is no trace', async ({ app }) => {
  writeFileSync(join(app.folder, 'notes.txt'), 'Dear diary,\n'.repeat(50));
  await refused(app, 'notes.txt', /byte 0/);
});

test('an empty file', async ({ app }) => {
  writeFileSync(join(app.folder, 'empty.dat'), '');
  await refused(app, 'empty.dat', /empty/i);
});

test('a version that does not exist yet', async ({ app }) => {
  const bytes = Buffer.concat([sample.subarray(0, 10), Buffer.from('99\0'), sample.subarray(12)]);
  writeFileSync(join(app.folder, 'future.dat'), bytes);
  await refused(app, 'future.dat', /version "99".*byte 10/);
});

test('a file that is missing', async ({ app }) => {
  await refused(app, 'nowhere.dat', /nowhere\.dat/);
});

test('a header with nothing behind it', async ({ app }) => {
  writeFileSync(join(app.folder, 'header.dat'), sample.subarray(0, 14));
  await refused(app, 'header.dat', /byte 1\d/);
});

test('a folder', async ({ app }) => {
  mkdirSync(join(app.folder, 'a folder.dat'));
  writeFileSync(join(app.folder, 'a folder.dat/inside.txt'), 'x');
  if (app.kind === 'electron') return refused(app, 'a folder.dat', /folder/);
  // The browser's own dialog lists a folder that is typed.
  const page = await app.start();
  await app.openFiles(join(app.folder, 'a folder.dat'));
  await expect(page.getByRole('dialog').getByRole('option', { name: /inside\.txt/ })).toBeVisible();
});

test('a file without permission', async ({ app }) => {
  test.skip(process.getuid?.() === 0, 'root may read every file');
  writeFileSync(join(app.folder, 'secret.dat'), sample, { mode: 0 });
  await refused(app, 'secret.dat', /permission/i);
});

test('a file that was cut in the middle opens as far as it goes, and says so', async ({ app }) => {
  const whole = join(app.folder, 'whole.dat');
  const count = writeLargeRecording(whole, 100_000);
  const path = join(app.folder, 'cut.dat');
  const bytes = readFileSync(whole);
  writeFileSync(path, bytes.subarray(0, Math.floor(bytes.length * 0.6)));
  const page = await app.start();
  await app.openFiles(path);
  await expect(events(page)).toBeVisible();
  await settled(page);
  await expect(page.getByRole('alert')).toHaveCount(0);
  const kept = Number(await events(page).getAttribute('aria-rowcount')) - 1;
  expect(kept).toBeGreaterThan(count * 0.5);
  expect(kept).toBeLessThan(count * 0.65);
  await page.getByRole('button', { name: /\d+ warnings?/ }).click();
  await settled(page);
  const warnings = page.getByRole('table', { name: 'Warnings' });
  await expect(warnings.getByRole('row').nth(1)).toContainText('cut.dat');
  await expect(warnings.getByRole('row').nth(1)).toContainText(/cut|end of the file/);
});

test('garbage behind the header is no crash', async ({ app }) => {
  const bytes = Buffer.from(sample);
  for (let at = 40; at < 4000; at++) bytes[at] = (at * 73) & 0xff;
  writeFileSync(join(app.folder, 'garbage.dat'), bytes);
  const page = await app.start();
  await app.openFiles(join(app.folder, 'garbage.dat'));
  await settled(page);
  const alert = page.getByRole('alert');
  const badge = page.getByRole('button', { name: /\d+ warnings?/ });
  await expect(alert.or(badge).first()).toBeVisible();
});
