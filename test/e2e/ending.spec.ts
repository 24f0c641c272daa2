import { readFileSync } from 'node:fs';
import { expect, test } from './host.ts';
import { openSample } from './steps.ts';

test.skip(process.platform !== 'linux', 'processes are looked at by means of Linux alone');

/** A zombie, which nobody waits for, has ended. */
function isAlive(pid: number): boolean {
  try {
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'latin1'));
  } catch {
    return false;
  }
}

test('closing leaves no process behind', async ({ app }) => {
  await openSample(app);
  const family = app.engine.family();
  expect(family.length).toBeGreaterThan(1);
  await app.quit();
  await expect.poll(() => family.filter(isAlive)).toEqual([]);
});
