import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import { projectRoot } from '../cli.ts';
import { AS_NOBODY, makeSudoers } from './sshd.ts';

/** nobody's. */
const UID = 65534;
const tracefs = usableTracefs();
const runs = (program: string, ...args: string[]): boolean => spawnSync(program, args).status === 0;
/** Why no user without rights can be tried here. */
const reason =
  tracefs === null
    ? 'needs a tracefs that may be written to'
    : process.getuid?.() !== 0
      ? 'needs root, to become somebody else'
      : !runs('sudo', '-V') || !runs('unshare', '-m', 'setpriv', '--version')
        ? 'needs sudo, unshare and setpriv'
        : !runs('setpriv', `--reuid=${UID}`, '--clear-groups', 'test', '-r', join(projectRoot, 'dist/cli.js'))
          ? 'needs a checkout that nobody may read'
          : null;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-rights-'));
  mkdirSync(join(folder, 'home'));
  chownSync(folder, UID, UID);
  chownSync(join(folder, 'home'), UID, UID);
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Runs remora as nobody. `sudo`: who may use it for everything, in a mount namespace that ends with it. */
function asNobody(args: string[], sudo: boolean): { status: number | null; stdout: string; stderr: string } {
  if (sudo && !existsSync(join(folder, 'sudoers'))) makeSudoers(join(folder, 'sudoers'));
  const rules = sudo ? `mount --bind ${join(folder, 'sudoers')} /etc/sudoers.d &&` : '';
  const env = `env -u DISPLAY -u WAYLAND_DISPLAY HOME=${join(folder, 'home')} REMORA_CACHE=${join(folder, 'home')}`;
  const command = `${rules} ${AS_NOBODY} ${env} ${process.execPath} dist/cli.js "$@"`;
  return spawnSync('unshare', ['-m', 'sh', '-c', command, 'sh', ...args], { cwd: projectRoot, encoding: 'utf8' });
}

describe.skipIf(reason !== null)(`a user who may not trace (${reason ?? 'as nobody'})`, () => {
  test('captures with sudo where that asks nothing; is told so; and owns what was captured', () => {
    const path = join(folder, 'out.dat');
    const { status, stdout, stderr } = asNobody(['record', '-e', 'sched', '--duration', '0.5', '-o', path], true);
    expect(stderr).toContain('the capture runs as root, by sudo\n');
    expect(status).toBe(0);
    expect(stdout).toMatch(/: [1-9][\d,]* events in /);
    const left = readdirSync(folder).filter((name) => name.startsWith('out.'));
    expect(left).toContain('out.dat');
    for (const name of left) expect(statSync(join(folder, name))).toMatchObject({ uid: UID, gid: UID });
  });

  test('writes nothing where they may not write themselves', () => {
    const path = join(folder, 'roots');
    mkdirSync(path);
    const { status, stderr } = asNobody(
      ['record', '-e', 'sched', '--duration', '0.5', '-o', join(path, 'out.dat')],
      true,
    );
    expect(stderr).toBe(`remora: ${join(path, 'out.dat')} could not be written: no permission to write there\n`);
    expect(status).toBe(1);
    expect(readdirSync(path)).toEqual([]);
  });

  test('is told what is missing where nothing gives the rights', () => {
    const { status, stderr } = asNobody(['record', '-e', 'sched', '-o', join(folder, 'out.dat')], false);
    expect(stderr).toMatch(/^remora: no permission to trace: .* belongs to root: run this command with sudo\n$/);
    expect(status).toBe(1);
    expect(existsSync(join(folder, 'out.dat'))).toBe(false);
  });
});
