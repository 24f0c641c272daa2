import { deflateSync, zstdCompressSync } from 'node:zlib';
import { ByteWriter } from './bytes.ts';
import { type BuiltFormat, formatText, HEADER_EVENT_TEXT, headerPageText } from './formats.ts';
import { type BufferEvent, buildSubBuffers, type RingAbi } from './sub-buffer.ts';

/**
 * Builds trace.dat files from what they should say: trace-cmd.dat.v6(5), trace-cmd.dat.v7(5). For tests of the parser,
 * so it shares nothing with it.
 */
export interface BuiltBuffer {
  /** Empty for the top buffer, which comes first. */
  name: string;
  clock: string;
  /** The events of CPU i, in the buffer's order. */
  cpus: BufferEvent[][];
}

export interface BuiltRecording {
  version: 6 | 7;
  /** Version 6 has none. */
  compression: 'none' | 'zlib' | 'zstd';
  abi: RingAbi;
  /** In the order of their systems. */
  formats: BuiltFormat[];
  buffers: BuiltBuffer[];
  comms: [pid: number, comm: string][];
  uname: string;
  kallsyms: string;
  printkFormats: string;
  /** More options, raw. */
  options: { id: number; data: Uint8Array }[];
  /** As some kernel gave it, in place of the one that `abi` makes. */
  headerPage?: string;
}

const OPTION = { buffer: 3, clock: 4, uname: 5, cpuCount: 8 } as const;
const SECTION = {
  options: 0,
  buffer: 3,
  strings: 15,
  headerInfo: 16,
  ftraceFormats: 17,
  eventFormats: 18,
  kallsyms: 19,
  printk: 20,
  cmdlines: 21,
} as const;

/** Sub-buffers per compressed chunk: few, so that small recordings have several chunks. */
const CHUNK_SUB_BUFFERS = 2;

const cstring = (text: string): Uint8Array => Buffer.from(`${text}\0`, 'latin1');

export function buildTraceDat(recording: BuiltRecording): Uint8Array {
  const out = new ByteWriter(recording.abi.littleEndian);
  out
    .raw(Uint8Array.of(0x17, 0x08, 0x44))
    .text('tracing')
    .cstring(String(recording.version));
  out
    .u8(recording.abi.littleEndian ? 0 : 1)
    .u8(recording.abi.longBytes)
    .u32(recording.abi.subBufferBytes);
  if (recording.version === 6) version6(out, recording);
  else version7(out, recording);
  return out.done();
}

function headerInfo(out: ByteWriter, { abi, headerPage }: BuiltRecording): void {
  for (const [name, text] of [
    ['header_page', headerPage ?? headerPageText(abi)],
    ['header_event', HEADER_EVENT_TEXT],
  ] as const) {
    out.cstring(name).u64(text.length).text(text);
  }
}

/** u32 count { u64 size, text } of the system `ftrace`. */
function ftraceFormats(out: ByteWriter, { formats }: BuiltRecording): void {
  const own = formats.filter(({ system }) => system === 'ftrace').map(formatText);
  out.u32(own.length);
  for (const text of own) out.u64(text.length).text(text);
}

/** u32 systems { name\0, u32 events { u64 size, text } } */
function eventFormats(out: ByteWriter, { formats }: BuiltRecording): void {
  const systems = [...new Set(formats.map(({ system }) => system))].filter((system) => system !== 'ftrace');
  out.u32(systems.length);
  for (const system of systems) {
    const members = formats.filter((format) => format.system === system);
    out.cstring(system).u32(members.length);
    for (const text of members.map(formatText)) out.u64(text.length).text(text);
  }
}

const text32 = (out: ByteWriter, text: string): void => void out.u32(text.length).text(text);

function cmdlines(out: ByteWriter, { comms }: BuiltRecording): void {
  const text = comms.map(([pid, comm]) => `${pid} ${comm}\n`).join('');
  out.u64(text.length).text(text);
}

function option(out: ByteWriter, id: number, data: Uint8Array): void {
  out.u16(id).u32(data.length).raw(data);
}

// Version 6: sections in a fixed order, options, a table of offsets, then the page-aligned data.
function version6(out: ByteWriter, recording: BuiltRecording): void {
  const { abi, buffers } = recording;
  headerInfo(out, recording);
  ftraceFormats(out, recording);
  eventFormats(out, recording);
  text32(out, recording.kallsyms);
  text32(out, recording.printkFormats);
  cmdlines(out, recording);
  const [top, ...instances] = buffers as [BuiltBuffer, ...BuiltBuffer[]];
  out.u32(top.cpus.length).cstring('options  ');
  option(out, OPTION.clock, cstring(`[${top.clock}]`));
  option(out, OPTION.uname, cstring(recording.uname));
  for (const { id, data } of recording.options) option(out, id, data);
  const instanceAt = instances.map(({ name }) => {
    const at = out.length + 6;
    option(out, OPTION.buffer, Buffer.concat([new Uint8Array(8), cstring(name)]));
    return at;
  });
  out.u16(0);
  const table = (buffer: BuiltBuffer): void => {
    out.cstring('flyrecord');
    const tableAt = out.length;
    out.raw(new Uint8Array(16 * buffer.cpus.length));
    buffer.cpus.forEach((events, cpu) => {
      out.padTo(abi.subBufferBytes);
      const data = buildSubBuffers(events, abi);
      out.patch64(tableAt + cpu * 16, out.length);
      out.patch64(tableAt + cpu * 16 + 8, data.length);
      out.raw(data);
    });
  };
  table(top);
  instances.forEach((instance, i) => {
    out.patch64(instanceAt[i] as number, out.length);
    table(instance);
  });
}

