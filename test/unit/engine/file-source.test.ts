import {
  appendFileSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FileSource, openFile } from '../../../electron/engine/file-source.ts';

let folder: string;
let path: string;
let source: FileSource;
const content = Buffer.from(Array.from({ length: 300_000 }, (_, i) => (i * 7 + (i >> 8)) & 0xff));

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-source-'));
  path = join(folder, 'r.dat');
  writeFileSync(path, content);
  source = openFile(path);
});
afterEach(() => {
  source.close();
  rmSync(folder, { recursive: true });
});

/** What reading says once it has looked after the file, which it does now and then. */
function complaint(): string {
  try {
    source.read(1000, 100);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}

describe('a recording that changes while it is open', () => {
  it('is no more what it was when another is written over it', async () => {
    writeFileSync(path, Buffer.alloc(content.length + 4096, 1));
    await expect.poll(complaint).toMatch(/changed while it was open.*open it again/);
    // And stays so.
    expect(complaint()).toMatch(/changed/);
  });

  it('is no more what it was when a part of it is written over', async () => {
    const fd = openSync(path, 'r+');
    writeSync(fd, Buffer.alloc(150_000), 0, 150_000, 100_000);
    await expect.poll(complaint).toMatch(/changed while it was open/);
  });

  it('was cut when it is shorter', async () => {
    truncateSync(path, 200_000);
    await expect.poll(complaint).toMatch(/cut while it was open: it had 300000 bytes, now it ends at 200000/);
    expect(() => source.read(250_000, 10)).toThrow(/cut while it was open/);
  });

  it('is the same when it grows, and when another takes its name', async () => {
    appendFileSync(path, content);
    const other = join(folder, 'other.dat');
    writeFileSync(other, Buffer.alloc(100));
    renameSync(other, path);
    // Long enough for several looks after it.
    const until = performance.now() + 200;
    while (performance.now() < until) {
      expect(source.read(1000, 5)).toEqual(new Uint8Array(content.subarray(1000, 1005)));
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  });
});
