import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join, resolve } from 'node:path';
import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { bytesSource } from '../parse/byte-source.ts';
import { LazyEventFormat } from '../parse/event-formats.ts';
import { isSubBufferSize, pageLayout } from '../parse/layout.ts';
import type { CpuData, RecordingHead, TimeCorrection, TraceAbi } from '../parse/recording.ts';
import { type FileSource, fileError, openFile } from './file-source.ts';

/**
 * A folder of raw per-CPU ring buffers: what reads of tracefs' `per_cpu/cpuN/trace_pipe_raw` gave, with the files of tracefs
 * that say how to read it:
 *
 *   cpuN.raw, cpuN, *.cpuN, per_cpu/cpuN/trace_pipe_raw     whole sub-buffers, see parse/sub-buffer.ts
 *   events/SYSTEM/EVENT/format                              required
 *   header_page, header_event (here or in events/), saved_cmdlines, saved_tgids, printk_formats, kallsyms, trace_clock,
 *   uname, stats.cpuN or per_cpu/cpuN/stats                 each used where it is there
 */
export interface RawFolder {
  path: string;
  /** Captures by CPU, paths relative to the folder; empty ones among them. */
  cpus: { cpu: number; file: string; bytes: number }[];
}

const CAPTURE = /^(?:cpu(\d{1,5})(?:\.raw|\.bin)?|.*\.cpu(\d{1,5}))$/;
const CPU_FOLDER = /^cpu(\d{1,5})$/;

/** What of a folder is raw buffers; null where it holds none. Throws RemoraError `file` where it cannot be listed. */
function findRawFolder(path: string): RawFolder | null {
  const cpus = new Map<number, RawFolder['cpus'][number]>();
  const add = (cpu: number, file: string): void => {
    const stat = statSync(join(path, file), { throwIfNoEntry: false });
    if (stat?.isFile() && !cpus.has(cpu)) cpus.set(cpu, { cpu, file, bytes: stat.size });
  };
  for (const name of namesIn(path)) {
    const match = CAPTURE.exec(name);
    // stats.cpuN is about a capture, not one.
    if (match !== null && !name.startsWith('stats.')) add(Number(match[1] ?? match[2]), name);
  }
  if (existsSync(join(path, 'per_cpu'))) {
    for (const name of namesIn(join(path, 'per_cpu'))) {
      const match = CPU_FOLDER.exec(name);
      if (match !== null) add(Number(match[1]), join('per_cpu', name, 'trace_pipe_raw'));
    }
  }
  return cpus.size === 0 ? null : { path, cpus: [...cpus.values()].sort((a, b) => a.cpu - b.cpu) };
}

/** The raw buffers of a path that is a folder; null where it is a file. Throws RemoraError `file` for any other folder. */
export function rawFolderAt(path: string): RawFolder | null {
  if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) return null;
  const folder = findRawFolder(path);
  if (folder === null) throw fileError(path, { code: 'EISDIR' });
  return folder;
}

/**
 * The same for some captures named one by one: those of one folder are one recording, of their CPUs alone. Paths that are no
 * captures beside event formats come back as they are; the order is that of each one's first path.
 */
export function groupCaptures(paths: readonly string[]): (string | RawFolder)[] {
  const groups = new Map<string, string | RawFolder>();
  for (const named of paths) {
    const path = resolve(named);
    const root = basename(path) === 'trace_pipe_raw' ? dirname(dirname(dirname(path))) : dirname(path);
    const capture = existsSync(join(root, 'events'))
      ? findRawFolder(root)?.cpus.find(({ file }) => join(root, file) === path)
      : undefined;
    if (capture === undefined) {
      groups.set(path, named);
      continue;
    }
    const known = groups.get(root);
    if (typeof known === 'object') known.cpus.push(capture);
    else groups.set(root, known ?? { path: root, cpus: [capture] });
  }
  return [...groups.values()];
}

