import { spawnSync } from 'node:child_process';
import {
  closeSync,
  fstatSync,
  ftruncateSync,
  openSync,
  readSync,
  renameSync,
  statfsSync,
  unlinkSync,
  writeSync,
} from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import { type Extent, encodeTable, type VariableHead } from './head-bytes.ts';
import { readSideFile, type SettlingSteps, type SideFile, sideFilePath, writeSideFile } from './side-file.ts';

/**
 * Takes the holes out of a recording that was written with its CPUs far apart, without moving data where the file system can
 * do that (FALLOC_FL_COLLAPSE_RANGE: ext4, xfs), else by copying where there is room, else not at all: with its holes the file
 * is valid too. Every step is written down first, so that a kill at any time leaves a file that `recover` completes.
 */
export interface SettledFile {
  sparse: boolean;
}

/**
 * Steps for a file with this table, whose head's variable part goes to `variableAt`. Holes begin and end at multiples of `unit`:
 * sub-buffers' and the file system's.
 */
export function collapsePlan(
  variableAt: number,
  variable: VariableHead,
  table: readonly Extent[],
  unit: number,
  littleEndian: boolean,
): SettlingSteps {
  const up = (at: number): number => Math.ceil(at / unit) * unit;
  const data = table.map((extent, cpu) => ({ cpu, ...extent })).filter(({ bytes }) => bytes > 0);
  data.sort((a, b) => a.offset - b.offset);
  const headEnd = variableAt + variable.bytes.length;
  const end = data.reduce((last, { offset, bytes }) => Math.max(last, offset + bytes), up(headEnd));
  const steps: SettlingSteps = {
    variable: variable.bytes.toString('base64'),
    tableAt: variableAt + variable.tableAt,
    sizes: [],
    tables: [],
    holes: [],
  };
  const now = table.map((extent) => ({ ...extent }));
  const note = (bytes: number): void => {
    steps.sizes.push(bytes);
    steps.tables.push(encodeTable(now, littleEndian).toString('base64'));
  };
  note(end);
  let left = end;
  // From the end, so that what is in front keeps its place.
  for (let i = data.length - 1; i >= 0; i--) {
    const before = data[i - 1];
    const from = up(before === undefined ? headEnd : before.offset + before.bytes);
    const to = (data[i] as Extent).offset;
    if (to - from <= 0) continue;
    for (const { cpu } of data.slice(i)) (now[cpu] as Extent).offset -= to - from;
    left -= to - from;
    steps.holes.push({ offset: from, length: to - from });
    note(left);
  }
  return steps;
}

/** Runs the steps, first writing them down. `fd` is the recording, open for writing. */
export function settle(path: string, fd: number, steps: SettlingSteps): SettledFile {
  const side = readSideFile(path);
  if (side === null)
    throw new RemoraError({ code: 'file', message: `${sideFilePath(path)} is gone: ${path} stays as it is` });
  // Beyond the last data there may be what a full disk or a kill kept from being complete.
  ftruncateSync(fd, steps.sizes[0] as number);
  try {
    writeSideFile(path, { ...side, settling: steps });
  } catch {
    writeHead(fd, side, steps, 0);
    return { sparse: true };
  }
  return run(path, fd, { ...side, settling: steps }, 0);
}

function run(path: string, fd: number, side: SideFile, done: number): SettledFile {
  const steps = side.settling as SettlingSteps;
  writeHead(fd, side, steps, done);
  for (let i = done; i < steps.holes.length; i++) {
    const { offset, length } = steps.holes[i] as { offset: number; length: number };
    const { status } = spawnSync('fallocate', [
      '--collapse-range',
      '--offset',
      String(offset),
      '--length',
      String(length),
      path,
    ]);
    if (status !== 0 || fstatSync(fd).size !== steps.sizes[i + 1])
      return i === 0 ? copy(path, fd, side, steps) : { sparse: true };
    writeAll(fd, Buffer.from(steps.tables[i + 1] as string, 'base64'), steps.tableAt);
  }
  return { sparse: false };
}

function writeHead(fd: number, { variableAt }: SideFile, steps: SettlingSteps, state: number): void {
  const head = Buffer.from(steps.variable, 'base64');
  Buffer.from(steps.tables[state] as string, 'base64').copy(head, steps.tableAt - variableAt);
  writeAll(fd, head, variableAt);
}

/** The file again without its holes, under another name, which then takes its place. */
function copy(path: string, fd: number, side: SideFile, steps: SettlingSteps): SettledFile {
  const holes = steps.holes.toSorted((a, b) => a.offset - b.offset);
  const size = steps.sizes.at(-1) as number;
  const { bavail, bsize } = statfsSync(path);
  if (bavail * bsize < size) return { sparse: true };
  const draft = `${path}.settled`;
  const to = openSync(draft, 'w', fstatSync(fd).mode & 0o777);
  try {
    let out = 0;
    let from = 0;
    for (const { offset, length } of [...holes, { offset: steps.sizes[0] as number, length: 0 }]) {
      out += copyRange(fd, from, to, out, offset - from);
      from = offset + length;
    }
    writeHead(to, side, steps, steps.tables.length - 1);
    renameSync(draft, path);
    return { sparse: false };
  } catch (error) {
    unlinkSync(draft);
    if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')) return { sparse: true };
    throw error;
  } finally {
    closeSync(to);
  }
}

function copyRange(from: number, at: number, to: number, out: number, length: number): number {
  const buffer = Buffer.allocUnsafe(Math.min(length, 4 << 20));
  for (let done = 0; done < length; ) {
    const got = readSync(from, buffer, 0, Math.min(buffer.length, length - done), at + done);
    if (got === 0) {
      // The end of the file in front of a hole that was never written.
      ftruncateSync(to, out + length);
      break;
    }
    writeAll(to, buffer.subarray(0, got), out + done);
    done += got;
  }
  return length;
}

function writeAll(fd: number, bytes: Uint8Array, at: number): void {
  for (let done = 0; done < bytes.length; ) done += writeSync(fd, bytes, done, bytes.length - done, at + done);
}

/** Goes on where a kill ended `settle`: the size of the file tells how far it came. */
export function settleOn(path: string, fd: number, side: SideFile): SettledFile {
  const steps = side.settling as SettlingSteps;
  const done = steps.sizes.indexOf(fstatSync(fd).size);
  if (done < 0) {
    throw new RemoraError({
      code: 'damaged',
      file: path,
      message: `${path} is not as ${sideFilePath(path)} says: it was changed since`,
    });
  }
  return run(path, fd, side, done);
}
