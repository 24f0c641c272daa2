import {
  closeSync,
  existsSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { isTraceDat } from '../parse/trace-dat.ts';
import { type Extent, encodeTable, encodeVariableHead, type RecordingOption, type VariableHead } from './head-bytes.ts';
import { collapsePlan, type SettledFile, settle } from './settle.ts';
import { removeSideFile, sideFilePath, writeSideFile } from './side-file.ts';

/**
 * A trace.dat that is valid while it is written. Version 6 wants each CPU's data in one piece, and nobody knows how much there
 * will be: so every CPU has a region of its own far apart in a sparse file, and the table of CPUs in the head is written again
 * several times a second. Whatever happens to the writer, what the table names is a recording that every reader opens.
 * `finish` takes the holes out (settle.ts). While that is not done, `FILE.live` beside it says how the file is laid out.
 *
 *   head (fixed, variable, room to grow) | CPU 0 … | hole | CPU 1 … | hole | …
 */
const HEAD_ROOM = 32 << 20;
const LARGEST_REGION = 2 ** 40;
const SMALLEST_REGION = 2 ** 30;
const ALIGN = 1 << 20;

export interface RecordingFileOptions {
  path: string;
  fixed: Buffer;
  options: readonly RecordingOption[];
  clock: string;
  littleEndian: boolean;
  pageBytes: number;
  /** CPUs that have data; the table has an entry for every number up to the highest. */
  cpus: readonly number[];
  /** Bytes kept for saved_cmdlines while capturing. */
  cmdlinesCapacity: number;
  /** What the side file says about who writes. */
  owner: { pid: number; instance: string };
}

interface Region {
  cpu: number;
  start: number;
  /** Data is from here … */
  from: number;
  /** … to here. */
  to: number;
}

/** How a recording ended up. `sparse`: the holes could not be taken out, the file is as valid with them. */
export interface FinishedFile extends SettledFile {
  bytes: number;
}

/** How whoever writes a recording is told apart: this process and when it started (proc(5), stat field 22). */
export function ownerName(): string {
  const stat = readFileSync('/proc/self/stat', 'latin1');
  return `remora-${process.pid}-${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`;
}

export class RecordingFile {
  readonly path: string;
  readonly #fd: number;
  readonly #options: RecordingFileOptions;
  readonly #regions: Region[];
  readonly #regionBytes: number;
  readonly #variableAt: number;
  readonly #tableAt: number;
  readonly #cmdlinesAt: number;
  readonly #variableBytes: number;
  #open = true;

  private constructor(fd: number, options: RecordingFileOptions, regionBytes: number, firstRegion: number) {
    this.path = options.path;
    this.#fd = fd;
    this.#options = options;
    this.#regionBytes = regionBytes;
    this.#regions = options.cpus.map((cpu, i) => {
      const start = firstRegion + i * regionBytes;
      return { cpu, start, from: start, to: start };
    });
    this.#variableAt = options.fixed.length;
    const variable = this.#variable(Buffer.alloc(0), options.cmdlinesCapacity, []);
    this.#cmdlinesAt = this.#variableAt + variable.cmdlinesAt;
    this.#tableAt = this.#variableAt + variable.tableAt;
    this.#variableBytes = variable.bytes.length;
    writeAll(fd, options.fixed, 0);
    writeAll(fd, variable.bytes, this.#variableAt);
  }

  /**
   * Makes the recording, complete and empty, under its name in one step. A recording that was there before is replaced; any
   * other file is not.
   */
  static create(options: RecordingFileOptions): RecordingFile {
    const { path, cpus } = options;
    refuseOther(path);
    const draft = join(dirname(path), `.${basename(path)}.${process.pid}`);
    const fd = openOutput(draft, path);
    try {
      const firstRegion = Math.ceil((options.fixed.length + HEAD_ROOM) / ALIGN) * ALIGN;
      const regionBytes = largestRegion(fd, firstRegion, cpus.length, path);
      const file = new RecordingFile(fd, options, regionBytes, firstRegion);
      file.#writeSideFile();
      renameSync(draft, path);
      return file;
    } catch (error) {
      closeSync(fd);
      for (const left of [draft, sideFilePath(path)]) if (existsSync(left)) unlinkSync(left);
      throw error;
    }
  }

  #variable(cmdlines: Buffer, capacity: number, more: readonly RecordingOption[]): VariableHead {
    const { options, clock, littleEndian } = this.#options;
    return encodeVariableHead(cmdlines, capacity, [...options, ...more], this.table(), clock, littleEndian);
  }

  #writeSideFile(): void {
    const { owner, pageBytes, littleEndian } = this.#options;
    const place = { variableAt: this.#variableAt, tableAt: this.#tableAt, cpus: this.table().length };
    const variableBytes = this.#variableBytes;
    writeSideFile(this.path, { version: 1, ...owner, littleEndian, pageBytes, ...place, variableBytes });
  }

  /** Where each CPU's data is, for the file's table: index = CPU. */
  table(): Extent[] {
    const last = Math.max(-1, ...this.#options.cpus);
    const table: Extent[] = Array.from({ length: last + 1 }, () => ({ offset: 0, bytes: 0 }));
    for (const { cpu, from, to } of this.#regions) if (to > from) table[cpu] = { offset: from, bytes: to - from };
    return table;
  }

  /** Bytes of event data that the recording holds. */
  get dataBytes(): number {
    return this.#regions.reduce((sum, { from, to }) => sum + to - from, 0);
  }

  /**
   * Adds whole sub-buffers to a CPU's data. Where the disk has no room for all of them, those that fit are kept and the
   * operating system's error is thrown.
   */
  append(index: number, bytes: Uint8Array): void {
    const region = this.#regions[index] as Region;
    if (region.to + bytes.length > region.start + this.#regionBytes) {
      throw new RemoraError({
        code: 'file',
        file: this.path,
        message: `${this.path}: a CPU's data outgrew what this file system can hold`,
      });
    }
    let done = 0;
    try {
      while (done < bytes.length) done += writeSync(this.#fd, bytes, done, bytes.length - done, region.to + done);
    } finally {
      region.to += done - (done % this.#options.pageBytes);
    }
  }

  /** Lets the table in the head say what has been written: from now on readers find it. */
  publish(): void {
    writeAll(this.#fd, encodeTable(this.table(), this.#options.littleEndian), this.#tableAt);
  }

  /** Puts the names of tasks (lines `pid comm`) into the head, as many as there is room for. */
  setCmdlines(text: Buffer): void {
    const room = this.#options.cmdlinesCapacity;
    const cut = text.length <= room ? text : text.subarray(0, text.lastIndexOf(10, room - 1) + 1);
    const padded = Buffer.alloc(room, '\n');
    cut.copy(padded);
    writeAll(this.#fd, padded, this.#cmdlinesAt);
  }

  /**
   * Gives up `bytes` of a CPU's oldest data, rounded up to whole sub-buffers. Returns the range of the file that can be given
   * back to the disk, once `publish` has made readers start behind it.
   */
  dropOldest(index: number, bytes: number): { offset: number; length: number } {
    const region = this.#regions[index] as Region;
    const { pageBytes } = this.#options;
    const dropped = Math.min(Math.ceil(bytes / pageBytes) * pageBytes, region.to - region.from);
    region.from += dropped;
    return { offset: region.from - dropped, length: dropped };
  }

  /** Completes the head and takes the holes out. Afterwards the file is closed; `FILE.live` is gone unless it is still sparse. */
  finish(cmdlines: Buffer, more: readonly RecordingOption[]): FinishedFile {
    const variable = this.#variable(cmdlines, 0, more);
    let settled: SettledFile = { sparse: true };
    try {
      const { littleEndian } = this.#options;
      const plan = collapsePlan(this.#variableAt, variable, this.table(), this.#unit(), littleEndian);
      settled = settle(this.path, this.#fd, plan);
    } finally {
      this.close();
    }
    if (!settled.sparse) removeSideFile(this.path);
    return { ...settled, bytes: this.dataBytes };
  }

  /** What offsets and lengths of holes are multiples of. */
  #unit(): number {
    return Math.max(this.#options.pageBytes, fstatSync(this.#fd).blksize);
  }

  close(): void {
    if (this.#open) closeSync(this.#fd);
    this.#open = false;
  }
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

function openOutput(draft: string, path: string): number {
  try {
    return openSync(draft, 'w+', 0o644);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    const reasons: Record<string, string> = {
      ENOENT: 'its folder does not exist',
      EACCES: 'no permission to write there',
      EROFS: 'it is on a read-only file system',
      ENOSPC: 'the disk is full',
    };
    const text = `${path} could not be written: ${reasons[code ?? ''] ?? message}`;
    throw new RemoraError({ code: 'file', message: text, file: path }, { cause: error });
  }
}

/** A recording may be recorded again; anything else that has this name is not ours to replace. */
function refuseOther(path: string): void {
  if (!existsSync(path)) return;
  const fd = openSync(path, 'r');
  try {
    const stat = fstatSync(fd);
    const start = new Uint8Array(10);
    if (stat.isFile() && (stat.size === 0 || (readSync(fd, start, 0, 10, 0) === 10 && isTraceDat(start)))) return;
  } finally {
    closeSync(fd);
  }
  throw new RemoraError({
    code: 'file',
    message: `${path} exists and is no recording: choose another name`,
    file: path,
  });
}

/** How far apart CPUs can be: file systems limit the size of a file, and some can not have holes. */
function largestRegion(fd: number, firstRegion: number, cpus: number, path: string): number {
  for (let region = LARGEST_REGION; region >= SMALLEST_REGION; region /= 2) {
    try {
      ftruncateSync(fd, firstRegion + region * Math.max(1, cpus));
      const { blocks } = fstatSync(fd);
      ftruncateSync(fd, 0);
      if (blocks * 512 > firstRegion) break;
      return region;
    } catch (error) {
      if (!['EFBIG', 'EINVAL', 'ENOSPC'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    }
  }
  throw new RemoraError({
    code: 'file',
    file: path,
    message: `${path} is on a file system without sparse files, which a recording needs while it is written: choose one on ext4, xfs, btrfs or tmpfs`,
  });
}
