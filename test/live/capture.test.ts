import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { removeStaleInstances, staleInstances } from '../../electron/live/instance.ts';
import { LocalMachine } from '../../electron/live/local-machine.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import { projectRoot, remora, remoraJson, temporaryCache } from '../cli.ts';

const tracefs = usableTracefs();
const machine = new LocalMachine();
const hasTraceCmd = spawnSync('trace-cmd', ['--version']).error === undefined;
const isRoot = process.getuid?.() === 0;
const sleep = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));

interface RecordDocument {
  path: string;
  events: number;
  lost: number;
  reason: string;
  notes: string[];
  cpus: { cpu: number; events: number; lost: number; bytes: number }[];
}
interface InfoDocument {
  streams: {
    events: number;
    lost: number;
    clock: string;
    eventTypes: { system: string; name: string; count: number }[];
  }[];
  tasks: { pid: number; comm: string; events: number }[];
  warnings: unknown[];
}

const cache = temporaryCache();
let folder: string;
let load: ChildProcess[] = [];
/** Instances of ours that were there before: another capture of this machine. */
let before: string[] = [];

afterAll(() => cache.remove());
beforeAll(() => {
  before = tracefs === null ? [] : ours();
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-live-'));
});
afterEach(async () => {
  for (const child of load) child.kill('SIGKILL');
  load = [];
  rmSync(folder, { recursive: true, force: true });
  if (tracefs === null) return;
  const left = ours().filter((name) => !before.includes(name));
  const stale = await staleInstances(machine, tracefs);
  await removeStaleInstances(machine, tracefs);
  expect(left.filter((name) => !stale.includes(name))).toEqual([]);
});

const out = (name = 'out.dat'): string => join(folder, name);
function record(...args: string[]): RecordDocument {
  const { status, stdout, stderr } = remora(['record', '--json', '--quiet', ...args], cache.env);
  if (status !== 0) throw new Error(`remora record ${args.join(' ')}: exit ${status}: ${stderr}`);
  return JSON.parse(stdout) as RecordDocument;
}
const info = (path: string): InfoDocument => remoraJson<InfoDocument>(['info', '--no-cache', path], cache.env);
/** Ring buffers for the load below that last while a busy machine runs something else for most of a second. */
const AMPLE = ['-b', '65536'];
/** As many system calls a second as one CPU makes. */
function makeLoad(): ChildProcess {
  const child = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
  load.push(child);
  return child;
}
const ours = (): string[] =>
  readdirSync(join(tracefs as string, 'instances')).filter(
    (name) => name.startsWith('remora-') && !isElsewhere(Number(name.split('-')[1])),
  );

/** Somebody else captures on this machine too, from another folder. */
function isElsewhere(pid: number): boolean {
  try {
    return realpathSync(`/proc/${pid}/cwd`) !== projectRoot;
  } catch {
    return false;
  }
}

/** Lines of `trace-cmd report` that are events. */
function reportLines(path: string): number {
  const { stdout } = spawnSync('trace-cmd', ['report', path], { encoding: 'latin1', maxBuffer: 1 << 30 });
  return stdout.split('\n').filter((line) => /^ .*: /.test(line)).length;
}

