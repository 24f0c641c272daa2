import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from './byte-source.ts';
import type { FilePlace } from './cursor.ts';
import type { EventFormat } from './event-format.ts';
import type { TextRecords } from './text-trace/head.ts';

/**
 * What the head of a recording says, whatever the file format: everything but the events themselves. Plain data,
 * immutable once read. Produced by trace-dat.ts, by text-trace/head.ts and, for raw buffers, by engine/raw-folder.ts.
 */
export interface RecordingHead {
  format: 'trace.dat' | 'ftrace text' | 'raw buffers';
  version: number;
  compression: 'none' | 'zlib' | 'zstd';
  abi: TraceAbi;
  /** Page size of the traced machine as the file's head states it. */
  pageBytes: number;
  uname: string;
  /** Text of `events/header_page` and `events/header_event`. */
  headerPage: string;
  headerEvent: string;
  /** In the file's order: first the ftrace system's own formats, then those of every system. */
  formats: EventFormat[];
  /**
   * `/proc/kallsyms` as recorded: lines `address type name [module]`; empty where absent. In the recording, which must be open: some
   * five megabytes, of which most recordings print nothing. Where they are packed each call unpacks them, and meets what is damaged,
   * which is then among the warnings.
   */
  kallsyms: () => ByteSource;
  /** `printk_formats` as recorded: lines `0xaddress : "format"`. */
  printkFormats: string;
  /** Where those two texts begin. */
  kallsymsAt?: FilePlace;
  printkFormatsAt?: FilePlace;
  /** `saved_cmdlines`: pid → comm. */
  comms: Map<number, string>;
  /** `saved_tgids`: pid → tgid. */
  tgids: Map<number, number>;
  options: RecordingOption[];
  buffers: RecordingBuffer[];
  /** Number of CPUs the file claims, which may be more than have data. */
  cpuCount: number;
  /** The clock that the TRACECLOCK option names; each buffer has its own, this is the fallback. */
  traceClock: string;
  /** A latency tracer's text, which such files hold in place of ring-buffer data: where it lies in the file. */
  latencyText: { offset: number; bytes: number; compressed?: boolean } | null;
  /** Set where the records are lines of text, in all buffers; null where they are a ring buffer's. */
  text: TextRecords | null;
  warnings: TraceWarning[];
}

/** Byte order and word size of the traced machine. */
export interface TraceAbi {
  littleEndian: boolean;
  longBytes: 4 | 8;
}

/** An option of the file, kept as it is: known ones are also decoded into the fields above and below. */
export interface RecordingOption {
  id: number;
  /** Name in trace-cmd's manual page, or `unknown-<id>`. */
  name: string;
  offset: number;
  data: Uint8Array;
}

/** One ring buffer: the top one (name empty) or an instance. */
export interface RecordingBuffer {
  name: string;
  /** The selected clock: `local`, `mono`, `x86-tsc`, … */
  clock: string;
  /** Size of a sub-buffer of this ring buffer. */
  subBufferBytes: number;
  cpus: CpuData[];
  time: TimeCorrection;
}

/** Where one CPU's sub-buffers lie: `bytes` from `offset` in the file, or behind a chunk directory. */
export interface CpuData {
  cpu: number;
  offset: number;
  /** Bytes in the file, compressed or not. */
  bytes: number;
  /** True: `[u32 count] { u32 compressed, u32 uncompressed, data }…`, see compressed-data.ts. */
  compressed: boolean;
  /** Byte order of the chunk directory's words. */
  littleEndian: boolean;
  /** The data is not in the recording's file but in this part of it, see ByteSource.part: raw buffers are a file each. */
  part?: string;
}

/** How raw time stamps become trace time: see time-correction.ts for the order in which the parts apply. */
export interface TimeCorrection {
  /** OFFSET or DATE option, in ns. */
  offsetNs: bigint;
  /** TSC2NSEC option: ns = ticks · mult >> shift; null where absent. */
  ticks: { multiplier: number; shift: number } | null;
  /** TIME_SHIFT option per CPU: piecewise linear corrections by raw time; empty where absent. */
  shifts: Map<number, TimeShift[]>;
  /** The time between two shift samples is interpolated (a flag of the TIME_SHIFT option). */
  interpolateShifts: boolean;
}

export interface TimeShift {
  time: bigint;
  offset: bigint;
  scaling: bigint;
  fraction: bigint;
}
