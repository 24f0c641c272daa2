import { statfsSync } from 'node:fs';
import { dirname } from 'node:path';
import { newColumns, type SubBufferLayout, SubBufferScanner } from '../parse/sub-buffer.ts';
import { type PreparedCapture, prepareCapture } from './capture-setup.ts';
import { CgroupFollower, memoryHierarchy, threadsOf } from './cgroup-folders.ts';
import { CounterSampler } from './counters.ts';
import { FlightRecorder } from './flight-recorder.ts';
import { cpuStatOption, type RecordingOption, savedTgidsOption } from './head-bytes.ts';
import type { TraceInstance } from './instance.ts';
import type { Machine, Ring } from './machine.ts';
import type { CaptureMessage, CaptureStatus, CheckedCaptureOrder, StopReason } from './protocol.ts';
import type { RecordingFile } from './recording-file.ts';
import { TaskNames } from './task-names.ts';
import { clocks } from './tracefs.ts';

const PUBLISH_MS = 200;
const NAMES_MS = 2000;
/** At the beginning they are looked at every turn. */
const FIRST_NAMES_MS = 60;
/** Reading without a pause, at most, when a CPU fills its buffer as fast as it is read: there are limits and gauges to look at. */
const MOST_TURN_MS = 200;

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
  readonly #machine: Machine;
  readonly #order: CheckedCaptureOrder;
  readonly #say: (message: CaptureMessage) => void;
  readonly #instance: TraceInstance;
  readonly #file: RecordingFile;
  readonly #ring: Ring;
  readonly #names: TaskNames;
  readonly #flight: FlightRecorder | null;
  readonly #startedMs = performance.now();
  readonly #bufferBytes: number;
  readonly #layout: SubBufferLayout;
  readonly #latencyMs: number;
  #cgroups: CgroupFollower | null = null;
  #counters: CounterSampler | null = null;
  #timer: NodeJS.Timeout | undefined;
  /** The turn that is being taken, if one is. Never rejects. */
  #turning: Promise<void> = Promise.resolve();
  #followed: Set<number>;
  /** Monotonic times at which things were done last. */
  readonly #last = { partial: 0, publish: 0, names: 0, status: 0, follow: 0 };
  #before = { ms: 0, events: 0, bytes: 0, usedSeconds: 0 };
  #bytes = 0;
  /** The first event is known, see protocol.ts. */
  #settled = false;
  /** Events that were read and found no room on the disk. */
  #unwritten = 0;
  #ended: Ending | null = null;
  #stopping: Promise<void> | null = null;
  #completed = false;

  /** Sets everything up and begins. Rejects with RemoraError; then nothing is left behind. */
  static async start(
    machine: Machine,
    order: CheckedCaptureOrder,
    say: (message: CaptureMessage) => void,
  ): Promise<CaptureSession> {
    const session = new CaptureSession(machine, order, say, await prepareCapture(machine, order));
    try {
      await session.#begin();
      return session;
    } catch (error) {
      session.#file.close();
      await session.#cleanUp();
      throw error;
    }
  }

  private constructor(
    machine: Machine,
    order: CheckedCaptureOrder,
    say: (message: CaptureMessage) => void,
    prepared: PreparedCapture,
  ) {
    const { file, ring, root } = prepared;
    this.#machine = machine;
    this.#order = order;
    this.#say = say;
    this.#instance = prepared.instance;
    this.#ring = ring;
    this.#file = file;
    this.#layout = prepared.layout;
    this.#bufferBytes = prepared.bufferBytes;
    this.#followed = new Set(prepared.followed);
    this.#latencyMs = Math.max(order.latencyMs, machine.pace.latencyMs);
    this.#names = new TaskNames(machine, root);
    this.#flight = order.keep === undefined ? null : new FlightRecorder(file, ring.cpus.length, order.keep);
  }

  async #begin(): Promise<void> {
    const { path: instance, name, events, notes } = this.#instance;
    const { cgroup, countersMs: everyMs, path } = this.#order;
    const hierarchy = await memoryHierarchy(this.#machine);
    if (hierarchy !== null)
      this.#cgroups = await CgroupFollower.start(this.#machine, hierarchy.root, `${path}.cgroups`);
    await this.#instance.start();
    if (everyMs !== undefined) {
      const inodeOf = (folder: string): string | undefined => this.#cgroups?.inodeOf(folder);
      this.#counters = new CounterSampler(this.#machine, { instance, everyMs, hierarchy, cgroup, inodeOf });
      await this.#counters.sample();
    }
    const { chosen } = await clocks(this.#machine, instance);
    const { host, rights } = this.#machine;
    const bufferKiB = this.#bufferBytes / 1024;
    this.#say({ type: 'started', instance: name, host, rights, events, clock: chosen, bufferKiB, notes });
    this.#nextTurn(this.#machine.pace.turnMs);
  }

  #nextTurn(waitMs: number): void {
    if (this.#stopping !== null) return;
    this.#timer = setTimeout(() => {
      this.#turning = this.#turn();
    }, waitMs);
  }

  async #turn(): Promise<void> {
    const nowMs = performance.now() - this.#startedMs;
    try {
      // Somebody waits for the first event.
      const partial = this.#due('partial', nowMs, this.#settled ? this.#latencyMs : 0);
      let more = await this.#drain(partial);
      while (more && this.#stopping === null && performance.now() - this.#startedMs - nowMs < MOST_TURN_MS)
        more = await this.#drain(false);
      if (!this.#settled && this.#file.dataBytes > 0) await this.#settle();
      await this.#housekeeping(nowMs);
    } catch (error) {
      this.#fail(error);
      return;
    }
    const { durationMs, maxBytes } = this.#order;
    if (durationMs !== undefined && nowMs >= durationMs) void this.stop('duration');
    else if (maxBytes !== undefined && this.#file.dataBytes >= maxBytes) void this.stop('size');
    else this.#nextTurn(Math.max(0, this.#machine.pace.turnMs - (performance.now() - this.#startedMs - nowMs)));
  }

  /** CPUs are read one after the other: read again, each has shown whatever came before the first event of any. */
  async #settle(): Promise<void> {
    await this.#drain(true);
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
  async #drain(partial: boolean): Promise<boolean> {
    await this.#ring.drain(partial, (index, bytes) => this.#write(index, bytes));
    // A quarter of the buffer while it was read: it fills faster than a pause allows.
    return !partial && this.#ring.cpus.some(({ stats }) => stats.bytes > this.#bufferBytes / 4);
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

  async #housekeeping(nowMs: number): Promise<void> {
    if (this.#due('publish', nowMs, Math.min(PUBLISH_MS, this.#latencyMs))) {
      this.#flight?.drop(nowMs);
      this.#file.publish();
      this.#flight?.release(nowMs);
    }
    if (this.#due('names', nowMs, NAMES_MS) || nowMs < FIRST_NAMES_MS) {
      await this.#names.refresh();
      this.#file.setCmdlines(this.#names.text());
    }
    const { cgroup, statusMs } = this.#order;
    if (cgroup !== undefined && this.#due('follow', nowMs, this.#machine.pace.lookMs)) await this.#followNew(cgroup);
    if (this.#due('status', nowMs, statusMs)) this.#say({ type: 'status', ...(await this.#status()) });
  }

  /** Tasks that were moved into the cgroup; what followed tasks start is followed by the kernel. */
  async #followNew(cgroup: string): Promise<void> {
    let threads: number[];
    try {
      threads = await threadsOf(this.#machine, cgroup);
    } catch {
      return; // The cgroup was removed.
    }
    const fresh = threads.filter((thread) => !this.#followed.has(thread));
    if (fresh.length === 0) return;
    for (const thread of fresh) this.#followed.add(thread);
    await this.#instance.follow(fresh);
  }

  async #status(): Promise<CaptureStatus> {
    // Where the counts can not be had any more, those that were read last are told.
    await this.#ring.refresh().catch(() => {});
    const nowMs = performance.now() - this.#startedMs;
    const table = this.#file.table();
    const cpus = this.#ring.cpus.map(({ cpu, stats: { read, lost, bytes } }) => {
      const fill = Math.min(1, bytes / this.#bufferBytes);
      return { cpu, events: read, lost, fill, ...(table[cpu] as { offset: number; bytes: number }) };
    });
    const events = cpus.reduce((sum, cpu) => sum + cpu.events, 0) - this.#unwritten;
    const before = this.#before;
    const usedSeconds = this.#ring.usedSeconds();
    const seconds = Math.max(0.001, (nowMs - before.ms) / 1000);
    this.#before = { ms: nowMs, events, bytes: this.#bytes, usedSeconds };
    return {
      elapsedMs: nowMs,
      events,
      lost: cpus.reduce((sum, { lost }) => sum + lost, 0),
      bytes: this.#file.dataBytes,
      bytesPerSecond: (this.#bytes - before.bytes) / seconds,
      eventsPerSecond: (events - before.events) / seconds,
      cpuShare: (usedSeconds - before.usedSeconds) / seconds,
      diskFree: diskFree(this.#file.path),
      settled: this.#settled,
      cpus,
    };
  }

  #fail(error: unknown): void {
    const code = (error as NodeJS.ErrnoException).code ?? '';
    if (code === 'ENOSPC' || code === 'EDQUOT' || code === 'EFBIG') void this.stop('disk-full');
    else void this.stop('error', error instanceof Error ? error.message : String(error));
  }

  /**
   * Ends the capture: what is still in the ring buffer is written and the instance removed. The recording holds everything now, and
   * stays as it is until `complete`, so that whoever indexes it while it grows can read the rest. Never rejects.
   */
  stop(reason: StopReason, message = ''): Promise<void> {
    this.#stopping ??= this.#stop(reason, message);
    return this.#stopping;
  }

  async #stop(reason: StopReason, message: string): Promise<void> {
    clearTimeout(this.#timer);
    // A turn that stops the capture itself is through but for its return.
    await this.#turning;
    const notes: string[] = [];
    const ended: Ending = { reason, message, notes, status: null, statistics: [] };
    this.#ended = ended;
    await this.#attempt('last sample of counters', async () => this.#counters?.sample());
    await this.#attempt('stopping', () => this.#instance.stop());
    if (reason === 'disk-full') ended.message = await this.#diskFull();
    else await this.#attempt('reading what was left', () => this.#drainAll());
    this.#flight?.drop(performance.now() - this.#startedMs);
    await this.#attempt('publishing the last events', async () => this.#file.publish());
    const status = await this.#status();
    ended.status = status;
    ended.statistics = this.#ring.cpus.map(({ cpu, statsText }) => cpuStatOption(cpu, statsText));
    await this.#names.refresh();
    ended.statistics.push(...savedTgidsOption(await this.#names.threadGroups()));
    const removed = await this.#cleanUp().catch(() => false);
    if (!removed) notes.push(this.#leftBehind());
    this.#say({ type: 'drained', status });
  }

  #leftBehind(): string {
    const { host, lost } = this.#machine;
    const { name } = this.#instance;
    if (lost) return `${host} removes the tracing instance ${name} by itself, within a minute at most`;
    const clean = host === null ? 'remora record --clean' : `remora record -H ${host} --clean`;
    return `the tracing instance ${name} is in use by another program and stays: \`${clean}\` removes it later`;
  }

  async #diskFull(): Promise<string> {
    await this.#ring.refresh().catch(() => {});
    const left = this.#ring.cpus.reduce((sum, { stats }) => sum + stats.entries, this.#unwritten);
    const what = `the capture was stopped, and what was written is complete; ${left} events found no room`;
    return `the disk of ${this.#file.path} is full: ${what}`;
  }

  /** Completes the recording: after this its data may lie elsewhere in the file. */
  complete(): void {
    if (this.#ended?.status == null || this.#completed) return;
    this.#completed = true;
    const { reason, message, notes, status, statistics } = this.#ended;
    let sparse = true;
    try {
      sparse = this.#file.finish(this.#names.text(), statistics).sparse;
    } catch (error) {
      notes.push(`completing the recording: ${messageOf(error)}`);
    }
    this.#file.close();
    this.#say({ type: 'stopped', reason, message, status, sparse, notes });
  }

  async #attempt(what: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      const message = messageOf(error);
      // A connection that is lost is said once.
      if (message !== this.#ended?.message) this.#ended?.notes.push(`${what}: ${message}`);
    }
  }

  async #drainAll(): Promise<void> {
    while ((await this.#ring.drain(true, (index, bytes) => this.#write(index, bytes))) > 0);
  }

  async #cleanUp(): Promise<boolean> {
    this.#counters?.close();
    await this.#cgroups?.close();
    this.#ring.close();
    return this.#instance.remove();
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

function diskFree(path: string): number {
  try {
    const { bavail, bsize } = statfsSync(dirname(path));
    return bavail * bsize;
  } catch {
    return 0;
  }
}
