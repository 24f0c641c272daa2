import { readdirSync, statfsSync } from 'node:fs';
import { totalmem } from 'node:os';
import { dirname } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { newColumns, type SubBufferLayout, SubBufferScanner } from '../parse/sub-buffer.ts';
import { CgroupFollower, memoryHierarchy, threadsOf } from './cgroup-folders.ts';
import { CounterSampler } from './counters.ts';
import { CpuReader } from './cpu-reader.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { cpuStatOption, encodeFixedHead, firstOptions, type RecordingOption, readHeadSource } from './head-bytes.ts';
import { TraceInstance } from './instance.ts';
import type { CaptureMessage, CaptureStatus, CheckedCaptureOrder, StopReason } from './protocol.ts';
import { RecordingFile } from './recording-file.ts';
import { TaskNames } from './task-names.ts';
import { clocks, findTracefs, readControl } from './tracefs.ts';

/** Wait between turns: in it 4 M events/s fill a few MiB, and a machine that is idle is asked fifty times a second. */
const TURN_MS = 20;
const BATCH_BYTES = 1 << 20;
const PUBLISH_MS = 200;
const NAMES_MS = 2000;
/** Turns without a pause, at most, when a CPU fills its buffer as fast as it is read. */
const MOST_TURNS = 64;

/** What a sub-buffer's header takes: u64 time stamp, long commit. */
const SUB_BUFFER_HEADER = 16;

/** What is known of a capture that has stopped. */
interface Ending {
  reason: StopReason;
  message: string;
  notes: string[];
  status: CaptureStatus | null;
  statistics: RecordingOption[];
}

/**
 * One capture from tracefs into a recording: sets the instance up, reads sub-buffers and writes them down, reports, and in the end
 * completes the recording and takes the instance away. Nothing here waits for a reader: what it says is small.
 */
export class CaptureSession {
  readonly #order: CheckedCaptureOrder;
  readonly #say: (message: CaptureMessage) => void;
  readonly #root: string;
  readonly #instance: TraceInstance;
  readonly #file: RecordingFile;
  readonly #readers: CpuReader[] = [];
  readonly #names: TaskNames;
  readonly #flight: FlightRecorder | null;
  readonly #batch = Buffer.alloc(BATCH_BYTES);
  readonly #startedMs = performance.now();
  readonly #bufferBytes: number;
  readonly #layout: SubBufferLayout;
  #cgroups: CgroupFollower | null = null;
  #counters: CounterSampler | null = null;
  #timer: NodeJS.Timeout | undefined;
  #followed = new Set<number>();
  /** Monotonic times at which things were done last. */
  readonly #last = { partial: 0, publish: 0, names: 0, status: 0, follow: 0 };
  #before = { ms: 0, events: 0, bytes: 0, cpu: process.cpuUsage() };
  #bytes = 0;
  /** The first event is known, see protocol.ts. */
  #settled = false;
  /** Events that were read and found no room on the disk. */
  #unwritten = 0;
  #ended: Ending | null = null;
  #completed = false;

