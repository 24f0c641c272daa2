import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import { startSshd, type TestSshd, whyNoSshd } from '../live/sshd.ts';
import { expect, settled, test } from './host.ts';
import { events, rows } from './steps.ts';

const tracefs = usableTracefs();
const reason = tracefs === null ? 'needs a tracefs that may be written to: root, and tracefs mounted' : whyNoSshd();
test.skip(reason !== null, reason ?? '');

let sshd: TestSshd;
const path = process.env.PATH;
test.beforeAll(async () => {
  if (reason !== null) return;
  sshd = await startSshd();
  // Programs that are started from here find the ssh that knows the test's hosts.
  process.env.PATH = sshd.env.PATH;
});
test.afterAll(async () => {
  process.env.PATH = path;
  await sshd?.stop();
});

const instances = (): string[] =>
  readdirSync(join(tracefs as string, 'instances')).filter((name) => name.startsWith('remora-'));

test('another machine is chosen in the dialog, seen live, and chosen again with the same settings', async ({ app }) => {
  const before = instances();
  const page = await app.start();
  await page.keyboard.press('ControlOrMeta+r');
  const dialog = page.getByRole('dialog');
  await dialog.getByRole('combobox', { name: /^Machine/ }).selectOption('another one, over ssh');

  await dialog.getByLabel('Host').fill('refused');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(dialog.getByRole('alert')).toContainText('Permission denied (publickey)');
  await dialog.getByLabel('Host').fill('here');
  await dialog.getByRole('button', { name: 'Connect' }).click();
  await expect(page.getByRole('dialog', { name: 'Attach to here' })).toBeVisible();

  const recording = join(app.folder, 'live.dat');
  await dialog.getByRole('button', { name: /Scheduling/ }).click();
  await expect(dialog.getByRole('status', { name: 'Cost' })).toContainText('events/s');
  await dialog.getByLabel('Recording').fill(recording);
  await dialog.getByRole('button', { name: 'Start capturing' }).click();
  const bar = page.getByRole('region', { name: 'Capture', exact: true });
  await expect(bar).toContainText('from here');
  await expect(rows(events(page)).first()).toBeVisible();
  await bar.getByRole('button', { name: 'Stop' }).click();
  const ended = page.getByRole('region', { name: 'Capture ended' });
  await expect(ended).toContainText(recording);
  await settled(page);
  expect(existsSync(`${recording}.live`)).toBe(false);

  await ended.getByRole('button', { name: 'Attach again' }).click();
  await expect(bar).toContainText('from here');
  await bar.getByRole('button', { name: 'Stop' }).click();
  await expect(ended).toContainText(/trace-.*\.dat/);
  expect(instances().filter((name) => !before.includes(name))).toEqual([]);
  expect(app.complaints).toEqual([]);
});
