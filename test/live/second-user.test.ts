import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, existsSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { projectRoot } from '../cli.ts';

/** nobody, who owns nothing and may nothing. */
const UID = 65_534;
const tracefs = usableTracefs();
const entry = join(projectRoot, 'dist/engine.js');

/** Whether this user may start what root installed here at all. */
function nobodyCanRun(): boolean {
  if (process.getuid?.() !== 0) return false;
  return (
    spawnSync(process.execPath, ['-e', `require('fs').accessSync('${entry}')`], { uid: UID, gid: UID }).status === 0
  );
}
const able = tracefs !== null && nobodyCanRun();

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-nobody-'));
  chmodSync(folder, 0o755);
  chownSync(folder, UID, UID);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const instances = (): string[] => readdirSync(join(tracefs as string, 'instances'));
const env = () => ({ PATH: process.env.PATH, HOME: folder, REMORA_CACHE: join(folder, 'cache') });

test.skipIf(!able)(
  'a user who may not trace is told what is missing and what helps (needs root, to be somebody else)',
  () => {
    const before = instances();
    const path = join(folder, 'out.dat');
    const args = [
      join(projectRoot, 'dist/cli.js'),
      'record',
      '-e',
      'sched:sched_switch',
      '--duration',
      '1',
      '-o',
      path,
    ];
    const { status, stderr } = spawnSync(process.execPath, args, { uid: UID, gid: UID, env: env(), encoding: 'utf8' });
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain('no permission');
    expect(stderr).toContain('sudo');
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(existsSync(path)).toBe(false);
    expect(instances().filter((name) => !before.includes(name) && name.startsWith('remora-'))).toEqual([]);
  },
);

test.skipIf(!able)(
  'the window of such a user says so before anything is chosen (needs root, to be somebody else)',
  async () => {
    const child = spawn(process.execPath, [entry], {
      stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
      serialization: 'advanced',
      uid: UID,
      gid: UID,
      env: env(),
    });
    const engine = new EngineClient((message) => void child.send(message));
    child.on('message', (message) => engine.receive(message as FromEngine));
    try {
      const { problem } = await engine.call('captureOptions', {});
      expect(problem?.message).toContain('root');
      expect(problem?.command).toMatch(/^(sudo|pkexec) /);
      // What root captures is none of this user's business, and is not offered for removal.
      expect(await engine.call('captures', {})).toEqual([]);
      const settings = { path: join(folder, 'out.dat'), events: [{ pattern: 'sched:sched_switch' }] };
      await expect(engine.call('startCapture', { settings })).rejects.toThrow('sudo');
    } finally {
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    }
  },
);
