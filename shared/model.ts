import type { TraceWarning } from './errors.ts';
import type { AbsNsText, RelNs, TimeUnit } from './time.ts';

/**
 * What a workspace holds, as the renderer, the CLI and other tools see it. Vocabulary is ftrace's:
 * a stream is one recording's buffer (the top one or a named instance); an event is one record of it;
 * an event type is a format (`system:name`).
 */

export interface RecordingInfo {
  path: string;
  bytes: number;
  /** `trace.dat`, `ftrace text` or `raw buffers`. */
  format: string;
  /** Of the format; 0 where it has none. */
  version: number;
  /** `none`, `zlib` or `zstd`. */
  compression: string;
  byteOrder: 'little' | 'big';
  longBytes: 4 | 8;
  pageBytes: number;
  /** The kernel's uname line, empty where the recording has none. */
  uname: string;
  /** Of a trace.dat, in the file's order, those that Remora does not know among them. */
  options: RecordingOptionInfo[];
}

export interface RecordingOptionInfo {
  id: number;
  /** As trace-cmd's manual page names it, or `unknown-<id>`. */
  name: string;
  /** In the file; of its section, where that is packed. */
  offset: number;
  bytes: number;
  /** The beginning of it: text where it is text, else hexadecimal bytes. */
  value: string;
}

/** Index into `WorkspaceSummary.streams`. */
export type StreamIndex = number;

export interface StreamInfo {
  index: StreamIndex;
  /** Recording it comes from: index into `WorkspaceSummary.recordings`. */
  recording: number;
  /** Instance name; empty for the top buffer. */
  name: string;
  clock: string;
  timeUnit: TimeUnit;
  /** CPU numbers with a buffer, ascending. */
  cpus: number[];
  events: number;
  /** Events the kernel dropped, where it said how many. */
  lost: number;
  /** Gaps without a count. */
  gaps: number;
  /** Absolute time of the first event. */
  originNs: AbsNsText;
  /** First event relative to the workspace origin. */
  fromNs: RelNs;
  /** Last event relative to the workspace origin. */
  toNs: RelNs;
  eventTypes: EventTypeCount[];
}

export interface EventTypeCount {
  /** Index into `WorkspaceSummary.eventTypes`. */
  type: number;
  count: number;
}

/** An event format of the workspace: streams of several recordings share one entry when name and layout agree. */
export interface EventTypeInfo {
  /** Index in `WorkspaceSummary.eventTypes`; the key that every column uses. */
  type: number;
  system: string;
  name: string;
  /** The kernel's id in the recording it was first seen in. */
  id: number;
  count: number;
  fields: FieldInfo[];
}

export interface FieldInfo {
  name: string;
  /** The C declaration's type, as the format text has it. */
  declaration: string;
  /** `number`: plots; `text`: strings; `bytes`: arrays and structures, shown as hex or lists. */
  kind: 'number' | 'text' | 'bytes';
  signed: boolean;
  bytes: number;
  /** One of the common_ fields of every event. */
  common: boolean;
  /** Key of `shared/units.ts`; empty for a bare number. */
  unit: string;
}

export interface TaskInfo {
  pid: number;
  /** -1 where it was not recorded. */
  tgid: number;
  comm: string;
  events: number;
}

export interface CgroupInfo {
  /** Inode number as decimal text: newer kernels have 64-bit ones. */
  ino: string;
  /** Path below the cgroup root (`web`, `system.slice/cron.service`); empty when only the inode is known. The root is `/`. */
  path: string;
}

