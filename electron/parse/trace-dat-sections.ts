import { RemoraError } from '../../shared/errors.ts';
import type { Cursor } from './cursor.ts';
import { latin1, tellAt } from './cursor.ts';
import { LazyEventFormat } from './event-formats.ts';
import type { RecordingBuffer, RecordingHead } from './recording.ts';

/**
 * The parts of a trace.dat's head that versions 6 and 7 share, each read by one function: trace-cmd.dat.v6(5), which has them
 * one after another, and trace-cmd.dat.v7(5), which has each in a section of its own.
 */

/** Mutable while reading; returned as a RecordingHead. */
export interface HeadInProgress extends RecordingHead {
  file: string;
}

/** Runs `read`; damage inside it becomes a warning and the rest goes on. */
export function tolerate(head: HeadInProgress, read: () => void): boolean {
  try {
    read();
    return true;
  } catch (error) {
    if (!(error instanceof RemoraError)) throw error;
    const { detail } = error;
    head.warnings.push({
      file: head.file,
      offset: detail.offset ?? 0,
      section: detail.section ?? 'header',
      message: detail.message,
      ...(detail.expected === undefined ? {} : { expected: detail.expected }),
      ...(detail.found === undefined ? {} : { found: detail.found }),
    });
    return false;
  }
}

/** "header_page\0" u64 text "header_event\0" u64 text */
export function readHeaderInfo(cursor: Cursor, head: HeadInProgress): void {
  for (const name of ['header_page', 'header_event'] as const) {
    const at = cursor.offset;
    const found = cursor.text(16);
    if (found !== name) throw cursor.fail(`"${name}"`, JSON.stringify(found), at);
    const text = latin1(cursor.bytes(cursor.size64()));
    if (name === 'header_page') head.headerPage = text;
    else head.headerEvent = text;
  }
}

function addFormat(cursor: Cursor, head: HeadInProgress, system: string): void {
  const at = cursor.place();
  const text = latin1(cursor.bytes(cursor.size64()));
  try {
    head.formats.push(new LazyEventFormat(system, text, head.abi, at));
  } catch (error) {
    if (!(error instanceof TypeError)) throw error;
    head.warnings.push({
      file: head.file,
      section: cursor.section,
      ...tellAt(at, 0, `${system}: ${error.message}`),
    });
  }
}

/** u32 count { u64 size, text } of the system `ftrace` */
export function readFtraceFormats(cursor: Cursor, head: HeadInProgress): void {
  for (let left = cursor.u32(); left > 0; left--) addFormat(cursor, head, 'ftrace');
}

/** u32 systems { name\0, u32 events { u64 size, text } } */
export function readEventFormats(cursor: Cursor, head: HeadInProgress): void {
  for (let systems = cursor.u32(); systems > 0; systems--) {
    const system = cursor.text();
    for (let events = cursor.u32(); events > 0; events--) addFormat(cursor, head, system);
  }
}

/** u32 size, text of /proc/kallsyms */
export function readKallsyms(cursor: Cursor, head: HeadInProgress): void {
  const bytes = cursor.u32();
  head.kallsymsAt = cursor.place();
  const text = cursor.later(bytes);
  head.kallsyms = () => text;
}

/** u32 size, text of printk_formats */
export function readPrintkFormats(cursor: Cursor, head: HeadInProgress): void {
  const bytes = cursor.u32();
  head.printkFormatsAt = cursor.place();
  head.printkFormats = latin1(cursor.bytes(bytes));
}

const BLANK = 0x20;
const ZERO = 0x30;

/** u64 size, text of saved_cmdlines: lines `pid comm`. The comm may hold spaces; the last line of a pid wins. */
export function readCmdlines(cursor: Cursor, head: HeadInProgress): void {
  // Some thousand lines at every opening: looking for their ends is all that is done to them.
  const text = latin1(cursor.bytes(cursor.size64()));
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    let at = start;
    while (at < end && text.charCodeAt(at) <= BLANK) at++;
    const digits = at;
    let pid = 0;
    for (let digit = text.charCodeAt(at) - ZERO; digit >= 0 && digit <= 9; digit = text.charCodeAt(++at) - ZERO)
      pid = pid * 10 + digit;
    if (at > digits && text.charCodeAt(at) === BLANK) head.comms.set(pid, text.slice(at + 1, end));
    start = end + 1;
  }
}

/** Keeps a CPU whose data begins inside the file; what is missing at its end is cpu-data.ts's to tell. */
export function addCpu(
  cursor: Cursor,
  head: HeadInProgress,
  buffer: RecordingBuffer,
  data: { cpu: number; offset: number; bytes: number; compressed: boolean },
): void {
  if (!Number.isFinite(data.offset) || !Number.isFinite(data.bytes)) {
    head.warnings.push({
      file: head.file,
      offset: cursor.place(Math.max(0, cursor.offset - 16)).offset,
      section: cursor.section,
      message: `cpu ${data.cpu}: an offset or size beyond any file`,
    });
    return;
  }
  buffer.cpus.push({ ...data, littleEndian: cursor.littleEndian });
}
