// Times Remora beside its peers on the same large recording in the same run, and prints machine, input and ratios:
//   npm run bench                         5 million events, 3 runs
//   npm run bench -- --events 20 --runs 5
//   npm run bench -- --input any-v6.dat   another version-6 recording to repeat
//   npm run bench -- --no-window          without the window's frames, which need a browser
//   npm run bench -- --live --seconds 20  live capture instead: loss, cost, and how soon the window shows what happens
// Peers that are not installed are left out by name. Everything is made in a temporary folder and removed.
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { measureWindow, windowTable } from './frames.ts';
import { measureLive } from './live.ts';
import { type Measured, measure, median } from './measure.ts';

const root = resolve(import.meta.dirname, '../..');
const shared = resolve(root, '../shared');
const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    events: { type: 'string', default: '5' },
    runs: { type: 'string', default: '3' },
    input: { type: 'string', default: join(shared, 'corpus/host-v6.dat') },
    window: { type: 'boolean', default: true },
    live: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
  },
});
const wantedEvents = Number(options.events) * 1e6;
const runs = Number(options.runs);
const amplify = join(shared, 'tools/amplify.mjs');
const cli = join(root, 'dist/cli.js');
const say = (text = ''): void => console.log(text);

function refuse(why: string): never {
  console.error(why);
  process.exit(1);
}
if (!existsSync(cli)) refuse('dist/cli.js is not there: npm run build');
if (options.live) {
  say(
    `machine   ${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, node ${process.versions.node}`,
  );
  const lines = await measureLive(Number(options.seconds));
  if (lines === null) refuse('live capture needs a tracefs that may be written to: run as root');
  for (const line of lines) say(line);
  process.exit(0);
}
if (!existsSync(options.input)) refuse(`${options.input} is not there: name a version-6 recording with --input`);
if (!existsSync(amplify)) refuse(`${amplify} is not there`);
if (!(wantedEvents > 0 && runs > 0)) refuse('--events (millions) and --runs must be positive');

const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

const FIRST = 'remora info, first time';

interface Contender {
  name: string;
  run: () => Promise<Measured>;
}

const folder = mkdtempSync(join(tmpdir(), 'remora-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

/** Events in a recording, by Remora itself: the peers' counts are compared with it below. */
async function countEvents(path: string, env: NodeJS.ProcessEnv): Promise<number> {
  const { stdout } = await measure(process.execPath, [cli, 'info', path, '--json', '--quiet'], env, true);
  const { streams } = JSON.parse(stdout) as { streams: { events: number }[] };
  return streams.reduce((sum, { events }) => sum + events, 0);
}

const caches = { fresh: join(folder, 'fresh'), kept: join(folder, 'kept') };
const envOf = (cache: string): NodeJS.ProcessEnv => ({ ...process.env, REMORA_CACHE: cache });

async function makeInput(): Promise<{ path: string; events: number; bytes: number }> {
  const small = join(folder, basename(options.input));
  cpSync(options.input, small);
  const factor = Math.max(1, Math.round(wantedEvents / (await countEvents(small, envOf(join(folder, 'small'))))));
  const path = join(folder, 'large.dat');
  if (!works(process.execPath, amplify, small, String(factor), path)) refuse('amplify.mjs failed');
  // Reads it into the page cache once, and fills the cache that "reopen" finds.
  const events = await countEvents(path, envOf(caches.kept));
  say(
    `input     ${basename(options.input)} x ${factor}: ${(events / 1e6).toFixed(2)} M events, ${(statSync(path).size / 1e6).toFixed(0)} MB, in the page cache`,
  );
  return { path, events, bytes: statSync(path).size };
}

/** KernelShark's loader, compiled here where its headers are. */
function kshark(): string | null {
  const source = join(shared, 'tools/kshark-load.c');
  const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'libkshark'], { encoding: 'utf8' });
  if (!existsSync(source) || flags.status !== 0) return null;
  const binary = join(folder, 'kshark-load');
  return works('gcc', '-O2', '-o', binary, source, ...flags.stdout.trim().split(/\s+/)) ? binary : null;
}

function contenders(path: string): Contender[] {
  const remora = (args: string[], cache: string): Promise<Measured> =>
    measure(process.execPath, [cli, ...args, '--quiet'], envOf(cache), false);
  const list: Contender[] = [
    {
      name: FIRST,
      run: () => {
        rmSync(caches.fresh, { recursive: true, force: true });
        return remora(['info', path], caches.fresh);
      },
    },
    { name: 'remora info, reopened', run: () => remora(['info', path], caches.kept) },
    { name: 'remora report', run: () => remora(['report', path], caches.kept) },
  ];
  if (works('which', 'trace-cmd')) {
    list.push({ name: 'trace-cmd report', run: () => measure('trace-cmd', ['report', path], process.env, false) });
  } else say('left out  trace-cmd report: trace-cmd is not installed');
  const loader = kshark();
  if (loader !== null) list.push({ name: 'libkshark load', run: () => measure(loader, [path], process.env, true) });
  else say('left out  libkshark load: libkshark-dev and gcc are not installed');
  return list;
}

say(
  `machine   ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${process.platform} ${process.arch}, node ${process.version}`,
);
const input = await makeInput();
const list = contenders(input.path);
const results = new Map<string, Measured[]>(list.map(({ name }) => [name, []]));
// All contenders take turns, so that a slow moment of the machine meets each of them.
for (let run = 0; run < runs; run++) for (const { name, run: once } of list) results.get(name)?.push(await once());

const middle = (name: string, of: (measured: Measured) => number): number => median((results.get(name) ?? []).map(of));
const first = { wall: middle(FIRST, ({ seconds }) => seconds), cpu: middle(FIRST, ({ cpuSeconds }) => cpuSeconds) };
const head = ['wall s', 'min', 'M events/s', 'CPU s', 'peak MiB', 'wall', 'CPU'];
say();
say(`median of ${runs}`.padEnd(26) + head.map((title) => title.padStart(11)).join(''));
for (const [name, all] of results) {
  const wall = middle(name, ({ seconds }) => seconds);
  const cpu = middle(name, ({ cpuSeconds }) => cpuSeconds);
  const peak = Math.max(...all.map(({ peakBytes }) => peakBytes)) / 2 ** 20;
  const cells = [
    wall.toFixed(3),
    Math.min(...all.map(({ seconds }) => seconds)).toFixed(3),
    (input.events / wall / 1e6).toFixed(2),
    cpu.toFixed(3),
    Number.isNaN(peak) ? '-' : peak.toFixed(0),
    `${(wall / first.wall).toFixed(2)}x`,
    `${(cpu / first.cpu).toFixed(2)}x`,
  ];
  say(name.padEnd(26) + cells.map((cell) => cell.padStart(11)).join(''));
}
say();
say(
  "The last two columns: times Remora's first opening (whole process, index written). Memory: the process and its children.",
);

if (options.window) {
  say();
  const window = await measureWindow(input.path, caches.kept, runs);
  if (window === null) say('left out  the window: no browser is installed');
  else for (const line of windowTable(window)) say(line);
}
