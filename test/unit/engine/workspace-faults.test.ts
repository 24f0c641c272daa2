import { execFileSync, spawn } from 'node:child_process';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import Database from 'better-sqlite3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenedTrace, openTrace } from '../../../electron/engine/open.ts';
import { visitRows } from '../../../electron/query/list.ts';

const sample = resolve(import.meta.dirname, '../../../assets/samples/throttle.dat');
const note = {
  id: 'n1',
  kind: 'point',
  fromAbs: '55008141565',
  toAbs: '55008141565',
  text: 'here',
  color: 'note-1',
  tags: [],
} as const;

let folder: string;
let recording: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-faults-'));
  recording = join(folder, 'throttle.dat');
  copyFileSync(sample, recording);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const open = (cacheFolder = join(folder, 'cache')): Promise<OpenedTrace> =>
  openTrace({ paths: [recording], cacheFolder });
const workspaceFile = (): string => {
  const cache = join(folder, 'cache');
  return join(cache, readdirSync(cache).find((name) => name.endsWith('.remora')) as string);
};
const countRows = ({ trace }: OpenedTrace): number => {
  let rows = 0;
  visitRows(trace, 0, () => {
    rows++;
  });
  return rows;
};

describe('a workspace that is not what it was', () => {
  it('is found again with its notes', async () => {
    const first = await open();
    first.notes.put({ ...note, tags: [] });
    first.close();
    const again = await open();
    expect(again.summary.reopened).toBe(true);
    expect(again.notes.all().map(({ text }) => text)).toEqual(['here']);
    again.close();
  });

  it.each([0, 30, 20_000, 400_000, 1_000_000])(
    'with bytes flipped from %i on never gives wrong rows, and keeps the notes',
    async (at) => {
      const first = await open();
      first.notes.put({ ...note, tags: [] });
      const events = first.summary.events;
      first.close();
      const file = workspaceFile();
      const bytes = readFileSync(file);
      for (let i = at; i < Math.min(bytes.length, at + 3000); i += 7) bytes[i] = (bytes[i] as number) ^ 0x5a;
      writeFileSync(file, bytes);
      // The damage is met at once or while reading; then the next opening builds the index again.
      for (let attempt = 0; ; attempt++) {
        expect(attempt).toBeLessThan(3);
        const opened = await open();
        try {
          expect(countRows(opened)).toBe(events);
          expect(opened.notes.all().map(({ text }) => text)).toEqual(['here']);
          break;
        } catch (error) {
          expect(error).toMatchObject({ name: 'RemoraError', code: 'workspace' });
        } finally {
          opened.close();
        }
      }
    },
  );

  it('of a newer version is refused and left as it is', async () => {
    (await open()).close();
    const db = new Database(workspaceFile());
    db.pragma('user_version = 999');
    db.close();
    const before = readFileSync(workspaceFile());
    await expect(open()).rejects.toMatchObject({ code: 'workspace', message: expect.stringContaining('newer Remora') });
    expect(readFileSync(workspaceFile()).equals(before)).toBe(true);
  });

  it('that another program made is refused and left as it is', async () => {
    const path = join(folder, 'other.db');
    const db = new Database(path);
    db.exec('CREATE TABLE mine (x); INSERT INTO mine VALUES (1)');
    db.close();
    const before = readFileSync(path);
    const attempt = openTrace({ paths: [recording], workspace: path, cacheFolder: folder });
    await expect(attempt).rejects.toMatchObject({
      code: 'workspace',
      message: expect.stringContaining('not a Remora workspace'),
    });
    expect(readFileSync(path).equals(before)).toBe(true);
  });

  it('that another process writes is refused in words', async () => {
    (await open()).close();
    const writer = await writingProcess(workspaceFile());
    await expect(open()).rejects.toMatchObject({ code: 'workspace', message: expect.stringContaining('in use') });
    await writer.end();
    const opened = await open();
    expect(opened.summary.reopened).toBe(true);
    expect(opened.summary.events).toBe(248_749);
    opened.close();
  });
});

