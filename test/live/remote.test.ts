import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { hostname, release, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { EngineHost } from '../../electron/engine/host.ts';
import { withoutEmpty } from '../../electron/live/remote-ring.ts';
import { ShellConnection } from '../../electron/live/shell-connection.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { FromEngine } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import { projectRoot, temporaryCache } from '../cli.ts';
import { busybox, childrenOf, startSshd, type TestSshd, whyNoSshd } from './sshd.ts';

const tracefs = usableTracefs();
const reason = tracefs === null ? 'needs a tracefs that may be written to' : whyNoSshd();
const hasTraceCmd = spawnSync('trace-cmd', ['--version']).error === undefined;
const hasSudo = spawnSync('sudo', ['-V']).error === undefined;

interface RecordDocument {
  host: string | null;
  events: number;
  lost: number;
  reason: string;
  notes: string[];
  cpus: { cpu: number; events: number; lost: number; bytes: number }[];
}

const cache = temporaryCache();
let sshd: TestSshd;
let folder: string;
let started: ChildProcess[] = [];
let before: string[] = [];

beforeAll(async () => {
  if (reason !== null) return;
  sshd = await startSshd();
  before = ours();
});
afterAll(async () => {
  cache.remove();
  await sshd?.stop();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-remote-'));
});
afterEach(async () => {
  for (const child of started) child.kill('SIGKILL');
  started = [];
  rmSync(folder, { recursive: true, force: true });
  // Whatever happened to the connection: nothing stays.
  if (reason === null) await expect.poll(newInstances, { timeout: 30_000 }).toEqual([]);
});

const out = (name = 'out.dat'): string => join(folder, name);
const ours = (): string[] =>
  readdirSync(join(tracefs as string, 'instances')).filter((name) => name.startsWith('remora-'));
const newInstances = (): string[] => ours().filter((name) => !before.includes(name));
const environment = (): NodeJS.ProcessEnv => ({ ...sshd.env, ...cache.env, PATH: sshd.env.PATH });

function remora(args: string[]): { status: number | null; stdout: string; stderr: string } {
  return spawnSync(process.execPath, ['dist/cli.js', ...args], {
    cwd: projectRoot,
    env: environment(),
    encoding: 'utf8',
    maxBuffer: 1 << 28,
  });
}
function record(...args: string[]): RecordDocument {
  const { status, stdout, stderr } = remora(['record', '--json', '--quiet', ...args]);
  if (status !== 0) throw new Error(`remora record ${args.join(' ')}: exit ${status}: ${stderr}`);
  return JSON.parse(stdout) as RecordDocument;
}
function start(...args: string[]): { child: ChildProcess; ended: Promise<{ code: number | null; stderr: string }> } {
  const child = spawn(process.execPath, ['dist/cli.js', 'record', ...args], { cwd: projectRoot, env: environment() });
  started.push(child);
  let stderr = '';
  child.stderr?.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return { child, ended: new Promise((done) => child.once('close', (code) => done({ code, stderr }))) };
}
function makeLoad(...command: string[]): ChildProcess {
  const [program, ...args] = command as [string, ...string[]];
  const child = spawn(program, args, { stdio: 'ignore' });
  started.push(child);
  return child;
}
/** System calls, one after the other, that leave the other processors' time to the connection. */
const manyCalls = (): ChildProcess => makeLoad('nice', '-n', '19', 'dd', 'if=/dev/zero', 'of=/dev/null', 'bs=1');

interface InfoDocument {
  recording: { uname: string; longBytes: number };
  streams: { events: number; lost: number; cpus: { cpu: number; events: number }[] }[];
  tasks: { pid: number; comm: string }[];
  cgroups: { ino: string; path: string }[];
  warnings: unknown[];
}
function info(path: string): InfoDocument {
  return JSON.parse(remora(['info', '--json', '--no-cache', path]).stdout) as InfoDocument;
}

describe.skipIf(reason !== null)(`capture over ssh (${reason ?? 'has an sshd of its own'})`, () => {
  const shells = [
    ['a shell', 'here'],
    ['a login that prints something first, and bash', 'noisy'],
    ['nothing but busybox', 'busybox'],
  ] as const;

  test.each(shells)('under load no event is lost between the kernel and the recording: %s', (_name, host) => {
    if (host === 'busybox' && busybox === null) return;
    manyCalls();
    const recorded = record('-H', host, '-e', 'raw_syscalls', '-b', '131072', '--duration', '1', '-o', out());
    expect(recorded).toMatchObject({ host, reason: 'duration', lost: 0, notes: [] });
    expect(recorded.events).toBeGreaterThan(10_000);
    const { streams, warnings, recording } = info(out());
    expect(warnings).toEqual([]);
    // What the kernel says was read of each CPU is what each CPU has.
    expect(recorded.cpus.reduce((sum, { events }) => sum + events, 0)).toBe(recorded.events);
    expect(streams[0]).toMatchObject({ events: recorded.events, lost: 0 });
    expect(recording.uname).toBe(
      `Linux ${hostname()} ${release()} ${process.arch === 'x64' ? 'x86_64' : process.arch}`,
    );
    if (!hasTraceCmd) return;
    expect(statistics(out(), 'read events')).toEqual(recorded.cpus.map(({ events }) => events));
    // Nothing was left in the buffers, and nothing was lost on the way.
    for (const name of ['entries', 'overrun', 'commit overrun', 'dropped events'])
      expect(statistics(out(), name)).toEqual(recorded.cpus.map(() => 0));
  });

  test('what the kernel lost is counted', () => {
    manyCalls();
    const { status, stdout } = remora([
      'record',
      '--json',
      '--quiet',
      '-H',
      'here',
      '-e',
      'raw_syscalls',
      '-b',
      '16',
      '--duration',
      '1',
      '-o',
      out(),
    ]);
    const recorded = JSON.parse(stdout) as RecordDocument;
    expect(status).toBe(3);
    expect(recorded.lost).toBeGreaterThan(0);
    expect(info(out()).streams[0]).toMatchObject({ events: recorded.events });
  });

  test.skipIf(!hasTraceCmd)('trace-cmd reads the same events (needs trace-cmd)', () => {
    const recorded = record('-H', 'here', '-e', 'sched', '-o', out(), '--', 'sh', '-c', 'ls -R /proc/self >/dev/null');
    expect(recorded.events).toBeGreaterThan(10);
    const report = spawnSync('trace-cmd', ['report', out()], { encoding: 'latin1', maxBuffer: 1 << 30 });
    expect(report.stdout.split('\n').filter((line) => /^ .*: /.test(line))).toHaveLength(recorded.events);
    expect(report.stderr.replace(/.*libtraceevent.*\n/g, '')).toBe('');
  });

  test('clock, CPUs, filter, process and counters are as on this machine', () => {
    const shell = makeLoad('sh', '-c', 'while :; do cat /dev/null; done');
    const args = ['-C', 'mono', '--cpus', '0', '--counters=200', '--pid', String(shell.pid)];
    const filter = ['-e', 'sched:sched_process_fork', '-e', 'raw_syscalls:sys_enter', '-F', 'id >= 0'];
    record('-H', 'here', ...args, ...filter, '--duration', '2', '-o', out());
    const { tasks, cgroups } = info(out());
    expect(tasks.map(({ comm }) => comm)).toContain('cat');
    expect(tasks.map(({ comm }) => comm)).not.toContain('sshd');
    expect(cgroups.length).toBeGreaterThan(0);
    const { stdout } = remora(['report', '--quiet', out()]);
    const lines = stdout.split('\n').filter((line) => line.includes(']'));
    expect(lines.filter((line) => !/\[000\]/.test(line))).toEqual([]);
  });

  test.each([
    [
      'a key that is not let in',
      'refused',
      /^remora: refused: no shell could be reached: .*Permission denied \(publickey\)/,
    ],
    ['a port where nobody listens', 'closed', /^remora: closed: no shell could be reached: .*Connection refused/],
    ['a host that is not there', 'no-such-host.invalid', /^remora: no-such-host.invalid: .*Could not resolve hostname/],
    ['a user without a shell', 'nologin', /^remora: nologin: no shell could be reached: .*not available/],
    [
      'a user without rights',
      'nobody',
      /^remora: nobody: no permission to trace: .* connect as root, or as one who may use sudo/,
    ],
    ['a kernel without tracing', 'untraced', /^remora: untraced: this kernel was built without tracing/],
  ])('%s: one line, nothing written', (_name, host, message) => {
    const { status, stderr } = remora(['record', '-H', host, '-e', 'sched', '-o', out()]);
    expect(stderr).toMatch(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(status).toBe(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.each([
    ['an event', ['-e', 'sched:sched_swich'], 'did you mean sched:sched_switch?'],
    ['a clock', ['-e', 'sched', '-C', 'sundial'], 'has no clock sundial'],
    ['a process', ['-e', 'sched', '--pid', '99999999'], 'no process 99999999'],
    ['a filter', ['-e', 'sched:sched_switch', '-F', 'prev_prio < && 3'], 'the kernel refuses the filter'],
    ['a cgroup', ['-e', 'sched', '--cgroup', "/no 'such' folder"], 'is no cgroup'],
  ])('%s that is not there or not right is said, nothing written', (_name, args, message) => {
    const { status, stderr } = remora(['record', '-H', 'here', ...args, '-o', out()]);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain(message);
    expect(readdirSync(folder)).toEqual([]);
  });

  test.skipIf(!hasSudo)('who may use sudo there without a password captures with it, and is told (needs sudo)', () => {
    const { status, stderr } = remora(['record', '-H', 'sudoer', '-e', 'sched', '--duration', '1', '-o', out()]);
    expect(stderr).toContain('the capture runs as root, by sudo on sudoer');
    expect(status).toBe(0);
    expect(info(out()).streams[0]?.events).toBeGreaterThan(0);
  });

  test('events, and instances that were left behind there, are listed; the latter removed on request', () => {
    const stale = join(tracefs as string, 'instances', 'remora-4194303-17');
    mkdirSync(stale);
    try {
      expect(remora(['record', '-H', 'here', '--list']).stdout).toContain('sched:sched_switch\n');
      expect(remora(['record', '-H', 'here', '--stale']).stdout).toContain('remora-4194303-17\n');
      expect(remora(['record', '-H', 'here', '--clean']).stdout).toContain('removed remora-4194303-17\n');
      expect(existsSync(stale)).toBe(false);
    } finally {
      if (existsSync(stale)) rmdirSync(stale);
    }
  });

  test('more sub-buffers than there are: a dd that need not wait comes back with those', async () => {
    const path = process.env.PATH;
    process.env.PATH = sshd.env.PATH;
    const connection = await ShellConnection.open('here').finally(() => {
      process.env.PATH = path;
    });
    const instance = join(tracefs as string, `instances/remora-${connection.shell.pid}-1`);
    try {
      expect((await connection.make(instance)).status).toBe(0);
      if (!connection.shell.nonblocking) return;
      await connection.put(join(instance, 'trace_marker'), 'one');
      const cpus = readdirSync(join(instance, 'per_cpu'));
      const read = await Promise.all(
        cpus.map((cpu) => connection.raw(join(instance, 'per_cpu', cpu, 'trace_pipe_raw'), 4096, 3)),
      );
      for (const bytes of read) expect(bytes.length % 4096).toBe(0);
      const filled = read.map((bytes) => withoutEmpty(bytes, 4096));
      expect(Buffer.concat(filled)).toHaveLength(4096);
      expect(Buffer.concat(filled).includes('one')).toBe(true);
      expect((await connection.drop(instance)).status).toBe(0);
    } finally {
      await connection.close();
    }
  });

  test('two at once do not meet, nor whoever else traces', async () => {
    const other = join(tracefs as string, 'instances', `other-${process.pid}`);
    mkdirSync(other);
    try {
      writeFileSync(join(other, 'events/sched/sched_switch/enable'), '1');
      const both = ['a.dat', 'b.dat'].map((name) =>
        start('--quiet', '-H', 'here', '-e', 'sched:sched_switch', '--duration', '2', '-o', out(name)),
      );
      for (const { ended } of both) expect((await ended).code).toBe(0);
      for (const name of ['a.dat', 'b.dat']) expect(info(out(name)).streams[0]?.events).toBeGreaterThan(0);
      expect(readFileSync(join(other, 'tracing_on'), 'utf8').trim()).toBe('1');
    } finally {
      rmdirSync(other);
    }
  });

  test.each([
    ['ssh here', 'here', ([, ssh]: Chain) => ssh],
    ['ssh here, with busybox there', 'busybox', ([, ssh]: Chain) => ssh],
    ['the capture process here', 'here', ([capture]: Chain) => capture],
    ['the shell there', 'here', ([, , shell]: Chain) => shell],
  ] as const)(
    'kill -9 of %s: the instance goes, the recording opens',
    async (name, host, whom) => {
      if (host === 'busybox' && busybox === null) return;
      manyCalls();
      const { child, ended } = start('-H', host, '-e', 'raw_syscalls', '-o', out());
      const chain = await chainOf(child, out());
      process.kill(whom(chain), 'SIGKILL');
      const { code, stderr } = await ended;
      expect(code).toBe(1);
      expect(stderr).toContain(
        name.startsWith('the capture') ? 'ended unexpectedly' : `the connection to ${host} was lost`,
      );
      // The watchdog there looks every 15 s whether the shell is still there.
      await expect.poll(newInstances, { timeout: 40_000 }).toEqual([]);
      remora(['record', '--recover', out()]);
      expect(remora(['check', out()]).status).toBe(0);
      expect(existsSync(`${out()}.live`)).toBe(false);
    },
    90_000,
  );

  test('the engine shows it live, and its machine’s events', async () => {
    const env = { ...environment(), REMORA_CACHE: join(folder, 'cache') };
    const host = new EngineHost({ entry: join(projectRoot, 'dist/engine.js'), env });
    try {
      const seat = host.join((message: FromEngine) => engine.receive(message));
      const engine = new EngineClient((message) => seat.send(message));
      const options = await engine.call('captureOptions', { host: 'here' });
      expect(options.problem).toBeNull();
      expect(options.systems.find(({ name }) => name === 'sched')?.events).toContain('sched_switch');
      const refused = await engine.call('captureOptions', { host: 'refused' });
      expect(refused.problem?.message).toContain('Permission denied');
      const settings = { host: 'here', path: out(), events: [{ pattern: 'sched' }] };
      const estimate = await engine.call('estimateCapture', { settings });
      expect(estimate.eventsPerSecond).toBeGreaterThan(0);
      const capture = await engine.call('startCapture', { settings });
      expect(capture).toMatchObject({ host: 'here' });
      const seen = new Promise<number>((resolve) => {
        const onProgress = ({ capture: news }: { capture?: { growth: { events: number } | null } }): void => {
          if (news?.growth && news.growth.events > 0) resolve(news.growth.events);
        };
        engine.call('watchCapture', { captureId: capture.captureId }, { onProgress }).catch(() => {});
      });
      expect(await seen).toBeGreaterThan(0);
      const end = await engine.call('stopCapture', { captureId: capture.captureId });
      expect(end).toMatchObject({ good: true, notes: [] });
      const opened = await engine.call('open', { paths: [out()] });
      expect(opened.events).toBe(end.gauges?.events);
    } finally {
      await host.close();
    }
  });
});

/** Pids of the capture process, its ssh, and the shell at the other end. */
type Chain = readonly [capture: number, ssh: number, shell: number];

/** Once there is something in the recording. */
async function chainOf(child: ChildProcess, path: string): Promise<Chain> {
  const grown = (): boolean => existsSync(path) && info(path).streams[0]?.events !== 0;
  await expect.poll(grown, { timeout: 30_000 }).toBe(true);
  const [capture] = childrenOf(child.pid as number) as [number];
  const [ssh] = childrenOf(capture) as [number];
  const [instance] = newInstances() as [string];
  return [capture, ssh, Number(instance.split('-')[1])];
}

/** Of each CPU, a line of the kernel's statistics at the end, as the recording keeps them. */
function statistics(path: string, name: string): number[] {
  const { stdout } = spawnSync('trace-cmd', ['report', '--stat', path], { encoding: 'latin1' });
  const perCpu = stdout.split(/^CPU: \d+\n(?=entries)/m).slice(1);
  return perCpu.map((text) => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(text)?.[1]));
}
