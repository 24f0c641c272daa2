// Times Remora beside its peers on the same large recordings in the same run, and prints machine, inputs, ratios and how
// each figure that the project means to reach stands:
//   npm run bench                         5 and 20 million events, plain and compressed, 3 runs
//   npm run bench -- --events 5 --runs 5
//   npm run bench -- --input any.dat      another recording to repeat: version 6, or what trace-cmd can convert to it
//   npm run bench -- --no-window          without the window's frames, which need a browser
//   npm run bench -- --live --seconds 20  live capture instead: loss, cost, and how soon the window shows what happens
//   npm run bench -- --live --long 300    what hundreds of millions of events leave in the engine's memory, and so an hour would
// Peers that are not installed are left out by name. Everything is made in a temporary folder and removed.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { cpus, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { EngineFigures } from './engine-figures.ts';
import { type Figure, figure, figureLines, percentile } from './figures.ts';
import { measureWindow, type WindowFigures, windowTable } from './frames.ts';
import { measureLive } from './live.ts';
import { GIVE_BACK } from './long.ts';
import { type Measured, measure, median } from './measure.ts';
import {
  type BenchRecording,
  baseRecording,
  cli,
  compressed,
  countEvents,
  hasTraceCmd,
  indexesIn,
  kshark,
  largeRecording,
} from './recordings.ts';

const { values: options } = parseArgs({
  allowNegative: true,
  options: {
    events: { type: 'string', default: '5,20' },
    runs: { type: 'string', default: '3' },
    input: { type: 'string' },
    window: { type: 'boolean', default: true },
    live: { type: 'boolean', default: false },
    seconds: { type: 'string', default: '10' },
    long: { type: 'string' },
  },
});
const sizes = options.events.split(',').map(Number);
const runs = Number(options.runs);
const say = (text = ''): void => console.log(text);

function refuse(why: string): never {
  console.error(why);
  process.exit(1);
}
if (!existsSync(cli)) refuse('dist/cli.js is not there: npm run build');
if (!(sizes.every((millions) => millions > 0) && runs > 0)) refuse('--events (millions) and --runs must be positive');
if (options.long !== undefined && !Object.keys(GIVE_BACK).every((name) => name in process.env)) {
  const env = { ...process.env, ...GIVE_BACK };
  process.exit(spawnSync(process.execPath, process.argv.slice(1), { env, stdio: 'inherit' }).status ?? 1);
}
if (options.live) {
  say(
    `machine   ${cpus().length} x ${cpus()[0]?.model}, ${(totalmem() / 2 ** 30).toFixed(0)} GiB, node ${process.versions.node}`,
  );
  const long = options.long === undefined ? null : Number(options.long) * 1e6;
  const lines = await measureLive(Number(options.seconds), long);
  if (lines === null) refuse('live capture needs a tracefs that may be written to: run as root');
  for (const line of lines) say(line);
  process.exit(0);
}

