import { type ByteSource, bytesSource } from '../../../electron/parse/byte-source.ts';
import { type EventFormat, parseEventFormat } from '../../../electron/parse/event-format.ts';
import { Printer } from '../../../electron/parse/print-format/printer.ts';
import type { RecordingHead, TraceAbi } from '../../../electron/parse/recording.ts';

/** Records and heads made by hand, for tests of printing. */

export const little64: TraceAbi = { littleEndian: true, longBytes: 8 };

/** Fields as `type name` or `type name[n]`, with offset, size and sign: an event's own, behind the common ones. */
export type FieldSpec = [declaration: string, offset: number, size: number, signed?: 0 | 1];

const COMMON: FieldSpec[] = [
  ['unsigned short common_type', 0, 2],
  ['unsigned char common_flags', 2, 1],
  ['unsigned char common_preempt_count', 3, 1],
  ['int common_pid', 4, 4, 1],
];

export function formatText(name: string, id: number, fields: FieldSpec[], printFmt: string, common = COMMON): string {
  const line = ([declaration, offset, size, signed = 0]: FieldSpec): string =>
    `\tfield:${declaration};\toffset:${offset};\tsize:${size};\tsigned:${signed};\n`;
  const lines = `${common.map(line).join('')}\n${fields.map(line).join('')}`;
  return `name: ${name}\nID: ${id}\nformat:\n${lines}\nprint fmt: ${printFmt}\n`;
}

export function eventFormat(
  system: string,
  name: string,
  id: number,
  fields: FieldSpec[],
  printFmt: string,
  abi = little64,
): EventFormat {
  return parseEventFormat(formatText(name, id, fields, printFmt), system, abi);
}

/** A text as a head has it: read when asked. */
export const lateText = (text: string) => (): ByteSource => bytesSource(Buffer.from(text, 'latin1'));

/** A head that holds these formats and nothing else, changed by `parts`. */
export function headOf(formats: EventFormat[], parts: Partial<RecordingHead> = {}): RecordingHead {
  return {
    format: 'trace.dat',
    version: 6,
    compression: 'none',
    abi: little64,
    pageBytes: 4096,
    uname: '',
    headerPage: '',
    headerEvent: '',
    formats,
    kallsyms: lateText(''),
    printkFormats: '',
    comms: new Map(),
    tgids: new Map(),
    options: [],
    buffers: [],
    cpuCount: 1,
    traceClock: 'local',
    latencyText: null,
    text: null,
    warnings: [],
    ...parts,
  };
}

/** A payload: the common fields of event `id`, task `pid`, then the parts: bytes, text, or numbers with their width. */
export function payload(
  id: number,
  pid: number,
  ...parts: (string | number[] | { u16: number } | { u32: number } | { u64: bigint })[]
): DataView {
  const bytes = Buffer.concat([
    Buffer.from([id & 0xff, id >> 8, 0, 0]),
    word(pid, 4),
    ...parts.map((part) => {
      if (typeof part === 'string') return Buffer.from(part, 'latin1');
      if (Array.isArray(part)) return Buffer.from(part);
      if ('u16' in part) return word(part.u16, 2);
      return 'u32' in part ? word(part.u32, 4) : word(part.u64, 8);
    }),
  ]);
  return new DataView(Uint8Array.from(bytes).buffer);
}

function word(value: number | bigint, bytes: number): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigUInt64LE(BigInt.asUintN(64, BigInt(value)));
  return buffer.subarray(0, bytes);
}

/** What one record prints. */
export function infoOf(head: RecordingHead, view: DataView): string {
  return new Printer(head).info(view.getUint16(0, true), view, 0, view.byteLength);
}
