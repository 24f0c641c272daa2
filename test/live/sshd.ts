import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const SSHD = '/usr/sbin/sshd';

/** Where busybox is; null where it is not. */
export const busybox = ['/usr/bin/busybox', '/bin/busybox'].find((path) => existsSync(path)) ?? null;

/** Null where a test can have an sshd of its own; else why not. */
export function whyNoSshd(): string | null {
  if (!existsSync(SSHD)) return 'needs OpenSSH’s sshd';
  if (spawnSync('ssh', ['-V']).error !== undefined) return 'needs ssh';
  return process.getuid?.() === 0 ? null : 'needs root, for an sshd that lets root in';
}

/** An sshd on the loopback interface with keys and files of its own, and an `ssh` that knows it by names. */
export interface TestSshd {
  /** Environment in which `ssh` knows the hosts below. */
  env: NodeJS.ProcessEnv;
  /** Folder of the `ssh` that `env` has first. */
  folder: string;
  /** Processes that carry connections now. */
  sessions(): number[];
  stop(): Promise<void>;
}

/** nobody may do everything, in mount namespaces in which this folder is /etc/sudoers.d. */
export function makeSudoers(folder: string): void {
  mkdirSync(folder, { mode: 0o750 });
  writeFileSync(join(folder, 'test'), 'nobody ALL=(ALL) NOPASSWD: ALL\n', { mode: 0o440 });
}
export const AS_NOBODY = 'exec setpriv --reuid 65534 --regid 65534 --clear-groups';

const quoted = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;

/**
 * Hosts that the `ssh` of `env` knows: `here` (root, /bin/sh), `noisy` (root, whose login prints something first and whose sh is bash), `busybox`
 * (root, with nothing but busybox's tools first in its path), `nobody` (a user without rights), `sudoer` (one who
 * may use sudo), `nologin` (one without a shell), `refused` (a key that is not let in), `closed` (a port where nobody listens),
 * `untraced` (root, who sees no tracefs).
 */
export async function startSshd(): Promise<TestSshd> {
  const folder = mkdtempSync(join(tmpdir(), 'remora-sshd-'));
  chmodSync(folder, 0o755);
  const at = (name: string): string => join(folder, name);
  for (const key of ['host', 'here', 'noisy', 'busybox', 'untraced', 'sudoer', 'nobody', 'stranger'])
    spawnSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-f', at(key)]);
  const key = (name: string): string => readFileSync(at(`${name}.pub`), 'utf8').trim();
  const forced = (command: string, name: string): string => `command="${command.replaceAll('"', '\\"')}" ${key(name)}`;
  const tools = at('tools');
  if (busybox !== null) {
    mkdirSync(tools);
    spawnSync(busybox, ['--install', '-s', tools]);
    rmSync(join(tools, 'sudo'), { force: true });
  }
  mkdirSync(at('bash'));
  symlinkSync('/bin/bash', at('bash/sh'));
  const original = '"$SSH_ORIGINAL_COMMAND"';
  writeFileSync(
    at('authorized_root'),
    [
      key('here'),
      forced(`echo Welcome to this host; PATH=${at('bash')}:$PATH exec bash -c ${original}`, 'noisy'),
      forced(`PATH=${tools} exec ${tools}/sh -c ${original}`, 'busybox'),
      forced(
        `exec unshare -m sh -c 'mount --bind ${at('sudoers')} /etc/sudoers.d; ${AS_NOBODY} sh -c "$SSH_ORIGINAL_COMMAND"'`,
        'sudoer',
      ),
      forced(`${AS_NOBODY} sh -c ${original}`, 'nobody'),
      forced(
        `exec unshare -m sh -c 'umount -a -t tracefs; mount -t tmpfs none /sys/kernel; exec sh -c "$SSH_ORIGINAL_COMMAND"'`,
        'untraced',
      ),
      '',
    ].join('\n'),
  );
  writeFileSync(at('authorized_nobody'), `${key('nobody')}\n`);
  const port = await freePort();
  writeFileSync(
    at('sshd_config'),
    `ListenAddress 127.0.0.1
Port ${port}
HostKey ${at('host')}
PidFile none
AuthorizedKeysFile ${folder}/authorized_%u
AuthenticationMethods publickey
PermitRootLogin yes
StrictModes no
UsePAM no
MaxStartups 50
`,
  );
  const host = (name: string, user: string, own: string, to = port): string =>
    `Host ${name}\n  HostName 127.0.0.1\n  Port ${to}\n  User ${user}\n  IdentityFile ${at(own)}\n`;
  writeFileSync(
    at('ssh_config'),
    [
      ...['here', 'noisy', 'busybox', 'untraced', 'sudoer', 'nobody'].map((name) => host(name, 'root', name)),
      host('nologin', 'nobody', 'nobody'),
      host('refused', 'root', 'stranger'),
      host('closed', 'root', 'here', await freePort()),
      `Host *\n  IdentitiesOnly yes\n  IdentityAgent none\n  UserKnownHostsFile ${at('known_hosts')}\n  StrictHostKeyChecking accept-new\n`,
    ].join('\n'),
  );
  makeSudoers(at('sudoers'));
  mkdirSync(at('bin'));
  writeFileSync(at('bin/ssh'), `#!/bin/sh\nexec /usr/bin/ssh -F ${quoted(at('ssh_config'))} "$@"\n`, { mode: 0o755 });
  mkdirSync('/run/sshd', { recursive: true });
  const daemon = spawn(SSHD, ['-D', '-e', '-f', at('sshd_config')], { stdio: ['ignore', 'ignore', 'pipe'] });
  await listening(daemon);
  return {
    env: { ...process.env, PATH: `${at('bin')}:${process.env.PATH}` },
    folder,
    sessions: () => childrenOf(daemon.pid as number),
    async stop() {
      const closed = new Promise((resolve) => daemon.once('close', resolve));
      daemon.kill();
      await closed;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function listening(daemon: ChildProcess): Promise<void> {
  return new Promise((resolve, reject) => {
    let said = '';
    daemon.stderr?.setEncoding('utf8').on('data', (text: string) => {
      said += text;
      if (said.includes('Server listening')) resolve();
    });
    daemon.once('close', () => reject(new Error(`sshd ended: ${said}`)));
  });
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Processes that another started and that run. */
export function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}
