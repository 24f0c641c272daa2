import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Locator, Page } from '@playwright/test';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import { remora, temporaryCache } from '../cli.ts';
import { expect, settled, test } from './host.ts';
import { details, dragTime, events, rows, showTab, timeline } from './steps.ts';

const tracefs = usableTracefs();
test.skip(tracefs === null, 'needs a tracefs that may be written to: root, and tracefs mounted');

const dialogOf = (page: Page): Locator => page.getByRole('dialog', { name: 'Attach to this machine' });
const bar = (page: Page): Locator => page.getByRole('region', { name: 'Capture', exact: true });
const ended = (page: Page): Locator => page.getByRole('region', { name: 'Capture ended' });
const shown = async (page: Page): Promise<number> => {
  const text = await page.getByRole('status', { name: 'Events shown' }).innerText();
  return Number(/([\d,]+) events?$/.exec(text)?.[1]?.replaceAll(',', '') ?? 0);
};
const instances = (): string[] =>
  tracefs === null ? [] : readdirSync(join(tracefs, 'instances')).filter((name) => name.startsWith('remora-'));

/** Opens the dialog, chooses a preset and a place for the recording. */
async function choose(page: Page, path: string, preset = /Scheduling/): Promise<Locator> {
  await page.keyboard.press('ControlOrMeta+r');
  const dialog = dialogOf(page);
  await dialog.getByRole('button', { name: preset }).click();
  await dialog.getByLabel('Recording').fill(path);
  return dialog;
}

async function attach(page: Page, path: string): Promise<void> {
  const dialog = await choose(page, path);
  await dialog.getByRole('button', { name: 'Start capturing' }).click();
  await expect(bar(page)).toBeVisible();
  await expect(rows(events(page)).first()).toBeVisible();
}

/** Waits until the capture has gone on for another second. */
async function nextSecond(page: Page): Promise<void> {
  const captured = await bar(page).getByRole('timer').innerText();
  await expect(bar(page).getByRole('timer')).not.toHaveText(captured);
}

test('a capture is seen as it happens, and is a recording when it is stopped', async ({ app }) => {
  const path = join(app.folder, 'live.dat');
  const page = await app.start();
  await attach(page, path);
  const follow = bar(page).getByRole('button', { name: 'Follow' });
  await expect(follow).toHaveAttribute('aria-pressed', 'true');
  await expect(timeline(page).getByRole('button', { name: 'CPU 0', exact: true })).toBeVisible();
  const first = await shown(page);
  await expect.poll(() => shown(page)).toBeGreaterThan(first);

  // The view stands still while the capture goes on.
  await bar(page).getByRole('button', { name: 'Pause view' }).click();
  // What was on its way when the button was pressed still arrives.
  await nextSecond(page);
  const still = await shown(page);
  await nextSecond(page);
  expect(await shown(page)).toBe(still);
  await bar(page).getByRole('button', { name: 'Resume view' }).click();
  await expect.poll(() => shown(page)).toBeGreaterThan(still);

  // Whoever looks back is left there, and can look at events and write notes.
  await page.keyboard.press('a');
  await expect(follow).toHaveAttribute('aria-pressed', 'false');
  await page.getByLabel('Filter events').fill('sched_switch');
  await expect(page.getByRole('status', { name: 'Events shown' })).toContainText(' of ');
  await events(page).focus();
  await page.keyboard.press('Home');
  await expect(details(page)).toContainText('sched:sched_switch');
  await page.keyboard.press('n');
  await page.getByRole('textbox', { name: 'Text' }).fill('seen while it happened');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.keyboard.press('l');

  await bar(page).getByRole('button', { name: 'Stop' }).click();
  await expect(ended(page)).toContainText(path);
  await settled(page);
  await expect(bar(page)).toBeHidden();
  await showTab(page, 'Notes');
  await expect(page.getByText('seen while it happened').first()).toBeVisible();
  expect(existsSync(path)).toBe(true);
  expect(existsSync(`${path}.live`)).toBe(false);
  expect(app.complaints).toEqual([]);
});

test('a filter that the kernel refuses is said where it stands', async ({ app }) => {
  const page = await app.start();
  const dialog = await choose(page, join(app.folder, 'live.dat'));
  const filter = dialog.getByLabel('Filter of sched:sched_switch');
  await filter.fill('prev_prio < 100 && nobody == 3');
  await expect(dialog.getByRole('alert')).toContainText('Field not found');
  await expect(dialog.locator('.filter-mark u')).toHaveText('nobody');
  await filter.fill('info ~ "x"');
  await expect(dialog.getByRole('alert')).toContainText('the kernel can not test info');
  await filter.fill('prev_prio < 100 &&');
  await expect(dialog.getByRole('button', { name: 'Start capturing' })).toBeDisabled();
  await filter.fill('task ~ "swapper*"');
  await expect(dialog.getByRole('status', { name: 'Cost' })).toContainText('events/s');
  await dialog.getByRole('button', { name: 'Cancel' }).click();
  await expect(dialog).toBeHidden();
});