function pack(compression: BuiltRecording['compression'], bytes: Uint8Array): Uint8Array {
  return compression === 'zlib' ? deflateSync(bytes) : compression === 'zstd' ? zstdCompressSync(bytes) : bytes;
}

// Version 7: sections anywhere, found through the options; here the options come last, in two sections.
function version7(out: ByteWriter, recording: BuiltRecording): void {
  const { abi, compression, buffers } = recording;
  out.cstring(compression).cstring('1.0');
  const firstOptions = out.length;
  out.u64(0);
  const names = new ByteWriter(abi.littleEndian);

  /** u16 id, u16 flags, u32 name, u64 size, data; packed: the data is u32 packed, u32 unpacked, bytes. */
  const section = (id: number, name: string, packable: boolean, write: (into: ByteWriter) => void): number => {
    const body = new ByteWriter(abi.littleEndian);
    write(body);
    const packed = packable && compression !== 'none';
    const at = out.length;
    out
      .u16(id)
      .u16(packed ? 1 : 0)
      .u32(names.length);
    names.cstring(name);
    const data = body.done();
    if (packed) {
      const bytes = pack(compression, data);
      out
        .u64(bytes.length + 8)
        .u32(bytes.length)
        .u32(data.length)
        .raw(bytes);
    } else {
      out.u64(data.length).raw(data);
    }
    return at;
  };

  const found: [id: number, at: number][] = [
    [SECTION.headerInfo, section(SECTION.headerInfo, 'headers', true, (into) => headerInfo(into, recording))],
    [
      SECTION.ftraceFormats,
      section(SECTION.ftraceFormats, 'ftrace events', true, (into) => ftraceFormats(into, recording)),
    ],
    [
      SECTION.eventFormats,
      section(SECTION.eventFormats, 'events format', true, (into) => eventFormats(into, recording)),
    ],
    [SECTION.kallsyms, section(SECTION.kallsyms, 'kallsyms', true, (into) => text32(into, recording.kallsyms))],
    [SECTION.printk, section(SECTION.printk, 'printk', true, (into) => text32(into, recording.printkFormats))],
    [SECTION.cmdlines, section(SECTION.cmdlines, 'command lines', true, (into) => cmdlines(into, recording))],
  ];
  const bufferOptions = buffers.map((buffer) => bufferSection(out, recording, buffer, names));

  const offsetOption = (into: ByteWriter, id: number, at: number): void => {
    into.u16(id).u32(8).u64(at);
  };
  let nextAt = 0;
  const headAt = section(SECTION.options, 'options', false, (into) => {
    for (const [id, at] of found) offsetOption(into, id, at);
    option(into, OPTION.uname, cstring(recording.uname));
    option(into, OPTION.clock, cstring(`[${(buffers[0] as BuiltBuffer).clock}]`));
    into
      .u16(OPTION.cpuCount)
      .u32(4)
      .u32((buffers[0] as BuiltBuffer).cpus.length);
    for (const { id, data } of recording.options) option(into, id, data);
    nextAt = into.length + 6;
    offsetOption(into, 0, 0);
  });
  out.patch64(firstOptions, headAt);
  // The second options section holds the buffers: the first one's closing option leads to it.
  const buffersAt = section(SECTION.options, 'options', false, (into) => {
    for (const data of bufferOptions) option(into, OPTION.buffer, data);
    offsetOption(into, 0, 0);
  });
  out.patch64(headAt + 16 + nextAt, buffersAt);
  section(SECTION.strings, 'strings', false, (into) => into.raw(names.done()));
}

/** Writes the data of one buffer; returns the data of the option that describes it. */
function bufferSection(out: ByteWriter, recording: BuiltRecording, buffer: BuiltBuffer, names: ByteWriter): Uint8Array {
  const { abi, compression } = recording;
  const at = out.length;
  out
    .u16(SECTION.buffer)
    .u16(compression === 'none' ? 0 : 1)
    .u32(names.length);
  names.cstring(`buffer ${buffer.name}`);
  const sizeAt = out.length;
  out.u64(0);
  const described = new ByteWriter(abi.littleEndian);
  described.u64(at).cstring(buffer.name).cstring(buffer.clock).u32(abi.subBufferBytes).u32(buffer.cpus.length);
  buffer.cpus.forEach((events, cpu) => {
    const data = buildSubBuffers(events, abi);
    if (compression === 'none') out.padTo(abi.subBufferBytes);
    const dataAt = out.length;
    if (compression === 'none') out.raw(data);
    else if (data.length > 0) {
      // u32 chunks { u32 packed, u32 unpacked, bytes }
      const chunkBytes = CHUNK_SUB_BUFFERS * abi.subBufferBytes;
      out.u32(Math.ceil(data.length / chunkBytes));
      for (let from = 0; from < data.length; from += chunkBytes) {
        const chunk = data.subarray(from, from + chunkBytes);
        const packed = pack(compression, chunk);
        out.u32(packed.length).u32(chunk.length).raw(packed);
      }
    }
    described
      .u32(cpu)
      .u64(dataAt)
      .u64(out.length - dataAt);
  });
  out.patch64(sizeAt, out.length - sizeAt - 8);
  return described.done();
}
