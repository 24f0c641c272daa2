// Damages small recordings of every kind and looks whether Remora survives them:
//   npm run fuzz                                  100,000 inputs of all targets
//   npm run fuzz -- --runs 1000000 --seed 7
//   npm run fuzz -- --target format               recording, ring, format, text or raw alone
//   npm run fuzz -- --seed 7 --only 4711          that one input again, as it was
// A finding's input is written to --out (default: a folder of the system's temporary one); small ones belong into
// test/fixtures/fuzz, where the tests run them for ever. Exit 1 where something was found.
import { mkdirSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import { inputOf } from './inputs.ts';
import { finding, targets } from './targets.ts';

interface Run {
  runs: number;
  seed: number;
  target: string | undefined;
  only: number | undefined;
  out: string;
  /** The number of the input at work, for who watches over it. */
  progress: SharedArrayBuffer;
}

const MOST_FINDINGS = 50;
const MOST_SECONDS = 20;
const SLOW_MS = 2000;
const MOST_ARRAY_BYTES = 192 << 20;

if (isMainThread) await watch();
else work(workerData as Run);

/** Runs the inputs in a thread and ends it where one input does not end. */
async function watch(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runs: { type: 'string', default: '100000' },
      seed: { type: 'string', default: '1' },
      target: { type: 'string' },
      only: { type: 'string' },
      out: { type: 'string', default: join(tmpdir(), 'remora-fuzz-findings') },
    },
  });
  if (values.target !== undefined && !(values.target in targets)) {
    console.error(`no target ${values.target}: ${Object.keys(targets).join(', ')}`);
    process.exit(2);
  }
  const run: Run = {
    runs: Number(values.runs),
    seed: Number(values.seed),
    target: values.target,
    only: values.only === undefined ? undefined : Number(values.only),
    out: values.out,
    progress: new SharedArrayBuffer(4),
  };
  const index = new Int32Array(run.progress);
  const worker = new Worker(new URL(import.meta.url), {
    workerData: run,
    resourceLimits: { maxOldGenerationSizeMb: 1024 },
  });
  let last = -1;
  let since = Date.now();
  const timer = setInterval(() => {
    const now = Atomics.load(index, 0);
    if (now !== last) {
      last = now;
      since = Date.now();
    } else if (Date.now() - since > MOST_SECONDS * 1000) {
      keep(run, last, 'hang');
      console.error(`input ${last} does not end`);
      process.exit(1);
    }
  }, 1000);
  worker.once('error', (error) => {
    keep(run, Atomics.load(index, 0), 'fatal');
    console.error(`input ${Atomics.load(index, 0)}: ${error.message}`);
    process.exit(1);
  });
  worker.once('exit', (code) => {
    clearInterval(timer);
    process.exitCode = code;
  });
}

function keep(run: Run, index: number, why: string): string {
  const { name, bytes } = inputOf(run.seed, index, run.target);
  mkdirSync(run.out, { recursive: true });
  const path = join(run.out, `${name}-${run.seed}-${index}-${why}.bin`);
  writeFileSync(path, bytes);
  return path;
}

function work(run: Run): void {
  const index = new Int32Array(run.progress);
  const started = performance.now();
  const counts = new Map<string, number>();
  const seen = new Set<string>();
  let findings = 0;
  let slowest = 0;
  let before = process.memoryUsage().arrayBuffers;
  const [first, end] = run.only === undefined ? [0, run.runs] : [run.only, run.only + 1];
  for (let i = first; i < end; i++) {
    Atomics.store(index, 0, i);
    const { name, target, bytes } = inputOf(run.seed, i, run.target);
    counts.set(name, (counts.get(name) ?? 0) + 1);
    const from = performance.now();
    let found = finding(target, bytes);
    const took = performance.now() - from;
    slowest = Math.max(slowest, took);
    const { arrayBuffers } = process.memoryUsage();
    const grown = arrayBuffers - before;
    before = arrayBuffers;
    if (grown > MOST_ARRAY_BYTES) found ??= new Error(`${grown} bytes of arrays for ${bytes.length} bytes`);
    if (took > SLOW_MS) found ??= new Error(`${Math.round(took)} ms for ${bytes.length} bytes`);
    if (found !== null) {
      findings++;
      // One of a kind: by what was thrown and where.
      const kind = `${found.message.replaceAll(/\d+/g, 'N').slice(0, 80)} ${(found.stack ?? '').split('\n')[1]?.trim()}`;
      if (!seen.has(kind)) {
        seen.add(kind);
        console.log(`${name} input ${i}: ${found.stack}\n  kept: ${keep(run, i, 'finding')}`);
        if (seen.size >= MOST_FINDINGS) break;
      }
    }
    if ((i + 1) % 50_000 === 0) {
      const rate = Math.round(((i + 1 - first) / (performance.now() - started)) * 1000);
      console.log(`${i + 1} inputs, ${rate} a second, ${findings} findings, ${process.memoryUsage.rss() >> 20} MiB`);
    }
  }
  const seconds = (performance.now() - started) / 1000;
  const by = [...counts].map(([name, count]) => `${name} ${count}`).join(', ');
  console.log(`seed ${run.seed}: ${end - first} inputs (${by}) in ${seconds.toFixed(0)} s`);
  console.log(`slowest ${slowest.toFixed(0)} ms, ${findings} findings of ${seen.size} kinds`);
  process.exitCode = findings > 0 ? 1 : 0;
}
