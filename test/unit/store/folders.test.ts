import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { makeFolder } from '../../../electron/store/folders.ts';

const folder = mkdtempSync(join(tmpdir(), 'remora-folders-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('a folder', () => {
  it('is made with those above it, and the topmost new one is told', () => {
    expect(makeFolder(join(folder, 'a', 'b', 'c'))).toBe(join(folder, 'a'));
    expect(existsSync(join(folder, 'a', 'b', 'c'))).toBe(true);
    expect(makeFolder(join(folder, 'a', 'b', 'c'))).toBeUndefined();
    expect(makeFolder(join(folder, 'a', 'b', 'd'))).toBe(join(folder, 'a', 'b', 'd'));
  });

  it('is refused where a file is in its place or above it', () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(() => makeFolder(file)).toThrow(/EEXIST/);
    expect(() => makeFolder(join(file, 'a', 'b'))).toThrow(/EEXIST|ENOTDIR/);
  });

  it.skipIf(process.platform !== 'linux')(
    'is refused in /proc, where nothing can be made (/proc is Linux alone)',
    () => {
      expect(() => makeFolder('/proc/nope/a/b')).toThrow(/ENOENT.*\/proc\/nope'/);
    },
  );
});