describe.skipIf(tracefs === null)('capture (needs a tracefs that may be written to)', () => {
  test('no event of a busy machine is lost between the kernel and the recording', () => {
    makeLoad();
    makeLoad();
    const recorded = record('-e', 'raw_syscalls', ...AMPLE, '--duration', '3', '-o', out());
    expect(recorded).toMatchObject({ reason: 'duration', lost: 0, notes: [] });
    expect(recorded.events).toBeGreaterThan(10_000);
    const { streams, warnings } = info(out());
    expect(streams[0]).toMatchObject({ events: recorded.events, lost: 0 });
    expect(warnings).toEqual([]);
    expect(ours()).toEqual(before);
    expect(readdirSync(folder).filter((name) => name.includes('.live') || name.startsWith('.'))).toEqual([]);
  });

  test('what the kernel lost is counted: in the report, and in the recording at its place', () => {
    makeLoad();
    const { status, stdout, stderr } = remora(
      ['record', '--json', '-e', 'raw_syscalls', '-b', '8', '--duration', '1', '-o', out()],
      cache.env,
    );
    const recorded = JSON.parse(stdout) as RecordDocument;
    expect(status).toBe(3);
    expect(recorded.lost).toBeGreaterThan(0);
    expect(stderr).toContain('the kernel lost');
    const [stream] = info(out()).streams;
    expect(stream?.events).toBe(recorded.events);
    expect(stream?.lost).toBeGreaterThan(0);
    // What was lost behind the last event has no event that could tell of it.
    expect(stream?.lost).toBeLessThanOrEqual(recorded.lost);
  });

  test.skipIf(!hasTraceCmd)('trace-cmd reads the same events (needs trace-cmd)', () => {
    const recorded = record(
      '-e',
      'sched:sched_switch',
      '-e',
      'raw_syscalls:sys_enter',
      '-o',
      out(),
      '--',
      'sh',
      '-c',
      'for i in 1 2 3 4 5 6; do ls / >/dev/null; done',
    );
    expect(recorded.events).toBeGreaterThan(100);
    expect(reportLines(out())).toBe(recorded.events);
    const { stderr } = spawnSync('trace-cmd', ['report', out()], { encoding: 'latin1', maxBuffer: 1 << 30 });
    expect(stderr.replace(/.*libtraceevent.*\n/g, '')).toBe('');
  });

  test('only the tasks that were asked for, and what they start', () => {
    const other = makeLoad();
    const shell = spawn('sh', ['-c', 'while :; do cat /dev/null; done'], { stdio: 'ignore' });
    load.push(shell);
    record('-e', 'raw_syscalls', '--pid', String(shell.pid), '--duration', '1', '-o', out());
    const { tasks } = info(out());
    const names = new Set(tasks.map(({ comm }) => comm));
    expect(names).toContain('sh');
    expect(names).toContain('cat');
    // By number: the kernel may still have an earlier task's name for one that has ended since.
    expect(tasks.map(({ pid }) => pid)).not.toContain(other.pid);
  });

  test("filters are the kernel's, and one that it refuses is shown with the place", () => {
    const dd = makeLoad();
    record('-e', 'raw_syscalls:sys_enter', '-F', `common_pid == ${dd.pid}`, ...AMPLE, '--duration', '0.5', '-o', out());
    expect(info(out()).tasks.map(({ pid }) => pid)).toEqual([dd.pid]);
    const refused = remora(
      ['record', '-e', 'sched:sched_switch', '-F', 'prev_prio < && 3', '-o', out('no.dat')],
      cache.env,
    );
    expect(refused.status).toBe(2);
    expect(refused.stderr).toMatch(
      /^prev_prio < && 3\n {13}\^\nremora: the kernel refuses the filter .* \(at character 14\)\n$/,
    );
    // What was said to the kernel in other words is underlined where it was typed.
    const translated = ['record', '-e', 'sched:sched_switch', '-F', 'task == dd && nobody = 3', '-o', out('no.dat')];
    expect(remora(translated, cache.env).stderr).toMatch(/^task == dd && nobody = 3\n {14}\^\n.*Field not found/);
    expect(existsSync(out('no.dat'))).toBe(false);
  });

  test.each([
    ['an event that is not there', ['-e', 'sched:sched_swich'], 'did you mean sched:sched_switch?'],
    ['a clock that is not there', ['-e', 'sched', '-C', 'sundial'], 'has no clock sundial'],
    ['a process that is not there', ['-e', 'sched', '--pid', '99999999'], 'no process 99999999'],
    ['no event at all', [], 'say what to record'],
  ])('%s: one line, nothing written', (_name, args, message) => {
    const { status, stderr } = remora(['record', ...args, '-o', out()], cache.env);
    expect(status).toBeGreaterThan(0);
    expect(stderr).toContain(message);
    expect(stderr.trim().split('\n')).toHaveLength(1);
    expect(readdirSync(folder)).toEqual([]);
  });

  test('counters are in the trace, each line with its source', () => {
    record('-e', 'sched:sched_process_fork', '--counters=100', '--duration', '0.6', '-o', out());
    const { stdout } = remora(['report', '--quiet', out()], cache.env);
    const samples = stdout.split('\n').filter((line) => line.includes('remora:counters vmstat '));
    // At least those of the beginning and the end, however busy the machine is.
    expect(samples.length).toBeGreaterThanOrEqual(2);
    for (const line of samples.filter((text) => text.includes('nr_free_pages')))
      expect(line).toMatch(/ nr_dirty=\d+( |$)/);
    expect(samples.some((line) => line.includes('nr_free_pages'))).toBe(true);
  });

  test('a flight recorder keeps the last of it', () => {
    makeLoad();
    const recorded = record('-e', 'raw_syscalls', ...AMPLE, '--keep', '2M', '--duration', '2', '-o', out());
    const kept = recorded.cpus.reduce((sum, { bytes }) => sum + bytes, 0);
    expect(kept).toBeLessThanOrEqual(2 << 20);
    const { streams, warnings } = info(out());
    expect(warnings).toEqual([]);
    expect(streams[0]?.events).toBeGreaterThan(1000);
    expect(streams[0]?.events).toBeLessThan(recorded.events);
  });

  const hotplug = '/sys/devices/system/cpu/cpu1/online';
  const mayUnplug = process.env.REMORA_HOTPLUG !== undefined && existsSync(hotplug);
  test.skipIf(!mayUnplug)('a CPU that goes and comes back (REMORA_HOTPLUG=1: takes one from the machine)', async () => {
    makeLoad();
    makeLoad();
    const args = ['dist/cli.js', 'record', '--json', '--quiet', '-e', 'raw_syscalls', ...AMPLE, '--duration', '4'];
    const child = spawn(process.execPath, [...args, '-o', out()], { cwd: projectRoot, env: cache.env });
    let said = '';
    child.stdout.on('data', (text: Buffer) => {
      said += String(text);
    });
    const ended = new Promise((done) => child.once('close', done));
    await expect.poll(() => existsSync(out())).toBe(true);
    try {
      writeFileSync(hotplug, '0');
      await sleep(500);
    } finally {
      writeFileSync(hotplug, '1');
    }
    expect(await ended).toBe(0);
    const recorded = JSON.parse(said) as RecordDocument;
    expect(recorded).toMatchObject({ reason: 'duration', lost: 0 });
    expect(info(out())).toMatchObject({ streams: [{ events: recorded.events, lost: 0 }], warnings: [] });
  });

  test('leaves other instances alone, also when two capture at once', async () => {
    const other = join(tracefs as string, 'instances', `other-${process.pid}`);
    mkdirSync(other);
    try {
      writeFileSync(join(other, 'events/sched/sched_switch/enable'), '1');
      const args = ['dist/cli.js', 'record', '--quiet', '--duration', '1', '-e', 'sched:sched_switch'];
      const both = ['a.dat', 'b.dat'].map((name) =>
        spawn(process.execPath, [...args, '-o', out(name)], { cwd: projectRoot, env: cache.env, stdio: 'ignore' }),
      );
      await Promise.all(both.map((child) => new Promise((done) => child.once('close', done))));
      for (const name of ['a.dat', 'b.dat']) expect(info(out(name)).streams[0]?.events).toBeGreaterThan(0);
      expect(readFileSync(join(other, 'events/sched/sched_switch/enable'), 'utf8').trim()).toMatch(/^1/);
      expect(readFileSync(join(other, 'tracing_on'), 'utf8').trim()).toBe('1');
    } finally {
      rmdirSync(other);
    }
  });

  test.skipIf(!isRoot)('a full disk ends it with all that was written (needs root)', () => {
    const disk = join(folder, 'disk');
    mkdirSync(disk);
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', disk]).status !== 0) return;
    try {
      makeLoad();
      const path = join(disk, 'out.dat');
      const { status, stdout, stderr } = remora(
        ['record', '--json', '-e', 'raw_syscalls', '-b', '8192', '--duration', '30', '-o', path],
        cache.env,
      );
      const recorded = JSON.parse(stdout) as RecordDocument;
      expect(status).toBe(1);
      expect(recorded.reason).toBe('disk-full');
      expect(stderr).toContain('is full');
      const [stream] = info(path).streams;
      expect(stream?.events).toBeGreaterThan(1000);
      expect(stream?.events).toBe(recorded.events);
    } finally {
      spawnSync('umount', [disk]);
    }
  });

  test.each(['the end of its input', 'SIGTERM', 'SIGINT', 'SIGHUP'] as const)(
    '%s completes the recording, and the capture process ends by itself',
    async (order) => {
      makeLoad();
      // Node says so on standard error where process.exit is called, which may wait for ever: see endProcess.
      const env = { ...cache.env, NODE_OPTIONS: '--trace-exit' };
      const child = spawn(process.execPath, ['dist/capture.js'], { cwd: projectRoot, env, stdio: 'pipe' });
      load.push(child);
      const said = { out: '', err: '' };
      child.stdout.setEncoding('utf8').on('data', (text: string) => {
        said.out += text;
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        said.err += text;
      });
      const closed = new Promise((done) => child.once('close', (code, signal) => done(code ?? signal)));
      const settings = { events: [{ pattern: 'raw_syscalls' }], path: out(), bufferKiB: 8192 };
      child.stdin.write(`${JSON.stringify({ do: 'capture', order: settings })}\n`);
      await expect.poll(() => /"type":"status".*"events":[1-9]/.test(said.out), { timeout: 20_000 }).toBe(true);
      if (order === 'the end of its input') child.stdin.end();
      else child.kill(order);
      expect([await closed, said.err]).toEqual([0, '']);
      const stopped = JSON.parse(said.out.trimEnd().split('\n').at(-1) as string);
      expect(stopped).toMatchObject({ type: 'stopped', notes: [] });
      expect(ours()).toEqual(before);
      expect(existsSync(`${out()}.live`)).toBe(false);
      const found = info(out());
      expect(found.warnings).toEqual([]);
      expect(found.streams[0]?.events).toBe(stopped.status.events);
    },
  );

  test('kill -9 at any moment leaves a recording that opens, and nothing in tracefs that is not listed', async () => {
    makeLoad();
    let withEvents = 0;
    for (let round = 0; round < 6; round++) {
      const path = out(`kill-${round}.dat`);
      const args = ['dist/cli.js', 'record', '--quiet', '-b', '8192', '-e', 'raw_syscalls', '-o', path];
      const child = spawn(process.execPath, args, { cwd: projectRoot, env: cache.env, stdio: 'ignore' });
      const closed = new Promise((done) => child.once('close', done));
      load.push(child);
      for (let wait = 0; wait < 200 && childrenOf(child.pid as number).length === 0; wait++) await sleep(50);
      await sleep(Math.random() * 300 + 150 * round);
      const captures = childrenOf(child.pid as number);
      // By turns: the capture, whose parent cleans up; the parent, whose end the capture notices; both, and nobody does.
      if (round % 3 !== 1) for (const pid of captures) kill(pid);
      if (round % 3 !== 0) child.kill('SIGKILL');
      await closed;
      for (let wait = 0; wait < 100 && captures.some((pid) => existsSync(`/proc/${pid}`)); wait++) await sleep(50);
      const left = ours().filter((name) => !before.includes(name));
      const stale = await staleInstances(machine, tracefs as string);
      expect(left.filter((name) => !stale.includes(name))).toEqual([]);
      await removeStaleInstances(machine, tracefs as string);
      expect(ours()).toEqual(before);
      if (!existsSync(path)) continue;
      const found = info(path);
      expect(found.warnings).toEqual([]);
      expect(remora(['record', '--recover', path], cache.env).status).toBe(0);
      expect(info(path).streams[0]?.events).toBe(found.streams[0]?.events);
      expect(existsSync(`${path}.live`)).toBe(false);
      if ((found.streams[0]?.events ?? 0) > 0) withEvents++;
    }
    expect(withEvents).toBeGreaterThan(1);
  }, 300_000);
});

function childrenOf(pid: number): number[] {
  try {
    const text = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return text.split(' ').filter(Boolean).map(Number);
  } catch {
    return [];
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It ended by itself.
  }
}
