import { expect, settled, test } from './host.ts';
import { dragTime, openSample, showTab } from './steps.ts';

const TEXT = 'backup starts to write';

test('a note on a range is kept in the workspace', async ({ app }) => {
  const page = await openSample(app);
  await dragTime(page, 'CPU 0', 0.3, 0.5, 'Shift');
  await expect(page.getByRole('status', { name: 'Selected range' })).toBeVisible();
  await page.getByRole('toolbar', { name: 'Timeline' }).getByRole('button', { name: 'Add note' }).click();
  await page.getByLabel('Note text').fill(TEXT);
  await page.getByRole('button', { name: 'Save note' }).click();
  await settled(page);
  await showTab(page, 'Notes');
  const notes = page.getByRole('tabpanel').getByRole('list', { name: 'Notes' });
  await expect(notes.getByRole('listitem')).toHaveCount(1);
  await expect(notes).toContainText(TEXT);
  const place = await notes.getByRole('listitem').innerText();
  await app.quit();

  const again = await openSample(app);
  await showTab(again, 'Notes');
  const kept = again.getByRole('tabpanel').getByRole('list', { name: 'Notes' });
  await expect(kept.getByRole('listitem')).toHaveCount(1);
  expect(await kept.getByRole('listitem').innerText()).toBe(place);

  // It can be changed and taken away.
  await kept.getByRole('button', { name: `Edit note ${TEXT}` }).click();
  await again.getByLabel('Note text').fill('changed');
  await again.keyboard.press('Enter');
  await settled(again);
  await expect(kept).toContainText('changed');
  await kept.getByRole('button', { name: 'Delete note changed' }).click();
  await settled(again);
  await expect(again.getByRole('tabpanel')).toContainText('No notes yet');
  await app.quit();

  const last = await openSample(app);
  await showTab(last, 'Notes');
  await expect(last.getByRole('tabpanel')).toContainText('No notes yet');
});

test('a note is given up with Esc', async ({ app }) => {
  const page = await openSample(app);
  await dragTime(page, 'CPU 0', 0.6, 0.7, 'Shift');
  await page.keyboard.press('n');
  await page.getByLabel('Note text').fill('never mind');
  await page.keyboard.press('Escape');
  await settled(page);
  await expect(page.getByLabel('Note text')).toBeHidden();
  await showTab(page, 'Notes');
  await expect(page.getByRole('tabpanel')).toContainText('No notes yet');
});