  /** Sets everything up and begins. Throws RemoraError; then nothing is left behind. */
  constructor(order: CheckedCaptureOrder, say: (message: CaptureMessage) => void) {
    this.#order = order;
    this.#say = say;
    this.#root = findTracefs();
    this.#instance = new TraceInstance(this.#root);
    try {
      const bufferKiB = order.bufferKiB ?? defaultBufferKiB(this.#instance.cpus().length);
      this.#instance.configure({ ...order, bufferKiB, pids: this.#pidsToFollow() });
      const { path: instance, events } = this.#instance;
      const head = readHeadSource(this.#root, instance, events);
      const cpus = this.#instance.cpus();
      for (const cpu of cpus) {
        this.#readers.push(new CpuReader(instance, cpu, head.pageBytes, head.pageBytes - SUB_BUFFER_HEADER));
      }
      this.#layout = layoutOf(head.pageBytes);
      this.#names = new TaskNames(this.#root);
      this.#file = RecordingFile.create({
        path: order.path,
        fixed: encodeFixedHead(head),
        options: firstOptions(instance, order.program),
        clock: clocks(instance).chosen,
        pageBytes: head.pageBytes,
        cpus,
        cmdlinesCapacity: cmdlinesCapacity(this.#root),
        owner: { pid: process.pid, instance: this.#instance.name },
      });
    } catch (error) {
      for (const reader of this.#readers) reader.close();
      this.#instance.remove();
      throw error;
    }
    this.#bufferBytes = Math.max(1, bufferKiBOf(this.#instance.path)) * 1024;
    this.#flight = order.keep === undefined ? null : new FlightRecorder(this.#file, this.#readers.length, order.keep);
    try {
      this.#begin();
    } catch (error) {
      this.#file.close();
      this.#cleanUp();
      throw error;
    }
  }

  #begin(): void {
    const { path: instance, name, events, notes } = this.#instance;
    const hierarchy = memoryHierarchy();
    if (hierarchy !== null) this.#cgroups = new CgroupFollower(hierarchy.root, `${this.#order.path}.cgroups`);
    this.#instance.start();
    if (this.#order.countersMs !== undefined) {
      const inodeOf = (folder: string): string | undefined => this.#cgroups?.inodeOf(folder);
      this.#counters = new CounterSampler(instance, this.#order.countersMs, hierarchy, this.#order.cgroup, inodeOf);
      this.#counters.sample();
    }
    const { chosen } = clocks(instance);
    this.#say({ type: 'started', instance: name, events, clock: chosen, bufferKiB: this.#bufferBytes / 1024, notes });
    this.#timer = setTimeout(() => this.#turn(), TURN_MS);
  }

  /** Threads of the processes and the cgroup that the order names; undefined: everybody's events. */
  #pidsToFollow(): number[] | undefined {
    const { pids, cgroup } = this.#order;
    if (pids === undefined && cgroup === undefined) return undefined;
    const threads = (pids ?? []).flatMap(threadsOfProcess);
    if (cgroup !== undefined) threads.push(...threadsOf(cgroup));
    this.#followed = new Set(threads);
    return threads;
  }

  #turn(): void {
    if (this.#ended !== null) return;
    const nowMs = performance.now() - this.#startedMs;
    try {
      // Somebody waits for the first event.
      const partial = this.#due('partial', nowMs, this.#settled ? this.#order.latencyMs : 0);
      for (let turn = 0; turn < MOST_TURNS && this.#drain(partial && turn === 0); turn++);
      if (!this.#settled && this.#file.dataBytes > 0) this.#settle();
      this.#housekeeping(nowMs);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const { durationMs, maxBytes } = this.#order;
    if (durationMs !== undefined && nowMs >= durationMs) this.stop('duration');
    else if (maxBytes !== undefined && this.#file.dataBytes >= maxBytes) this.stop('size');
    else {
      const spentMs = performance.now() - this.#startedMs - nowMs;
      this.#timer = setTimeout(() => this.#turn(), Math.max(0, TURN_MS - spentMs));
    }
  }

  /** CPUs are read one after the other: read again, each has shown whatever came before the first event of any. */
  #settle(): void {
    this.#drain(true);
    this.#settled = true;
    this.#last.publish = Number.NEGATIVE_INFINITY;
    this.#last.status = Number.NEGATIVE_INFINITY;
  }

  #due(what: 'partial' | 'publish' | 'names' | 'status' | 'follow', nowMs: number, everyMs: number): boolean {
    if (nowMs - this.#last[what] < everyMs) return false;
    this.#last[what] = nowMs;
    return true;
  }

  /** Reads every CPU once. True where one had so much that it should be read again at once. */
  #drain(partial: boolean): boolean {
    let more = false;
    this.#readers.forEach((reader, index) => {
      reader.drain(this.#batch, partial, (bytes) => this.#write(index, bytes));
      // A quarter of the buffer while it was read: it fills faster than a pause allows.
      if (!partial && reader.stats.bytes > this.#bufferBytes / 4) more = true;
    });
    return more;
  }

  #write(index: number, bytes: Buffer): void {
    const before = this.#file.dataBytes;
    try {
      this.#file.append(index, bytes);
    } catch (error) {
      this.#unwritten += this.#countEvents(bytes.subarray(this.#file.dataBytes - before));
      throw error;
    }
    this.#flight?.wrote(index, bytes.length);
    this.#bytes += bytes.length;
  }

  /** Events in sub-buffers that were read and found no room. */
  #countEvents(bytes: Buffer): number {
    const columns = newColumns(Math.ceil(bytes.length / 8));
    const words = new Uint32Array(bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length));
    return new SubBufferScanner(this.#layout, 0n).scan(words, 0, 0, columns, 0, 0).count;
  }

  #housekeeping(nowMs: number): void {
    if (this.#due('publish', nowMs, Math.min(PUBLISH_MS, this.#order.latencyMs))) {
      this.#flight?.drop(nowMs);
      this.#file.publish();
      this.#flight?.release(nowMs);
    }
    if (this.#due('names', nowMs, NAMES_MS) || nowMs < TURN_MS * 3) {
      this.#names.refresh();
      this.#file.setCmdlines(this.#names.text());
    }
    if (this.#order.cgroup !== undefined && this.#due('follow', nowMs, 500)) this.#followNew(this.#order.cgroup);
    if (this.#due('status', nowMs, this.#order.statusMs)) this.#say({ type: 'status', ...this.#status() });
  }

  /** Tasks that were moved into the cgroup; what followed tasks start is followed by the kernel. */
  #followNew(cgroup: string): void {
    let threads: number[];
    try {
      threads = threadsOf(cgroup);
    } catch {
      return; // The cgroup was removed.
    }
    const fresh = threads.filter((thread) => !this.#followed.has(thread));
    if (fresh.length === 0) return;
    for (const thread of fresh) this.#followed.add(thread);
    this.#instance.follow(fresh);
  }

  #status(): CaptureStatus {
    const nowMs = performance.now() - this.#startedMs;
    const table = this.#file.table();
    const cpus = this.#readers.map((reader) => {
      reader.readStats();
      const { read, lost, bytes } = reader.stats;
      const fill = Math.min(1, bytes / this.#bufferBytes);
      return { cpu: reader.cpu, events: read, lost, fill, ...(table[reader.cpu] as { offset: number; bytes: number }) };
    });
    const events = cpus.reduce((sum, cpu) => sum + cpu.events, 0) - this.#unwritten;
    const before = this.#before;
    const usage = process.cpuUsage(before.cpu);
    const seconds = Math.max(0.001, (nowMs - before.ms) / 1000);
    this.#before = { ms: nowMs, events, bytes: this.#bytes, cpu: process.cpuUsage() };
    return {
      elapsedMs: nowMs,
      events,
      lost: cpus.reduce((sum, { lost }) => sum + lost, 0),
      bytes: this.#file.dataBytes,
      bytesPerSecond: (this.#bytes - before.bytes) / seconds,
      eventsPerSecond: (events - before.events) / seconds,
      cpuShare: (usage.user + usage.system) / 1e6 / seconds,
      diskFree: diskFree(this.#file.path),
      settled: this.#settled,
      cpus,
    };
  }

  #fail(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') {
      for (const reader of this.#readers) reader.readStats();
      const left = this.#readers.reduce((sum, { stats }) => sum + stats.entries, this.#unwritten);
      const what = `the capture was stopped, and what was written is complete; ${left} events found no room`;
      this.stop('disk-full', `the disk of ${this.#file.path} is full: ${what}`);
    } else this.stop('error', error instanceof Error ? error.message : String(error));
  }

  /**
   * Ends the capture: what is still in the ring buffer is written and the instance removed. The recording holds everything now, and
   * stays as it is until `complete`, so that whoever indexes it while it grows can read the rest.
   */
  stop(reason: StopReason, message = ''): void {
    if (this.#ended !== null) return;
    clearTimeout(this.#timer);
    const notes: string[] = [];
    this.#ended = { reason, message, notes, status: null, statistics: [] };
    this.#attempt('last sample of counters', () => this.#counters?.sample());
    this.#attempt('stopping', () => this.#instance.stop());
    if (reason !== 'disk-full') this.#attempt('reading what was left', () => this.#drainAll());
    this.#flight?.drop(performance.now() - this.#startedMs);
    this.#attempt('publishing the last events', () => this.#file.publish());
    const status = this.#status();
    this.#ended.status = status;
    this.#ended.statistics = this.#readers.map((reader) => cpuStatOption(reader.cpu, reader.readStats()));
    this.#names.refresh();
    if (!this.#cleanUp()) {
      notes.push(
        `the tracing instance ${this.#instance.name} is in use by another program and stays: \`remora record --clean\` removes it later`,
      );
    }
    this.#say({ type: 'drained', status });
  }

  /** Completes the recording: after this its data may lie elsewhere in the file. */
  complete(): void {
    if (this.#ended?.status == null || this.#completed) return;
    this.#completed = true;
    const { reason, message, notes, status, statistics } = this.#ended;
    let sparse = true;
    this.#attempt('completing the recording', () => {
      sparse = this.#file.finish(this.#names.text(), statistics).sparse;
    });
    this.#file.close();
    this.#say({ type: 'stopped', reason, message, status, sparse, notes });
  }

  #attempt(what: string, work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#ended?.notes.push(`${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  #drainAll(): void {
    for (let more = true; more; ) {
      more = false;
      for (const [index, reader] of this.#readers.entries()) {
        if (reader.drain(this.#batch, true, (bytes) => this.#write(index, bytes)) > 0) more = true;
      }
    }
  }

  #cleanUp(): boolean {
    this.#counters?.close();
    this.#cgroups?.close();
    for (const reader of this.#readers) reader.close();
    return this.#instance.remove();
  }
}

/** The sub-buffers of the kernel that this runs on. */
function layoutOf(subBufferBytes: number): SubBufferLayout {
  const abi = { littleEndian: true, longBytes: 8 } as const;
  return { abi, subBufferBytes, commitBytes: 8, dataOffset: SUB_BUFFER_HEADER, typeOffset: 0, pidOffset: 4 };
}

/** Threads of a process now. Throws RemoraError `not-found` where there is no such process. */
function threadsOfProcess(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number);
  } catch (error) {
    throw new RemoraError({ code: 'not-found', message: `there is no process ${pid}` }, { cause: error });
  }
}

/** Room for two turns of a busy CPU, but never more than a 64th of the memory for all. */
export function defaultBufferKiB(cpus: number): number {
  return Math.max(1024, Math.min(8192, Math.floor(totalmem() / 1024 / 64 / cpus)));
}

/** `1410` or, before the first use, `7 (expanded: 1410)`. */
function bufferKiBOf(instance: string): number {
  const numbers = readControl(instance, 'buffer_size_kb').match(/\d+/g) ?? ['0'];
  return Number(numbers.at(-1));
}

/** Lines `pid comm` for as many tasks as the kernel saves, and twice that, as names are collected. */
function cmdlinesCapacity(root: string): number {
  const saved = Number.parseInt(readControl(root, 'saved_cmdlines_size'), 10) || 128;
  return Math.min(Math.max(saved * 2 * 24, 1 << 16), 1 << 20);
}

function diskFree(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize;
  } catch {
    return 0;
  }
}