/** A process that is in the middle of a change of the workspace at `path` until it is ended. */
async function writingProcess(path: string): Promise<{ end(): Promise<void> }> {
  const code = `import Database from 'better-sqlite3';
    const db = new Database(${JSON.stringify(path)});
    db.pragma('locking_mode = EXCLUSIVE');
    db.exec('BEGIN EXCLUSIVE; UPDATE recording SET indexed = 0');
    process.stdout.write('locked');
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
    cwd: import.meta.dirname,
  });
  const gone = new Promise<void>((done) => child.once('exit', () => done()));
  await new Promise<void>((done, fail) => {
    child.stdout.once('data', () => done());
    gone.then(() => fail(new Error('the writing process ended by itself')));
  });
  return {
    async end() {
      child.kill('SIGKILL');
      await gone;
    },
  };
}

describe('a cache folder that nothing can be kept in', () => {
  it('is no reason not to open a recording, and is told', async () => {
    const file = join(folder, 'plain');
    writeFileSync(file, 'a file where a folder should be');
    const opened = await open(join(file, 'cache'));
    expect(opened.summary).toMatchObject({ events: 248_749, workspacePath: '' });
    expect(opened.summary.warnings).toMatchObject([
      { section: 'workspace', message: expect.stringContaining('REMORA_CACHE') },
    ]);
    opened.close();
  });

  it('is an error where the workspace was asked for there', async () => {
    const file = join(folder, 'plain');
    writeFileSync(file, 'a file where a folder should be');
    const attempt = openTrace({ paths: [recording], workspace: join(file, 'x.remora'), cacheFolder: folder });
    await expect(attempt).rejects.toMatchObject({ code: 'workspace', message: expect.stringContaining('elsewhere') });
  });
});

describe('an import that does not end well', () => {
  it('cancelled leaves no index, and the next opening makes it', async () => {
    const controller = new AbortController();
    const attempt = openTrace({
      paths: [recording],
      cacheFolder: join(folder, 'cache'),
      signal: controller.signal,
      onProgress: () => controller.abort(),
    });
    await expect(attempt).rejects.toMatchObject({ code: 'cancelled' });
    expect(readdirSync(join(folder, 'cache'))).toEqual([]);
    const opened = await open();
    expect(opened.summary.reopened).toBe(false);
    expect(countRows(opened)).toBe(248_749);
    opened.close();
  });

  it('killed at any time is done again', async () => {
    for (const afterMs of [60, 120, 180, 240]) {
      const code = `import { openTrace } from ${JSON.stringify(resolve(import.meta.dirname, '../../../electron/engine/open.ts'))};
        (await openTrace({ paths: [${JSON.stringify(recording)}], cacheFolder: ${JSON.stringify(join(folder, 'cache'))} })).close();`;
      const child = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: 'ignore' });
      await new Promise((done) => setTimeout(done, afterMs));
      const gone = new Promise((done) => child.on('exit', done));
      child.kill('SIGKILL');
      await gone;
    }
    const opened = await open();
    expect(countRows(opened)).toBe(248_749);
    opened.close();
  });

  const canMount = process.platform === 'linux' && process.getuid?.() === 0;
  it.skipIf(!canMount)('on a full disk says so, and leaves the recording alone', async () => {
    const small = join(folder, 'small');
    mkdirSync(small);
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', small]);
    try {
      const before = readFileSync(recording);
      await expect(open(small)).rejects.toMatchObject({
        code: 'workspace',
        message: expect.stringContaining('disk is full'),
      });
      expect(readFileSync(recording).equals(before)).toBe(true);
      const elsewhere = await open();
      expect(elsewhere.summary.events).toBe(248_749);
      elsewhere.close();
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('a recording that changes while it is open', () => {
  it('cut: says so, with the offset', async () => {
    const opened = await open();
    truncateSync(recording, 1_600_000);
    const { trace } = opened;
    const read = (): void => {
      for (const { cpus } of trace.streams) for (const { bytes } of cpus) bytes.read(0, bytes.size);
    };
    expect(read).toThrow(/was cut while it was open/);
    opened.close();
  });

  it('replaced: is another recording with its own index', async () => {
    const opened = await open();
    opened.close();
    writeFileSync(recording, readFileSync(sample).subarray(0, 2_000_000));
    const other = await open();
    expect(other.summary.reopened).toBe(false);
    expect(other.summary.warnings.length).toBeGreaterThan(0);
    other.close();
    expect(existsSync(recording)).toBe(true);
  });
});
