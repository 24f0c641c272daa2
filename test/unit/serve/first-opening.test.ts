import { copyFileSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { firstOpeningEnv } from '../../../electron/engine/first-opening.ts';
import { EngineHost } from '../../../electron/engine/host.ts';
import { EngineClient } from '../../../shared/engine-client.ts';
import { projectRoot } from '../../cli.ts';

/** What `serve` and `open` were told of their files, in the engine's own process. */
let folder: string;
let host: EngineHost | null = null;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-first-'));
});
afterEach(async () => {
  await host?.close();
  rmSync(folder, { recursive: true });
});

describe('the files that a workbench is started with', () => {
  it('are opened as was said, and no others', async () => {
    const sample = join(projectRoot, 'assets/samples/throttle.dat');
    const other = join(folder, 'other.dat');
    copyFileSync(sample, other);
    const workspace = join(folder, 'kept', 'mine.remora');
    const cgroups = join(folder, 'names');
    writeFileSync(cgroups, '4711 seven/eleven\n');
    host = new EngineHost({
      entry: join(projectRoot, 'electron/engine/entry.ts'),
      env: {
        ...process.env,
        REMORA_CACHE: join(folder, 'cache'),
        ...firstOpeningEnv({ paths: [sample], workspace, cgroups }),
      },
    });
    const client: EngineClient = new EngineClient((message) => seat.send(message));
    const seat = host.join((message) => client.receive(message));
    for (let load = 0; load < 2; load++) {
      const first = await client.call('open', { paths: [sample] });
      expect(first.workspacePath).toBe(workspace);
      expect(first.cgroups).toContainEqual({ ino: '4711', path: 'seven/eleven' });
    }
    expect(existsSync(workspace)).toBe(true);
    const second = await client.call('open', { paths: [other] });
    expect(second.workspacePath).toContain(join(folder, 'cache'));
    expect(second.cgroups).not.toContainEqual({ ino: '4711', path: 'seven/eleven' });
  });

  it('are opened as ever where nothing was said', () => {
    expect(firstOpeningEnv({ paths: ['/a'] })).toEqual({});
  });
});
