import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { pageLayout } from '../parse/layout.ts';
import { type AvailableEvent, bySystem } from './event-choice.ts';
import type { Machine } from './machine.ts';
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
  /** Of the traced kernel, whose byte order all numbers of the file have. */
  littleEndian: boolean;
  /** Size of a sub-buffer, and of the file's pages. */
  pageBytes: number;
  headerPage: Buffer;
  headerEvent: Buffer;
  ftraceFormats: Buffer[];
  systems: { name: string; formats: Buffer[] }[];
  kallsyms: Buffer;
  printkFormats: Buffer;
}

const OPTION = { cpuStat: 2, clock: 4, uname: 5, version: 9, traceId: 11, savedTgids: 23 } as const;

/** Reads from tracefs at `root` what the fixed part needs, for the events that are captured. */
export async function readHeadSource(
  machine: Machine,
  root: string,
  instance: string,
  events: readonly AvailableEvent[],
): Promise<HeadSource> {
  const format = (system: string, name: string): Promise<Buffer> =>
    machine.read(join(root, 'events', system, name, 'format'));
  const readOrEmpty = (path: string): Promise<Buffer> => machine.read(path).catch(() => Buffer.alloc(0));
  const headerPage = await machine.read(join(instance, 'events/header_page'));
  const ftrace = (await machine.list(join(root, 'events/ftrace'))).map((name) =>
    machine.read(join(root, 'events/ftrace', name, 'format')).catch(() => null),
  );
  // All at once: on a machine that is far away only the first waits.
  const systems = [...bySystem(events)].map(async ([name, list]) => ({
    name,
    formats: await Promise.all(list.map((event) => format(name, event.name))),
  }));
  const [ftraceFormats, allSystems, headerEvent, kallsyms, printkFormats] = await Promise.all([
    Promise.all(ftrace),
    Promise.all(systems),
    machine.read(join(instance, 'events/header_event')),
    readOrEmpty('/proc/kallsyms'),
    readOrEmpty(join(root, 'printk_formats')),
  ]);
  return {
    littleEndian: machine.littleEndian,
    pageBytes: pageLayout(headerPage.toString('latin1')).subBufferBytes ?? 4096,
    headerPage,
    headerEvent,
    // `enable` and `filter` are no events.
    ftraceFormats: ftraceFormats.filter((text) => text !== null),
    systems: allSystems,
    kallsyms,
    printkFormats,
  };
}

interface Numbers {
  u16(value: number): Buffer;
  u32(value: number): Buffer;
  u64(value: number): Buffer;
  /** `u64` length, then the bytes. */
  sized(bytes: Buffer): Buffer[];
}

function numbers(littleEndian: boolean): Numbers {
  const encode = (size: number, value: number): Buffer => {
    const bytes = Buffer.alloc(size);
    if (size === 8) bytes.writeBigUInt64LE(BigInt(value));
    else bytes.writeUIntLE(value, 0, size);
    return littleEndian ? bytes : bytes.reverse();
  };
  const u64 = (value: number): Buffer => encode(8, value);
  return {
    u16: (value) => encode(2, value),
    u32: (value) => encode(4, value),
    u64,
    sized: (bytes) => [u64(bytes.length), bytes],
  };
}

/** The fixed part. */
export function encodeFixedHead(source: HeadSource): Buffer {
  const { u32, sized } = numbers(source.littleEndian);
  return Buffer.concat([
    Buffer.from([0x17, 0x08, 0x44]),
    Buffer.from('tracing6\0'),
    Buffer.from([source.littleEndian ? 0 : 1, longBytes(source)]),
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
const longBytes = ({ headerPage }: HeadSource): number => pageLayout(headerPage.toString('latin1')).commitBytes ?? 8;

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
export async function firstOptions(machine: Machine, instance: string, program: string): Promise<RecordingOption[]> {
  const text = (id: number, value: string): RecordingOption => ({ id, data: Buffer.from(`${value}\0`) });
  return [
    text(OPTION.clock, await readControl(machine, join(instance, 'trace_clock'))),
    text(OPTION.uname, await machine.uname()),
    text(OPTION.version, program),
    { id: OPTION.traceId, data: randomBytes(8) },
  ];
}

/** The kernel's statistics of a CPU at the end, as trace-cmd keeps them. */
export function cpuStatOption(cpu: number, stats: string): RecordingOption {
  return { id: OPTION.cpuStat, data: Buffer.from(`CPU: ${cpu}\n${stats}\0`) };
}

/** Lines `pid tgid`, see trace-cmd's `SAVED_TGIDS`. None where the kernel keeps none. */
export function savedTgidsOption(text: Buffer): RecordingOption[] {
  return text.length === 0 ? [] : [{ id: OPTION.savedTgids, data: Buffer.concat([text, Buffer.alloc(1)]) }];
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
  littleEndian: boolean,
): VariableHead {
  const { u16, u32, sized } = numbers(littleEndian);
  const text = Buffer.alloc(Math.max(capacity, cmdlines.length), '\n');
  cmdlines.copy(text);
  const optionBytes = options.flatMap(({ id, data }) => [u16(id), u32(data.length), data]);
  const before = Buffer.concat([
    ...sized(text),
    u32(table.length),
    Buffer.from('options  \0'),
    ...optionBytes,
    Buffer.alloc(2),
    Buffer.from('flyrecord\0'),
  ]);
  const bytes = Buffer.concat([before, encodeTable(table, littleEndian), ...sized(Buffer.from(`[${clock}]`))]);
  return { bytes, cmdlinesAt: 8, tableAt: before.length };
}

export function encodeTable(table: readonly Extent[], littleEndian: boolean): Buffer {
  const { u64 } = numbers(littleEndian);
  return Buffer.concat(table.flatMap(({ offset, bytes }) => [u64(offset), u64(bytes)]));
}
