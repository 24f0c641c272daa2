import { mkdirSync, mkdtempSync, readFileSync, rmdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { CgroupFollower, foldersBelow, memoryHierarchy, threadsOf } from '../../../electron/live/cgroup-folders.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-cgroups-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const lineOf = (path: string): string => `${statSync(join(folder, 'root', path)).ino} ${path}`;

test('what is there is written at once, what is made later as it comes, also two levels at a time', async () => {
  mkdirSync(join(folder, 'root/db'), { recursive: true });
  const file = join(folder, 'x.cgroups');
  const follower = new CgroupFollower(join(folder, 'root'), file);
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
    follower.close();
  }
  expect(readFileSync(file, 'utf8')).toContain(`${lineOf('last')}\n`);
});

test('folders come parents first', () => {
  mkdirSync(join(folder, 'a/b/c'), { recursive: true });
  const all = [...foldersBelow(folder)];
  expect(all).toEqual([folder, join(folder, 'a'), join(folder, 'a/b'), join(folder, 'a/b/c')]);
});

test('the memory controller is looked for in v1 where v2 does not have it', () => {
  const v1 = { type: 'cgroup', path: '/sys/fs/cgroup/memory', readOnly: false };
  expect(memoryHierarchy([{ type: 'cgroup2', path: folder, readOnly: false }, v1])).toEqual({
    root: v1.path,
    v2: false,
  });
  expect(memoryHierarchy([{ type: 'cgroup2', path: folder, readOnly: false }])).toEqual({ root: folder, v2: true });
  expect(memoryHierarchy([])).toBeNull();
});

test('a folder that is no cgroup is refused', () => {
  expect(() => threadsOf(folder)).toThrow('is no cgroup');
});
