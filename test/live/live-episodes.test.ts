import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmdirSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { createEngine, type EngineCore } from '../../electron/engine/engine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import type { Episode } from '../../shared/model.ts';
import { projectRoot } from '../cli.ts';

const works = (command: string): boolean => spawnSync(command, ['--version']).error === undefined;
const cli = join(projectRoot, 'dist/cli.js');
const able = usableTracefs() !== null && process.getuid?.() === 0 && ['mkfs.ext4', 'losetup'].every(works);

let folder: string;
let core: EngineCore;
let device = '';
let reference: ChildProcess | null = null;

const run = (command: string, ...args: string[]): string => {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
  return stdout.trim();
};

/** A device of its own whose writers are held to a hundredth of the dirty limit: they are throttled at once, nobody else is. */
function slowDisk(): string {
  const image = join(folder, 'disk.img');
  writeFileSync(image, '');
  truncateSync(image, 200 << 20);
  run('mkfs.ext4', '-q', image);
  device = run('losetup', '-f', '--show', image);
  const mount = join(folder, 'disk');
  mkdirSync(mount);
  run('mount', device, mount);
  const bdi = `/sys/class/bdi/${readFileSync(`/sys/block/${basename(device)}/dev`, 'utf8').trim()}`;
  if (!existsSync(`${bdi}/strict_limit`)) throw new Error('this kernel has no strict limits');
  writeFileSync(`${bdi}/strict_limit`, '1');
  writeFileSync(`${bdi}/max_ratio`, '1');
  return mount;
}

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-episodes-'));
  core = createEngine({ version: 'test', cacheFolder: join(folder, 'cache') });
});
afterEach(async () => {
  await core.close();
  if (reference !== null) {
    const ended = new Promise((resolve) => reference?.once('exit', resolve));
    reference.kill('SIGINT');
    await ended;
  }
  if (device !== '') {
    spawnSync('umount', [join(folder, 'disk')]);
    spawnSync('losetup', ['-d', device]);
  }
  rmSync(folder, { recursive: true, force: true });
});

/** What an episode is, whoever recorded it. */
const essence = ({ task, bdi, cgroup, pauses, pauseMs, domain }: Episode) => ({
  task: `${task.comm}-${task.pid}`,
  ...{ bdi, cgroup: cgroup.path, pauses, pauseMs, domain },
});

/** Who records beside the live session, how it is started, and what it says when it has begun. */
const references = {
  'remora record': { command: process.execPath, before: [cli, 'record'], begun: /Recording into/, able },
  'trace-cmd record, in an instance of its own': {
    // It says that it has begun when it ends, where nobody makes it say so at once.
    command: 'stdbuf',
    before: ['-oL', 'trace-cmd', 'record', '-B', `beside-${process.pid}`],
    begun: /Hit Ctrl\^C to stop/,
    // Where function tracing is denied it ends before it has begun.
    able: able && works('trace-cmd') && works('stdbuf') && traceCmdRecords(),
  },
};

function traceCmdRecords(): boolean {
  const place = mkdtempSync(join(tmpdir(), 'remora-trace-cmd-'));
  const name = `tried-${process.pid}`;
  const args = ['record', '-B', name, '-e', 'sched:sched_switch', '-o', join(place, 'x.dat'), 'true'];
  const { status } = spawnSync('trace-cmd', args, { cwd: place });
  rmSync(place, { recursive: true, force: true });
  // Where it gives up it leaves its instance.
  const left = join(usableTracefs() as string, 'instances', name);
  if (existsSync(left)) rmdirSync(left);
  return status === 0;
}

for (const [name, { command, before, begun, able: possible }] of Object.entries(references)) {
  test.skipIf(!possible)(
    `a live session shows the episodes of a recording made beside it by ${name} (needs root, tracefs, mkfs.ext4, losetup, and that it can record here)`,
    async () => {
      const mount = slowDisk();
      const events = ['writeback:balance_dirty_pages', 'writeback:global_dirty_state', 'sched:sched_switch'];
      const beside = join(folder, 'beside.dat');
      const named = events.flatMap((event) => ['-e', event]);
      reference = spawn(command, [...before, ...named, '-o', beside], { stdio: 'pipe', cwd: folder });
      const ended = new Promise((resolve) => reference?.once('exit', resolve));
      await new Promise<void>((resolve) => {
        for (const said of [reference?.stdout, reference?.stderr])
          said?.on('data', (text: Buffer) => begun.test(String(text)) && resolve());
      });
      const engine = new EngineClient((message) =>
        core.dispatch(message, (answer: FromEngine) => engine.receive(answer)),
      );
      const settings = { path: join(folder, 'live.dat'), events: events.map((pattern) => ({ pattern })) };
      const { captureId } = await engine.call('startCapture', { settings });
      let workspaceId = '';
      const watching = engine.call(
        'watchCapture',
        { captureId },
        {
          onProgress: ({ capture }) => {
            workspaceId = capture?.summary?.workspaceId ?? workspaceId;
          },
        },
      );
      // It ends with the engine where the test fails.
      watching.catch(() => {});
      for (const name of ['a', 'b', 'c']) run('dd', 'if=/dev/zero', `of=${join(mount, name)}`, 'bs=64k', 'count=900');
      const live = async () => (await engine.call('episodes', { workspaceId, by: 'cgroup' })).episodes.map(essence);
      const known = async (path: string): Promise<ReturnType<typeof essence>[]> => {
        const opened = await engine.call('open', { paths: [path] });
        const found = await engine.call('episodes', { workspaceId: opened.workspaceId, by: 'cgroup' });
        await engine.call('close', { workspaceId: opened.workspaceId });
        return found.episodes.map(essence);
      };
      reference.kill('SIGINT');
      await ended;
      reference = null;
      const expected = (await known(beside)).filter(({ task }) => task.startsWith('dd-'));
      expect(expected.length).toBeGreaterThanOrEqual(1);
      await expect
        .poll(async () => (await live()).filter(({ task }) => task.startsWith('dd-')), { timeout: 20_000 })
        .toEqual(expected);
      await engine.call('stopCapture', { captureId });
      await watching;
      expect((await known(settings.path)).filter(({ task }) => task.startsWith('dd-'))).toEqual(expected);
    },
    120_000,
  );
}