const folder = mkdtempSync(join(tmpdir(), 'remora-bench-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(130));

const caches = { fresh: join(folder, 'fresh'), kept: join(folder, 'kept') };
const envOf = (cache: string): NodeJS.ProcessEnv => ({ ...process.env, REMORA_CACHE: cache });
const FIRST = 'remora info, first time';
const REOPENED = 'remora info, reopened';
const REPORT = 'trace-cmd report';
const KSHARK = 'libkshark load';
const loader = kshark(folder);
const traceCmd = hasTraceCmd();

type Results = Map<string, Measured[]>;
const middle = (results: Results, name: string): number =>
  median((results.get(name) ?? []).map(({ seconds }) => seconds));
const times = (results: Results, name: string): number => middle(results, name) / middle(results, FIRST);

/** All contenders take turns, so that a slow moment of the machine meets each of them. */
async function race({ path }: BenchRecording): Promise<Results> {
  const remora = (args: string[], cache: string): Promise<Measured> =>
    measure(process.execPath, [cli, ...args, '--quiet'], envOf(cache), false);
  const contenders: Record<string, () => Promise<Measured>> = {
    [FIRST]: () => {
      // The code that is cached beside the indexes stays: everybody's second start has it.
      for (const name of existsSync(caches.fresh) ? indexesIn(caches.fresh) : []) rmSync(name);
      return remora(['info', path], caches.fresh);
    },
    [REOPENED]: () => remora(['info', path], caches.kept),
  };
  if (traceCmd) contenders[REPORT] = () => measure('trace-cmd', ['report', path], process.env, false);
  if (loader !== null) contenders[KSHARK] = () => measure(loader, [path], process.env, true);
  const results: Results = new Map(Object.keys(contenders).map((name) => [name, []]));
  for (let run = 0; run < runs; run++) {
    for (const [name, once] of Object.entries(contenders)) {
      // One run of a minute's work is told apart from a second's.
      if (run > 0 && middle(results, name) > 20) continue;
      results.get(name)?.push(await once());
    }
  }
  return results;
}

function tellRace(recording: BenchRecording, results: Results): void {
  const head = ['wall s', 'min', 'M events/s', 'CPU s', 'peak MiB', 'wall'];
  say();
  say(`median of ${runs}`.padEnd(26) + head.map((title) => title.padStart(11)).join(''));
  for (const [name, all] of results) {
    const wall = middle(results, name);
    const cells = [
      wall.toFixed(3),
      Math.min(...all.map(({ seconds }) => seconds)).toFixed(3),
      (recording.events / wall / 1e6).toFixed(2),
      median(all.map(({ cpuSeconds }) => cpuSeconds)).toFixed(3),
      peakMiB(results, name).toFixed(0),
      `${times(results, name).toFixed(2)}x`,
    ];
    say(name.padEnd(26) + cells.map((cell) => cell.padStart(11)).join(''));
  }
}

const peakMiB = (results: Results, name: string): number =>
  Math.max(...(results.get(name) ?? []).map(({ peakBytes }) => peakBytes)) / 2 ** 20;

const missing = (name: string): string =>
  name === REPORT ? 'trace-cmd is not installed' : 'libkshark-dev and gcc are not installed';
const ratio = (what: string, least: number, results: Results, peer: string): Figure => {
  const cpu = (name: string): number => median((results.get(name) ?? []).map(({ cpuSeconds }) => cpuSeconds));
  const value = results.has(peer) ? times(results, peer) : Number.NaN;
  return figure(
    what,
    { least },
    value,
    'times faster',
    results.has(peer) ? `CPU time ${(cpu(peer) / cpu(FIRST)).toFixed(1)}x` : missing(peer),
  );
};

function ofAnswers(answers: EngineFigures, millions: number): Figure[] {
  const rate = (events: number, ms: number): number => events / ms / 1000;
  const size = `${millions} M events`;
  return [
    figure(`lane window, ${size}, p95`, { most: 30 }, percentile(answers.lanesMs, 0.95), 'ms'),
    figure(`series window, ${size}, p95`, { most: 30 }, percentile(answers.seriesMs, 0.95), 'ms'),
    figure(
      `first use of a field, ${size}`,
      { most: 1.5 },
      answers.wholeFieldMs / 1000,
      's',
      `${answers.field}: ${(answers.fieldEvents / 1e6).toFixed(1)} M values, a first look after ${(answers.firstFieldMs / 1000).toFixed(2)} s`,
    ),
    figure(
      `filter scan, over all events`,
      { least: 50 },
      rate(answers.events, answers.filterMs),
      'M events/s',
      answers.filter,
    ),
    figure(
      `filter scan, of decoded events`,
      { least: 5 },
      rate(answers.fieldEvents, answers.decodingFilterMs),
      'M events/s',
      answers.decodingFilter,
    ),
    figure(
      `text search`,
      { least: 1 },
      rate(answers.events, answers.searchMs),
      'M events/s',
      `first answer after ${answers.firstHitMs.toFixed(0)} ms`,
    ),
    figure(`row n of the list, p95`, { most: 30 }, percentile(answers.rowsMs, 0.95), 'ms'),
    figure(`row n of the filtered list, p95`, { most: 30 }, percentile(answers.filteredRowsMs, 0.95), 'ms'),
    figure(`SQL over one event type`, { least: 1 }, rate(answers.fieldEvents, answers.sqlMs), 'M rows/s', answers.sql),
    figure(`workspace`, { most: 25 }, answers.workspaceBytes / answers.events, 'bytes an event'),
  ];
}

function ofWindow({ firstPaintMs, work }: WindowFigures, millions: number): Figure[] {
  return [
    figure(`first paint, ${millions} M events`, { most: 0.5 }, median(firstPaintMs) / 1000, 's'),
    figure(
      `zoom and pan, ${millions} M events, worst p95`,
      { most: 20 },
      Math.max(...work.map(({ p95Ms }) => p95Ms)),
      'ms of work a frame',
    ),
  ];
}

/** How much faster than its peers, by size and format. */
const aims = (millions: number, packed: boolean): { kshark: number; report: number } => {
  if (packed) return { kshark: millions >= 20 ? 30 : 10, report: Number.NaN };
  return { kshark: millions >= 20 ? 10 : 4, report: 80 };
};

say(
  `machine   ${cpus()[0]?.model ?? 'unknown CPU'}, ${cpus().length} cores, ${(totalmem() / 2 ** 30).toFixed(1)} GiB, ${process.platform} ${process.arch}, node ${process.version}`,
);
if (!traceCmd) say(`left out  ${REPORT}, compressed recordings: ${missing(REPORT)}`);
if (loader === null) say(`left out  ${KSHARK}: ${missing(KSHARK)}`);
const figures: Figure[] = [];
const peaks: { millions: number; mib: number }[] = [];
let base: string;
try {
  base = baseRecording(folder, options.input);
} catch (error) {
  refuse(error instanceof Error ? error.message : String(error));
}
// Nobody's first start on a machine is what this is about: code is cached with the second.
for (let start = 0; start < 2; start++) await countEvents(base, caches.fresh);
for (const millions of sizes) {
  const plain = await largeRecording(base, millions * 1e6, join(folder, `${millions}M.dat`), caches.kept);
  for (const packed of [false, true]) {
    const recording = packed ? compressed(plain, join(folder, `${millions}M-zstd.dat`)) : plain;
    if (recording === null) {
      say(`left out  ${millions} M events, zstd: trace-cmd cannot write it`);
      continue;
    }
    const name = `${millions} M events${packed ? ', zstd' : ''}`;
    say();
    say(
      `input     ${name}: ${(recording.events / 1e6).toFixed(2)} M events, ${(recording.bytes / 1e6).toFixed(0)} MB, in the page cache`,
    );
    if (packed) await measure(process.execPath, [cli, 'info', recording.path, '--quiet'], envOf(caches.kept), false);
    const results = await race(recording);
    tellRace(recording, results);
    const aim = aims(millions, packed);
    figures.push(ratio(`info, ${name}, against ${KSHARK}`, aim.kshark, results, KSHARK));
    if (!Number.isNaN(aim.report)) figures.push(ratio(`info, ${name}, against ${REPORT}`, aim.report, results, REPORT));
    figures.push(figure(`peak memory while indexing, ${name}`, { most: 400 }, peakMiB(results, FIRST), 'MiB'));
    figures.push(figure(`reopening, ${name}`, { most: 0.3 }, middle(results, REOPENED), 's'));
    if (!packed) peaks.push({ millions, mib: peakMiB(results, FIRST) });
    if (packed) rmSync(recording.path);
  }
  const answers = JSON.parse(
    (
      await measure(
        process.execPath,
        [join(import.meta.dirname, 'engine-figures.ts'), plain.path],
        envOf(caches.kept),
        true,
      )
    ).stdout,
  ) as EngineFigures;
  figures.push(...ofAnswers(answers, millions));
  if (options.window) {
    const window = await measureWindow(plain.path, caches.kept, runs);
    say();
    if (window === null) say('left out  the window: no browser is installed');
    else {
      for (const line of windowTable(window)) say(line);
      figures.push(...ofWindow(window, millions));
    }
  }
  rmSync(plain.path);
}
const [small, large] = [peaks[0], peaks.at(-1)];
if (small !== undefined && large !== undefined && small !== large) {
  const growth = large.mib / small.mib;
  figures.push(figure(`peak memory, ${large.millions} M against ${small.millions} M`, { most: 1.5 }, growth, 'times'));
}
say();
for (const line of figureLines(figures)) say(line);