/** Whether a folder is a recording, for lists of folders. */
export function isRawFolder(path: string): boolean {
  try {
    return existsSync(join(path, 'events')) && (findRawFolder(path)?.cpus.some(({ bytes }) => bytes > 0) ?? false);
  } catch {
    return false; // not ours to look into
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch (error) {
    throw fileError(folder, error);
  }
}

/** The captures as one recording: its parts are the files, its bytes one behind the other. */
export function openRawFolder({ path, cpus }: RawFolder): FileSource {
  const withData = cpus.filter(({ bytes }) => bytes > 0);
  if (withData.length === 0) {
    throw new RemoraError({
      code: 'not-a-trace',
      message: `${path}: the per-CPU files are empty: in a live tracefs they are read by recording (trace-cmd, remora record)`,
      file: path,
      offset: 0,
    });
  }
  const open = new Map<string, FileSource>();
  const part = (file: string): FileSource => {
    let source = open.get(file);
    if (source === undefined) {
      source = openFile(join(path, file));
      open.set(file, source);
    }
    return source;
  };
  try {
    const described = ['header_page', 'saved_cmdlines'].map(
      (name) => statSync(join(path, name), { throwIfNoEntry: false })?.mtimeMs ?? 0,
    );
    return {
      name: path,
      size: withData.reduce((sum, { bytes }) => sum + bytes, 0),
      modifiedMs: Math.max(...described, ...withData.map(({ file }) => part(file).modifiedMs)),
      read(offset, length, into) {
        const out = into === undefined ? new Uint8Array(length) : into.subarray(0, length);
        let done = 0;
        let start = 0;
        for (const { file, bytes } of withData) {
          const from = offset + done - start;
          if (from < bytes && done < length) done += part(file).read(from, length - done, out.subarray(done)).length;
          start += bytes;
        }
        return out.subarray(0, done);
      },
      part,
      close() {
        for (const source of open.values()) source.close();
        open.clear();
      },
    };
  } catch (error) {
    for (const source of open.values()) source.close();
    throw error;
  }
}

const NO_CORRECTION: TimeCorrection = { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false };

/** What the folder says about its captures. Throws RemoraError `not-a-trace` where it has no event formats. */
export function readRawHead(folder: RawFolder, source: FileSource): RecordingHead {
  const { path } = folder;
  const text = (...names: string[]): string => {
    const found = names.map((name) => join(path, name)).find((file) => existsSync(file));
    return found === undefined ? '' : readText(found);
  };
  const warnings: TraceWarning[] = [];
  const headerPage = text('header_page', join('events', 'header_page'));
  const page = pageLayout(headerPage);
  const stated = Number.parseInt(text('buffer_subbuf_size_kb'), 10) * 1024;
  const subBufferBytes = page.subBufferBytes ?? (isSubBufferSize(stated) ? stated : 4096);
  const abi: TraceAbi = {
    longBytes: page.commitBytes ?? 8,
    littleEndian: isLittleEndian(folder, source, subBufferBytes, page.commitBytes ?? 8),
  };
  if (headerPage === '') {
    warnings.push({
      file: path,
      offset: 0,
      section: 'header_page',
      message: 'there is no header_page: 64-bit longs and sub-buffers of 4096 bytes are taken',
    });
  }
  const formats = readFormats(path, abi, warnings);
  if (formats.length === 0) {
    throw new RemoraError({
      code: 'not-a-trace',
      message: `${path}: per-CPU buffers without formats: copy tracefs' events folder (events/SYSTEM/EVENT/format) beside them`,
      file: path,
    });
  }
  const cpus = folder.cpus
    .filter(({ bytes }) => bytes > 0)
    .map(
      ({ cpu, file, bytes }): CpuData => ({
        cpu,
        offset: 0,
        bytes,
        compressed: false,
        littleEndian: abi.littleEndian,
        part: file,
      }),
    );
  for (const { cpu } of folder.cpus) {
    const lost = lostByStats(text(`stats.cpu${cpu}`, `cpu${cpu}.stats`, join('per_cpu', `cpu${cpu}`, 'stats')));
    if (lost !== '') warnings.push({ file: path, offset: 0, section: `cpu ${cpu} stats`, message: lost });
  }
  const clock = text('trace_clock').trim();
  const traceClock = /\[(\S+)\]/.exec(clock)?.[1] ?? (/^\S+$/.test(clock) ? clock : 'local');
  return {
    format: 'raw buffers',
    version: 0,
    compression: 'none',
    abi,
    pageBytes: 4096,
    uname: text('uname').trim(),
    headerPage,
    headerEvent: text('header_event', join('events', 'header_event')),
    formats,
    kallsyms: () => bytesSource(Buffer.from(text('kallsyms'), 'latin1')),
    printkFormats: text('printk_formats'),
    comms: new Map(pidLines(text('saved_cmdlines'))),
    tgids: new Map(pidLines(text('saved_tgids')).map(([pid, tgid]) => [pid, Number(tgid)])),
    options: [],
    buffers: [{ name: '', clock: traceClock, subBufferBytes, cpus, time: NO_CORRECTION }],
    cpuCount: folder.cpus.length,
    traceClock,
    latencyText: null,
    text: null,
    warnings,
  };
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch (error) {
    throw fileError(file, error);
  }
}

/** `events/SYSTEM/EVENT/format`; the ftrace system first, as in a trace.dat. */
function readFormats(path: string, abi: TraceAbi, warnings: TraceWarning[]): LazyEventFormat[] {
  const events = join(path, 'events');
  if (!existsSync(events)) return [];
  const systems = namesIn(events).filter((name) => statSync(join(events, name)).isDirectory());
  systems.sort((a, b) => Number(b === 'ftrace') - Number(a === 'ftrace'));
  const formats: LazyEventFormat[] = [];
  for (const system of systems) {
    for (const event of namesIn(join(events, system))) {
      const file = join(events, system, event, 'format');
      if (!existsSync(file)) continue;
      try {
        formats.push(new LazyEventFormat(system, readText(file), abi));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
        warnings.push({ file, offset: 0, section: 'event formats', message: `${system}: ${error.message}` });
      }
    }
  }
  return formats;
}

/** Lines `pid text`; the text may hold spaces. */
function pidLines(text: string): [number, string][] {
  return text.split('\n').flatMap((line): [number, string][] => {
    const match = /^\s*(\d+) (.*)$/.exec(line);
    return match === null ? [] : [[Number(match[1]), match[2] as string]];
  });
}

/** `overrun` and `dropped events` of a CPU's stats, in words; empty where none were lost. */
function lostByStats(stats: string): string {
  const count = (name: string): number => Number(new RegExp(`^${name}: (\\d+)`, 'm').exec(stats)?.[1] ?? 0);
  const [overrun, commit, dropped] = [count('overrun'), count('commit overrun'), count('dropped events')];
  const parts = [
    overrun > 0 ? `${overrun} events were overwritten in the kernel's buffer before they were captured` : '',
    commit + dropped > 0 ? `${commit + dropped} events found no room in it` : '',
  ];
  return parts.filter((part) => part !== '').join(', ');
}

const SAMPLED_SUB_BUFFERS = 16;
const COMMIT_MASK = 0x07ff_ffff;

/**
 * Byte order of the machine, which no file of tracefs states: in the right one, `commit` is at most a sub-buffer's size. As
 * a tie goes to little-endian, so does a folder of empty sub-buffers.
 */
function isLittleEndian(folder: RawFolder, source: FileSource, subBufferBytes: number, commitBytes: 4 | 8): boolean {
  let votes = 0;
  for (const { file, bytes } of folder.cpus) {
    for (let i = 0; i < SAMPLED_SUB_BUFFERS && (i + 1) * subBufferBytes <= bytes; i++) {
      const header = source.part?.(file).read(i * subBufferBytes, 16) ?? new Uint8Array(0);
      if (header.length < 16) break;
      const view = new DataView(header.buffer, header.byteOffset, 16);
      const little = view.getUint32(8, true) & COMMIT_MASK;
      const big = view.getUint32(commitBytes === 8 ? 12 : 8, false) & COMMIT_MASK;
      votes += Number(little > 0 && little <= subBufferBytes) - Number(big > 0 && big <= subBufferBytes);
    }
  }
  return votes >= 0;
}
