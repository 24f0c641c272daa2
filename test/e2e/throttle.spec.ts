import { expect, settled, test } from './host.ts';
import { details, openSample, rows, SAMPLE, selectFirst, showTab, timeline, visibleTime } from './steps.ts';

test('an episode row zooms to the episode', async ({ app }) => {
  const page = await openSample(app);
  const whole = await visibleTime(page);
  await showTab(page, 'Episodes');
  const totals = page.getByRole('table', { name: 'Totals per cgroup' });
  for (const cgroup of SAMPLE.cgroups) await expect(totals.getByRole('rowheader', { name: cgroup })).toBeVisible();

  const row = rows(page.getByRole('grid', { name: 'Episodes' })).first();
  await row.click();
  await settled(page);
  await expect(row).toHaveAttribute('aria-selected', 'true');
  expect(await visibleTime(page)).not.toBe(whole);
  await expect(page.getByRole('status', { name: 'Selected range' })).toBeVisible();
});

test('dirty and limit are plotted by cgroup', async ({ app }) => {
  const page = await openSample(app);
  await selectFirst(page, 'balance_dirty_pages: pause > 0');
  await details(page).getByRole('button', { name: 'Ways to plot dirty', exact: true }).click();
  await page.getByRole('menuitem', { name: 'By cgroup', exact: true }).click();
  await settled(page);
  const plot = timeline(page).getByRole('region', { name: /^Plot / });
  await expect(plot).toHaveCount(1);
  const legend = plot.getByRole('list', { name: 'Legend' });
  for (const cgroup of SAMPLE.cgroups) {
    await expect(legend.getByRole('button').filter({ hasText: new RegExp(`\\b${cgroup}\\b`) })).toBeVisible();
  }
  const ofDirty = await legend.getByRole('button').count();

  // Into the same plot: one more line per cgroup.
  await details(page).getByRole('button', { name: 'Ways to plot limit', exact: true }).click();
  await page.getByRole('group', { name: 'Add to a plot' }).getByRole('menuitem').first().click();
  await settled(page);
  await expect(plot).toHaveCount(1);
  await expect(legend.getByRole('button')).toHaveCount(ofDirty * 2);

  // A line is hidden and comes back; what it shows under the selected event has a unit.
  const line = legend.getByRole('button').first();
  await expect(line).toContainText(/[\d,]+ pages|–/);
  await line.click();
  await expect(line).toHaveAttribute('aria-pressed', 'false');
  await line.click();
  await expect(line).toHaveAttribute('aria-pressed', 'true');

  await plot.getByLabel('Unit').selectOption('MiB');
  await settled(page);
  await expect(line).toContainText(/[\d,.]+ MiB|–/);
  await plot.getByRole('button', { name: /^Remove plot/ }).click();
  await settled(page);
  await expect(timeline(page).getByRole('region', { name: /^Plot / })).toHaveCount(0);
  expect(app.complaints).toEqual([]);
});

test('"plot this field" is on every numeric field', async ({ app }) => {
  const page = await openSample(app);
  await selectFirst(page, 'balance_dirty_pages: pause > 0');
  const fields = details(page).getByRole('table', { name: 'Fields' });
  for (const name of ['limit', 'setpoint', 'dirty', 'task_ratelimit', 'pause', 'think', 'cgroup_ino']) {
    await expect(fields.getByRole('button', { name: `Plot ${name}`, exact: true })).toBeVisible();
  }
  await expect(fields.getByRole('button', { name: 'Plot bdi', exact: true })).toHaveCount(0);
});

test('plots come back with the recording', async ({ app }) => {
  const page = await openSample(app);
  await selectFirst(page, 'balance_dirty_pages: pause > 0');
  await details(page).getByRole('button', { name: 'Plot pause', exact: true }).click();
  await settled(page);
  await expect(timeline(page).getByRole('region', { name: /^Plot / })).toHaveCount(1);
  // The window keeps its view a moment after it last changed; quitting must not lose it.
  await app.quit();
  const again = await openSample(app);
  await expect(timeline(again).getByRole('region', { name: /^Plot .*pause/ })).toHaveCount(1);
});
