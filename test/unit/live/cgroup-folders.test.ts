import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CgroupFollower, hierarchyAmong, threadsOf } from '../../../electron/live/cgroup-folders.ts';
import { LocalMachine } from '../../../electron/live/local-machine.ts';

const machine = new LocalMachine();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-cgroups-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lineOf = (path: string): string => `${statSync(join(folder, 'root', path)).ino} ${path}`;

test('what is there is written at once, what is made later as it comes, also two levels at a time', async () => {
  mkdirSync(join(folder, 'root/db'), { recursive: true });
  const file = join(folder, 'x.cgroups');
  const follower = await CgroupFollower.start(machine, join(folder, 'root'), file);
  try {
    expect(readFileSync(file, 'utf8').split('\n')).toEqual([lineOf(''), lineOf('db'), '']);
    mkdirSync(join(folder, 'root/web/inner room'), { recursive: true });
    const wanted = [lineOf('web'), lineOf('web/inner room')];
    await vi.waitFor(
      () => expect(readFileSync(file, 'utf8').split('\n')).toEqual(expect.arrayContaining(wanted)),
      10_000,
    );
    rmdirSync(join(folder, 'root/db'));
    mkdirSync(join(folder, 'root/last'));
  } finally {
    await follower.close();
  }
  expect(readFileSync(file, 'utf8')).toContain(`${lineOf('last')}\n`);
});

test('folders come parents first, with their inodes', async () => {
  mkdirSync(join(folder, 'a/b/c'), { recursive: true });
  const all = await machine.cgroupFolders(folder);
  expect([...all.keys()]).toEqual([folder, join(folder, 'a'), join(folder, 'a/b'), join(folder, 'a/b/c')]);
  expect(all.get(join(folder, 'a/b'))).toBe(String(statSync(join(folder, 'a/b')).ino));
});

test('the memory controller is looked for in v1 where v2 does not have it', async () => {
  const v1 = { type: 'cgroup', path: '/sys/fs/cgroup/memory', readOnly: false };
  const v2 = { type: 'cgroup2', path: folder, readOnly: false };
  const without = async () => ['cpu', 'io'];
  expect(await hierarchyAmong([v2, v1], without)).toEqual({ root: v1.path, v2: false });
  expect(await hierarchyAmong([v2, v1], async () => ['cpu', 'memory'])).toEqual({ root: folder, v2: true });
  expect(await hierarchyAmong([v2], without)).toEqual({ root: folder, v2: true });
  expect(await hierarchyAmong([], without)).toBeNull();
});

test('a folder that is no cgroup is refused', async () => {
  await expect(threadsOf(machine, folder)).rejects.toThrow('is no cgroup');
  await expect(threadsOf(machine, join(folder, 'none'))).rejects.toThrow('is no cgroup');
});
