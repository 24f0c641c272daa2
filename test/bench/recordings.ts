import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { measure } from './measure.ts';

/** Large recordings for the bench: a small one of the corpus, its data repeated by `../shared/tools/amplify.mjs`. */

const root = resolve(import.meta.dirname, '../..');
const shared = resolve(root, '../shared');
export const cli = join(root, 'dist/cli.js');
const amplify = join(shared, 'tools/amplify.mjs');

/** Throttling, switches, block I/O and reclaim; 52 bytes an event. In the default format, so it takes trace-cmd to convert. */
const throttling = join(shared, 'corpus/host-throttle-v1-slim.dat');
/** What is there without trace-cmd: version 6 as it was recorded; 90 bytes an event. */
const plain = join(shared, 'corpus/host-v6.dat');

export interface BenchRecording {
  path: string;
  events: number;
  bytes: number;
}

export const works = (command: string, ...args: string[]): boolean =>
  spawnSync(command, args, { stdio: 'ignore' }).status === 0;

export const hasTraceCmd = (): boolean => works('which', 'trace-cmd');

/** KernelShark's loader, compiled where its headers are; null where it cannot be. */
export function kshark(folder: string): string | null {
  const source = join(shared, 'tools/kshark-load.c');
  const flags = spawnSync('pkg-config', ['--cflags', '--libs', 'libkshark'], { encoding: 'utf8' });
  if (!existsSync(source) || flags.status !== 0) return null;
  const binary = join(folder, 'kshark-load');
  return works('gcc', '-O2', '-o', binary, source, ...flags.stdout.trim().split(/\s+/)) ? binary : null;
}

/** Events in a recording, by Remora itself; fills the cache that later openings find. */
export async function countEvents(path: string, cache: string): Promise<number> {
  const env = { ...process.env, REMORA_CACHE: cache };
  const { stdout } = await measure(process.execPath, [cli, 'info', path, '--json', '--quiet'], env, true);
  const { streams } = JSON.parse(stdout) as { streams: { events: number }[] };
  return streams.reduce((sum, { events }) => sum + events, 0);
}

/** A version-6 recording to repeat, in `folder`. Throws in words where there is none. */
export function baseRecording(folder: string, input: string | undefined): string {
  const path = input ?? (hasTraceCmd() && existsSync(throttling) ? throttling : plain);
  for (const needed of [path, amplify]) {
    if (!existsSync(needed)) throw new Error(`${basename(needed)} is not there: name a recording with --input`);
  }
  const base = join(folder, `base-${basename(path)}`);
  cpSync(path, base);
  if (
    path === throttling ||
    (input !== undefined && !works(process.execPath, amplify, base, '1', join(folder, 'try')))
  ) {
    const converted = join(folder, `v6-${basename(path)}`);
    if (!works('trace-cmd', 'convert', '-i', base, '-o', converted, '--file-version', '6')) {
      throw new Error(`${basename(path)} is not of version 6, and trace-cmd cannot convert it`);
    }
    return converted;
  }
  rmSync(join(folder, 'try'), { force: true });
  return base;
}

/** The base recording repeated until it has about `events`; read once, so that it is in the page cache. */
export async function largeRecording(
  base: string,
  events: number,
  path: string,
  cache: string,
): Promise<BenchRecording> {
  const factor = Math.max(1, Math.round(events / (await countEvents(base, cache))));
  if (!works(process.execPath, amplify, base, String(factor), path)) throw new Error('amplify.mjs failed');
  return { path, events: await countEvents(path, cache), bytes: statSync(path).size };
}

/** The same as trace-cmd records by default: version 7, zstd. Null where trace-cmd cannot write that. */
export function compressed({ path, events }: BenchRecording, into: string): BenchRecording | null {
  const done = works('trace-cmd', 'convert', '-i', path, '-o', into, '--file-version', '7', '--compression', 'zstd');
  return done && existsSync(into) ? { path: into, events, bytes: statSync(into).size } : null;
}

/** Files of the workspaces in a cache folder. */
export const indexesIn = (cache: string): string[] =>
  readdirSync(cache)
    .filter((name) => name.includes('.remora'))
    .map((name) => join(cache, name));
