import { closeSync, existsSync, fstatSync, openSync, readFileSync, readSync, unlinkSync } from 'node:fs';
import { RemoraError } from '../../shared/errors.ts';
import type { Extent } from './head-bytes.ts';
import { startInStat } from './instance.ts';
import { collapsePlan, settle, settleOn } from './settle.ts';
import { readSideFile, removeSideFile, type SideFile, sideFilePath } from './side-file.ts';

/** What became of a recording whose writer was killed. */
export interface Recovered {
  /** Bytes of event data. */
  bytes: number;
  /** The holes of the file are still there: the file system can not take them out and has no room for a copy. */
  sparse: boolean;
}

/** True while somebody writes it: a capture, or the end of one. */
export function isBeingWritten(path: string): boolean {
  const side = readSideFile(path);
  return side !== null && isAlive(side.pid, side.instance);
}

/**
 * Finishes a recording whose writer was killed: its head gets its final form and the holes go. Null where there is nothing to
 * do. Throws RemoraError `file` where it is still being written.
 */
export function recoverRecording(path: string): Recovered | null {
  const side = readSideFile(path);
  if (side === null) return null;
  if (isAlive(side.pid, side.instance)) {
    throw new RemoraError({
      code: 'file',
      file: path,
      message: `${path} is still being recorded, by process ${side.pid}`,
    });
  }
  for (const draft of [`${path}.settled`, `${sideFilePath(path)}.new`]) if (existsSync(draft)) unlinkSync(draft);
  const fd = openSync(path, 'r+');
  try {
    let sparse: boolean;
    if (side.settling !== undefined) sparse = settleOn(path, fd, side).sparse;
    else {
      const unit = Math.max(side.pageBytes, fstatSync(fd).blksize);
      const head = Buffer.alloc(side.variableBytes);
      readSync(fd, head, 0, head.length, side.variableAt);
      const variable = { bytes: head, cmdlinesAt: 8, tableAt: side.tableAt - side.variableAt };
      const table = readTable(fd, side, side.tableAt);
      const plan = collapsePlan(side.variableAt, variable, table, unit, side.littleEndian ?? true);
      sparse = settle(path, fd, plan).sparse;
    }
    const table = readTable(fd, side, side.settling?.tableAt ?? side.tableAt);
    const bytes = table.reduce((sum, extent) => sum + extent.bytes, 0);
    if (!sparse) removeSideFile(path);
    return { bytes, sparse };
  } finally {
    closeSync(fd);
  }
}

/** The writer lives when a process of this number has the instance's name in its start time. */
function isAlive(pid: number, instance: string): boolean {
  try {
    const start = startInStat(readFileSync(`/proc/${pid}/stat`, 'latin1'));
    return start !== null && instance.startsWith(`remora-${pid}-${start}`);
  } catch {
    return false;
  }
}

/** Entries of the table of CPUs: u64 offset, u64 bytes. */
function readTable(fd: number, { cpus, littleEndian }: SideFile, tableAt: number): Extent[] {
  const bytes = Buffer.alloc(cpus * 16);
  readSync(fd, bytes, 0, bytes.length, tableAt);
  const u64 = (at: number): number =>
    Number(littleEndian === false ? bytes.readBigUInt64BE(at) : bytes.readBigUInt64LE(at));
  return Array.from({ length: cpus }, (_unused, cpu) => ({ offset: u64(cpu * 16), bytes: u64(cpu * 16 + 8) }));
}