test('settings are kept by name, and used again', async ({ app }) => {
  const page = await app.start();
  const dialog = await choose(page, join(app.folder, 'first.dat'));
  await dialog.getByLabel('Search events').fill('sched_pi_setprio');
  await dialog.getByLabel('sched:sched_pi_setprio', { exact: true }).check();
  await dialog.getByLabel('Save as').fill('mine');
  await dialog.getByRole('button', { name: 'Save settings' }).click();
  await dialog.getByRole('button', { name: 'Clear' }).click();
  await expect(dialog.getByText('Nothing chosen yet')).toBeVisible();
  await dialog.getByLabel('Saved settings').selectOption('');
  await dialog.getByLabel('Saved settings').selectOption('mine');
  await expect(dialog.getByLabel('Filter of sched:sched_pi_setprio')).toBeVisible();
  await dialog.getByLabel('Recording').fill(join(app.folder, 'first.dat'));
  await dialog.getByLabel('It ends').selectOption('after a time');
  await dialog.getByLabel('Seconds').fill('1');
  await dialog.getByRole('button', { name: 'Start capturing' }).click();
  await expect(ended(page)).toContainText('first.dat');
  await ended(page).getByRole('button', { name: 'Attach again' }).click();
  await expect(ended(page)).toContainText(/trace-.*\.dat/);
});

test('a window that is loaded again takes the capture up', async ({ app }) => {
  const page = await app.start();
  await attach(page, join(app.folder, 'live.dat'));
  const before = await shown(page);
  await page.reload();
  await expect(bar(page)).toBeVisible();
  await expect.poll(() => shown(page)).toBeGreaterThan(before);
  await bar(page).getByRole('button', { name: 'Stop' }).click();
  await expect(ended(page)).toBeVisible();
});

test('a capture that is killed leaves its recording, and nothing in tracefs', async ({ app }) => {
  const others = instances();
  const path = join(app.folder, 'live.dat');
  const page = await app.start();
  await attach(page, path);
  const [own] = instances().filter((name) => !others.includes(name));
  process.kill(Number(own?.split('-')[1]), 'SIGKILL');
  await expect(ended(page)).toContainText('recovered');
  await settled(page);
  expect(await shown(page)).toBeGreaterThan(0);
  expect(instances().filter((name) => !others.includes(name))).toEqual([]);
  expect(existsSync(`${path}.live`)).toBe(false);
});

test.describe('under load', () => {
  let load: ChildProcess;
  test.beforeEach(() => {
    load = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
  });
  test.afterEach(() => {
    load.kill('SIGKILL');
  });

  const firstRow = async (page: Page): Promise<number> =>
    Number((await rows(events(page)).first().locator('.row').innerText()).replaceAll(',', ''));

  test('a flight recorder is seen while it runs, and what it gives up goes', async ({ app }) => {
    const path = join(app.folder, 'flight.dat');
    const page = await app.start();
    const dialog = await choose(page, path, /System calls/);
    await dialog.getByLabel('It ends').selectOption('never: keep the last of it, by time');
    await dialog.getByLabel('Seconds').fill('2');
    await dialog.getByRole('button', { name: 'Start capturing' }).click();
    await expect(rows(events(page)).first()).toBeVisible();
    await bar(page).getByRole('button', { name: 'Pause view' }).click();
    // On a range, which is there whatever becomes of its events.
    await dragTime(page, 'CPU 0', 0.8, 0.95, 'Shift');
    await page.keyboard.press('n');
    await page.getByRole('textbox', { name: 'Text' }).fill('when it began');
    await page.getByRole('button', { name: 'Save' }).click();
    await bar(page).getByRole('button', { name: 'Resume view' }).click();

    // The list begins with what is still there, under the number that it always had.
    await events(page).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => firstRow(page)).toBeGreaterThan(1);
    const began = await firstRow(page);
    // Whoever looks at the oldest sees it go.
    await expect.poll(() => firstRow(page)).toBeGreaterThan(began);
    await expect(rows(events(page)).first()).toContainText('sys_');
    load.kill('SIGKILL');

    await bar(page).getByRole('button', { name: 'Stop' }).click();
    await expect(ended(page)).toContainText(path);
    await settled(page);
    await events(page).focus();
    await page.keyboard.press('Home');
    await expect.poll(() => firstRow(page)).toBe(1);
    await showTab(page, 'Notes');
    await expect(page.getByText('when it began').first()).toBeVisible();
    expect(app.complaints).toEqual([]);
  });

  test('a full disk ends a capture with all that was written, and the window says so (needs root)', async ({ app }) => {
    const disk = join(app.folder, 'disk');
    mkdirSync(disk);
    const mounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=40m', 'tmpfs', disk]).status === 0;
    test.skip(!mounted, 'needs root: mounts a small disk');
    try {
      const path = join(disk, 'full.dat');
      const page = await app.start();
      await (await choose(page, path, /System calls/)).getByRole('button', { name: 'Start capturing' }).click();
      await expect(ended(page)).toContainText(/the disk of .*full\.dat is full.*what was written is complete/);
      await settled(page);
      expect(await shown(page)).toBeGreaterThan(1000);
      await expect(rows(events(page)).first()).toContainText('sys_');
      const cache = temporaryCache();
      expect(remora(['check', path], cache.env).status).toBe(0);
      cache.remove();
    } finally {
      await app.quit();
      spawnSync('umount', [disk]);
    }
  });

  test('a window that is killed leaves its recording, complete, and nothing in tracefs', async ({ app }) => {
    const others = instances();
    const path = join(app.folder, 'killed.dat');
    const page = await app.start();
    await attach(page, path);
    await app.kill();
    await expect.poll(() => instances().filter((name) => !others.includes(name))).toEqual([]);
    await expect.poll(() => existsSync(`${path}.live`)).toBe(false);
    const again = await app.start([path]);
    await expect(rows(events(again)).first()).toBeVisible();
    expect(await shown(again)).toBeGreaterThan(0);
  });
});
