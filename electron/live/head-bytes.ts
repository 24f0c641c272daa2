import { randomBytes } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { hostname, machine, release } from 'node:os';
import { join } from 'node:path';
import { type AvailableEvent, bySystem } from './event-choice.ts';
import { readControl } from './tracefs.ts';

/**
 * Writes the head of a trace.dat version 6: trace-cmd.dat.v6(5), read back by parse/trace-dat.ts. In two parts, because what
 * the kernel says about itself is known at the start, and tasks, statistics and the place of the data change to the end:
 *
 *   fixed     17 08 44 "tracing" "6\0", byte order, bytes of a long, u32 page size,
 *             "header_page\0" u64 text, "header_event\0" u64 text,
 *             u32 count { u64 text } of the ftrace system, u32 systems { name\0, u32 events { u64 text } },
 *             u32 kallsyms, u32 printk_formats
 *   variable  u64 saved_cmdlines, u32 CPUs, "options  \0" { u16 id, u32 size, data } u16 0,
 *             "flyrecord\0" { u64 offset, u64 bytes } per CPU, u64 clock: `[local]`
 */
export interface HeadSource {
  /** Size of a sub-buffer, and of the file's pages. */
  pageBytes: number;
  headerPage: Buffer;
  headerEvent: Buffer;
  ftraceFormats: Buffer[];
  systems: { name: string; formats: Buffer[] }[];
  kallsyms: Buffer;
  printkFormats: Buffer;
}

const OPTION = { cpuStat: 2, clock: 4, uname: 5, version: 9, traceId: 11 } as const;

/** Reads from tracefs at `root` what the fixed part needs, for the events that are captured. */
export function readHeadSource(root: string, instance: string, events: readonly AvailableEvent[]): HeadSource {
  const format = (system: string, name: string): Buffer => readFileSync(join(root, 'events', system, name, 'format'));
  const headerPage = readFileSync(join(instance, 'events/header_page'));
  const ftrace = join(root, 'events/ftrace');
  return {
    pageBytes: subBufferBytes(headerPage.toString('latin1')),
    headerPage,
    headerEvent: readFileSync(join(instance, 'events/header_event')),
    ftraceFormats: readdirSync(ftrace)
      .filter((name) => existsSync(join(ftrace, name, 'format')))
      .map((name) => format('ftrace', name)),
    systems: [...bySystem(events)].map(([name, list]) => ({
      name,
      formats: list.map((event) => format(name, event.name)),
    })),
    kallsyms: readOrEmpty('/proc/kallsyms'),
    printkFormats: readOrEmpty(join(root, 'printk_formats')),
  };
}

const readOrEmpty = (path: string): Buffer => {
  try {
    return readFileSync(path);
  } catch {
    return Buffer.alloc(0);
  }
};

/** header_page's last field: `field: char data; offset:16; size:4080;`. */
function subBufferBytes(headerPage: string): number {
  const match = /\bdata;\s*offset:(\d+);\s*size:(\d+);/.exec(headerPage);
  return match === null ? 4096 : Number(match[1]) + Number(match[2]);
}

const u32 = (value: number): Buffer => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
};
const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};
const sized = (bytes: Buffer): Buffer[] => [u64(bytes.length), bytes];

/** The fixed part. Numbers are little-endian, as are all machines that live capture runs on. */
export function encodeFixedHead(source: HeadSource): Buffer {
  return Buffer.concat([
    Buffer.from([0x17, 0x08, 0x44]),
    Buffer.from('tracing6\0'),
    Buffer.from([0, longBytes(source)]),
    u32(source.pageBytes),
    Buffer.from('header_page\0'),
    ...sized(source.headerPage),
    Buffer.from('header_event\0'),
    ...sized(source.headerEvent),
    u32(source.ftraceFormats.length),
    ...source.ftraceFormats.flatMap(sized),
    u32(source.systems.length),
    ...source.systems.flatMap(({ name, formats }) => [
      Buffer.from(`${name}\0`),
      u32(formats.length),
      ...formats.flatMap(sized),
    ]),
    u32(source.kallsyms.length),
    source.kallsyms,
    u32(source.printkFormats.length),
    source.printkFormats,
  ]);
}

/** The kernel's long: the size of `commit`, a local_t. */
function longBytes({ headerPage }: HeadSource): number {
  return Number(/\bcommit;\s*offset:\d+;\s*size:(\d+);/.exec(headerPage.toString('latin1'))?.[1] ?? 8);
}

/** One CPU's data in the file. A CPU without any has 0 bytes. */
export interface Extent {
  offset: number;
  bytes: number;
}

export interface RecordingOption {
  id: number;
  data: Buffer;
}

/** Options that are known when the capture begins. */
export function firstOptions(instance: string, program: string): RecordingOption[] {
  const text = (id: number, value: string): RecordingOption => ({ id, data: Buffer.from(`${value}\0`) });
  return [
    text(OPTION.clock, readControl(instance, 'trace_clock')),
    text(OPTION.uname, `Linux ${hostname()} ${release()} ${machine()}`),
    text(OPTION.version, program),
    { id: OPTION.traceId, data: randomBytes(8) },
  ];
}

/** The kernel's statistics of a CPU at the end, as trace-cmd keeps them. */
export function cpuStatOption(cpu: number, stats: string): RecordingOption {
  return { id: OPTION.cpuStat, data: Buffer.from(`CPU: ${cpu}\n${stats}\0`) };
}

export interface VariableHead {
  bytes: Buffer;
  /** Where in `bytes` the text of saved_cmdlines begins, and where the table of CPUs. */
  cmdlinesAt: number;
  tableAt: number;
}

/** The variable part. `cmdlines` is padded with newlines to `capacity`, which readers skip, so that it can grow in place. */
export function encodeVariableHead(
  cmdlines: Buffer,
  capacity: number,
  options: readonly RecordingOption[],
  table: readonly Extent[],
  clock: string,
): VariableHead {
  const text = Buffer.alloc(Math.max(capacity, cmdlines.length), '\n');
  cmdlines.copy(text);
  const optionBytes = options.flatMap(({ id, data }) => {
    const head = Buffer.alloc(6);
    head.writeUInt16LE(id);
    head.writeUInt32LE(data.length, 2);
    return [head, data];
  });
  const before = Buffer.concat([
    ...sized(text),
    u32(table.length),
    Buffer.from('options  \0'),
    ...optionBytes,
    Buffer.alloc(2),
    Buffer.from('flyrecord\0'),
  ]);
  const bytes = Buffer.concat([before, encodeTable(table), ...sized(Buffer.from(`[${clock}]`))]);
  return { bytes, cmdlinesAt: 8, tableAt: before.length };
}

export function encodeTable(table: readonly Extent[]): Buffer {
  return Buffer.concat(table.flatMap(({ offset, bytes }) => [u64(offset), u64(bytes)]));
}
