import { existsSync, readFileSync, renameSync, unlinkSync, writeFileSync } from 'node:fs';

/**
 * `FILE.live`: beside a recording that is being written, or whose writer was killed. It says who writes and how the file is laid out, so
 * that `recover` can finish what the writer could not. JSON, replaced as a whole.
 */
export interface SideFile {
  version: 1;
  pid: number;
  /** As an instance of the writer is called, which says when it started: `remora-PID-START`. */
  instance: string;
  /** Byte order of the recording's numbers; absent: true. */
  littleEndian?: boolean;
  pageBytes: number;
  /** Where in the recording the variable part of its head begins, how long it is, and where the table of CPUs is. */
  variableAt: number;
  variableBytes: number;
  tableAt: number;
  /** Entries of that table. */
  cpus: number;
  /** Set while the holes are taken out. */
  settling?: SettlingSteps;
}

/** Taking the holes out, step by step. The size of the file tells how many steps have been done. */
export interface SettlingSteps {
  /** The variable part of the head, base64, and where in it the table is. */
  variable: string;
  tableAt: number;
  /** Size of the file before each step and after the last. */
  sizes: number[];
  /** The table that is right at each of these sizes, base64. */
  tables: string[];
  /** The hole that each step takes out. */
  holes: { offset: number; length: number }[];
}

/** Kept in the side file, so that there is room to finish on a disk that is full. */
const BALLAST_BYTES = 1 << 20;

export const sideFilePath = (recording: string): string => `${recording}.live`;

/** True when a recording is still being written, or its writer was killed. */
export const isUnfinished = (recording: string): boolean => existsSync(sideFilePath(recording));

export function writeSideFile(recording: string, content: SideFile): void {
  const path = sideFilePath(recording);
  const draft = `${path}.new`;
  // What is there now may be all the room that the disk has left.
  if (existsSync(path)) writeFileSync(path, readFileSync(path, 'utf8').trimEnd());
  const ballast = content.settling === undefined ? ' '.repeat(BALLAST_BYTES) : '';
  writeFileSync(draft, `${JSON.stringify(content)}${ballast}\n`);
  renameSync(draft, path);
}

export function readSideFile(recording: string): SideFile | null {
  try {
    const content = JSON.parse(readFileSync(sideFilePath(recording), 'utf8')) as SideFile;
    return content.version === 1 ? content : null;
  } catch {
    return null;
  }
}

export function removeSideFile(recording: string): void {
  const path = sideFilePath(recording);
  if (existsSync(path)) unlinkSync(path);
}