export interface WorkspaceSummary {
  workspaceId: string;
  /** Where the workspace is stored; empty with `--no-cache`. */
  workspacePath: string;
  recordings: RecordingInfo[];
  streams: StreamInfo[];
  eventTypes: EventTypeInfo[];
  tasks: TaskInfo[];
  cgroups: CgroupInfo[];
  warnings: TraceWarning[];
  /** Absolute time of the workspace origin: the earliest stream origin. */
  originNs: AbsNsText;
  /** Last event relative to the origin. 0 when there is none. */
  durationNs: RelNs;
  events: number;
  /** True when the index was found and nothing had to be read. */
  reopened: boolean;
  /** Indexing was stopped before its end: events, counts and times above are those of a part. */
  partial?: PartialIndex;
}

/**
 * How much of the recordings' data has been indexed, in unpacked bytes; CPUs in the order in which they are indexed. All CPUs of a
 * text lie mixed in it, and are one entry without a `cpu`.
 */
export interface PartialIndex {
  bytes: number;
  totalBytes: number;
  cpus: { stream: StreamIndex; cpu: number | null; bytes: number; totalBytes: number }[];
}

/** Names one event for good: its place in the buffer of one CPU. */
export interface EventRef {
  stream: StreamIndex;
  cpu: number;
  /** 0-based position among the events of this CPU's buffer. */
  index: number;
}

/** One line of the event list. */
export interface EventRow extends EventRef {
  /** 0-based position in the merged, time-ordered list. */
  row: number;
  timeNs: RelNs;
  pid: number;
  comm: string;
  /** The five latency flags as trace-cmd prints them: irqs-off, need-resched, context, preempt depth, migrate-disable. */
  flags: string;
  type: number;
  eventName: string;
  /** The event's text as `trace-cmd report` prints it. */
  info: string;
}

export interface EventFieldValue {
  name: string;
  declaration: string;
  /** Offset and length in the payload, in bytes. */
  offset: number;
  bytes: number;
  common: boolean;
  kind: 'number' | 'text' | 'bytes';
  /** The exact value: a decimal number of any size, the string, or hex bytes. */
  text: string;
  unit: string;
}

export interface EventDetail extends EventRow {
  system: string;
  /** Absolute time in ns. */
  absNs: AbsNsText;
  fields: EventFieldValue[];
  /** The record's payload: borrowed by nobody, a copy. */
  raw: Uint8Array;
  /** Byte offset of the payload in the recording, or -1 where it lies in a compressed chunk. */
  fileOffset: number;
}

/** Throttle episode: see domain.md's facts in electron/derive/throttle.ts. Times on the workspace axis. */
export interface Episode {
  id: number;
  stream: StreamIndex;
  cgroup: CgroupInfo;
  bdi: string;
  task: { pid: number; comm: string };
  fromNs: RelNs;
  toNs: RelNs;
  /** balance_dirty_pages events in it, with and without a pause. */
  events: number;
  /** Events with pause > 0, and the sum and largest of their pause. */
  pauses: number;
  pauseMs: number;
  maxPauseMs: number;
  /** Time that sched_switch shows the task asleep after its pauses; null where the recording cannot tell. */
  sleptMs: number | null;
  minTaskRatelimitKiBps: number;
  /** Largest dirty / limit. */
  maxDirtyOverLimit: number;
  domain: 'global' | 'memcg' | 'strictlimit' | 'async' | 'underflow' | 'unknown';
  /** One plain sentence. */
  cause: string;
}

export interface EpisodeTotal {
  key: string;
  episodes: number;
  tasks: number;
  pauses: number;
  pauseMs: number;
  /** Length of the union of the episodes. */
  wallMs: number;
  longestMs: number;
}

/** Something in the data that a reader should know: counter underflow, impossible pauses, … */
export interface Finding {
  kind: string;
  message: string;
  atNs: RelNs;
}

/** What a person adds. Times on the workspace axis; kept in the workspace as absolute times. */
export interface Annotation {
  id: string;
  kind: 'point' | 'range';
  fromNs: RelNs;
  /** Equal to `fromNs` for a point. */
  toNs: RelNs;
  text: string;
  /** Key into the theme's annotation colours: `note-1` … `note-6`. */
  color: string;
  tags: string[];
}
