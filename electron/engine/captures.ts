import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  CaptureEnd,
  CaptureEstimate,
  CaptureGauges,
  CaptureInfo,
  CaptureNews,
  CaptureOptions,
  CaptureSettings,
} from '../../shared/capture.ts';
import { RemoraError, toErrorDetail } from '../../shared/errors.ts';
import type { RunningCapture } from '../live/capture-client.ts';
import type { CaptureStatus } from '../live/protocol.ts';
import { recoverRecording } from '../live/recover.ts';
import { captureOptions } from './capture-options.ts';
import { CaptureProcesses } from './capture-processes.ts';
import { RecentFiles } from './files.ts';
import { LiveWorkspace } from './live-workspace.ts';
import type { Sessions } from './sessions.ts';

/** For somebody who looks at it while it happens: how long an event may wait, and how often the capture tells. */
const LATENCY_MS = 40;
const STATUS_MS = 40;
/** A summary is told at least this often while something grows. */
const SUMMARY_MS = 500;
/** A capture that nobody watches any more is stopped after this long: a reloaded tab and a lost connection come back. */
const UNWATCHED_MS = 30_000;
/** The finished workspace stays open this long for whoever will open it. */
const KEEP_MS = 30_000;
const ESTIMATE_MS = 600;
const ESTIMATE_STATUS_MS = 200;
const ESTIMATE_BYTES = 1 << 28;

type Listener = (news: CaptureNews) => void;

/** The captures that this engine runs. */
export class Captures {
  readonly #sessions: Sessions;
  readonly #program: string;
  readonly #unwatchedMs: number;
  readonly #running = new Map<string, LiveCapture>();
  readonly processes = new CaptureProcesses();

  constructor(sessions: Sessions, version: string, unwatchedMs = UNWATCHED_MS) {
    this.#sessions = sessions;
    this.#unwatchedMs = unwatchedMs;
    this.#program = `remora ${version}`;
  }

  /** Throws what the capture process could not do. */
  async start(settings: CaptureSettings): Promise<CaptureInfo> {
    const capture = new LiveCapture(this.#sessions, this.processes, settings, this.#unwatchedMs);
    await capture.start(this.#program);
    const { captureId } = capture.info;
    this.#running.set(captureId, capture);
    capture.ended.finally(() => this.#running.delete(captureId)).catch(() => {});
    return capture.info;
  }

  /** What a machine can capture; see captureOptions. */
  options(host: string | undefined, elevate: boolean): Promise<CaptureOptions> {
    return captureOptions(this.processes, host, elevate);
  }

  list(): CaptureInfo[] {
    return [...this.#running.values()].map(({ info }) => info);
  }

  watch(captureId: string, signal: AbortSignal, onNews: Listener): Promise<CaptureEnd> {
    return this.#get(captureId).watch(signal, onNews);
  }

  stop(captureId: string): Promise<CaptureEnd> {
    return this.#get(captureId).stop();
  }

  /** Until the recording of a capture that has ended is complete; at once where there is none. */
  async untilComplete(path: string): Promise<void> {
    for (const capture of this.#running.values()) if (capture.info.path === path && capture.ending) await capture.ended;
  }

  #get(captureId: string): LiveCapture {
    const capture = this.#running.get(captureId);
    if (capture !== undefined) return capture;
    throw new RemoraError({ code: 'not-found', message: 'this capture has ended: open its recording' });
  }

  /** Stops everything and waits until the recordings are complete. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#running.values()].map((capture) => capture.stop()));
    await this.processes.close();
  }

  /** Captures for a moment into a folder that is removed again. */
  async estimate(settings: CaptureSettings, signal: AbortSignal): Promise<CaptureEstimate> {
    const folder = mkdtempSync(join(tmpdir(), 'remora-estimate-'));
    try {
      const { keep: _keep, countersMs: _countersMs, ...rest } = settings;
      const limits = { path: join(folder, 'estimate.dat'), durationMs: ESTIMATE_MS, maxBytes: ESTIMATE_BYTES };
      const order = { ...rest, ...limits, latencyMs: LATENCY_MS, statusMs: ESTIMATE_STATUS_MS, program: this.#program };
      // While it runs: beginning and ending cost more, once.
      let cpuShare = 0;
      const onStatus = (status: CaptureStatus): void => {
        ({ cpuShare } = status);
      };
      const { started, stopped } = await this.processes.ask(settings.host, async (process) => {
        signal.throwIfAborted();
        const capture = await process.capture(order, onStatus);
        const stop = (): void => capture.stop();
        signal.addEventListener('abort', stop, { once: true });
        if (signal.aborted) stop();
        return { started: capture.started, stopped: await capture.ended };
      });
      const { status, notes } = stopped;
      const seconds = Math.max(0.001, status.elapsedMs / 1000);
      return {
        elapsedMs: status.elapsedMs,
        eventsPerSecond: (status.events + status.lost) / seconds,
        bytesPerSecond: status.bytes / seconds,
        lost: status.lost,
        cpuShare,
        notes: [...started.notes, ...notes],
      };
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }
}

/** One capture with its workspace and who watches it. */
class LiveCapture {
  info: CaptureInfo;
  /** Settles when the recording is complete and can be opened. Never rejects. */
  ended: Promise<CaptureEnd> = Promise.reject(new Error('not started'));
  readonly #sessions: Sessions;
  readonly #processes: CaptureProcesses;
  readonly #settings: CaptureSettings;
  readonly #unwatchedMs: number;
  readonly #listeners = new Map<Listener, { summaryMs: number; kinds: string }>();
  #capture: RunningCapture | null = null;
  #workspace: LiveWorkspace | null = null;
  #status: CaptureStatus | null = null;
  /** Has come, and is not taken in yet. */
  #waiting: CaptureStatus | null = null;
  /** Why the workspace could not be kept up to date; the capture goes on. */
  #trouble: string | null = null;
  #unwatched: NodeJS.Timeout | undefined;
  #release = (): void => {};
  /** The capture process is through, or gone. */
  ending = false;

  constructor(sessions: Sessions, processes: CaptureProcesses, settings: CaptureSettings, unwatchedMs: number) {
    this.#processes = processes;
    this.ended.catch(() => {});
    this.#unwatchedMs = unwatchedMs;
    this.#sessions = sessions;
    this.#settings = settings;
    const { path, keep } = settings;
    const captureId = randomBytes(8).toString('hex');
    const nothing = { host: null, instance: '', events: 0, clock: '', bufferKiB: 0, notes: [] };
    this.info = { captureId, path, flightRecorder: keep !== undefined, ...nothing };
  }

  async start(program: string): Promise<void> {
    const order = { ...this.#settings, program, latencyMs: LATENCY_MS, statusMs: STATUS_MS };
    const onStatus = (status: CaptureStatus): void => this.#takeIn(status);
    const onDrained = (status: CaptureStatus): void => {
      this.#grown(status);
      // Its data is about to be moved to where it stays.
      if (this.#workspace === null) return;
      this.#workspace.freeze();
      this.#release = this.#sessions.hold(this.#workspace.session.id);
    };
    const capture = await this.#processes.capture(order, onStatus, onDrained);
    this.#capture = capture;
    const { instance, host, events, clock, bufferKiB, notes } = capture.started;
    this.info = { ...this.info, host, instance, events: events.length, clock, bufferKiB, notes };
    this.ended = this.#finish(capture);
    this.#countDown();
    // While the answer is on its way: the first events need not wait for it.
    setImmediate(() => this.#prepare());
  }

  stop(): Promise<CaptureEnd> {
    this.#capture?.stop();
    return this.ended;
  }

  async watch(signal: AbortSignal, onNews: Listener): Promise<CaptureEnd> {
    clearTimeout(this.#unwatched);
    this.#listeners.set(onNews, { summaryMs: Number.NEGATIVE_INFINITY, kinds: '' });
    if (this.#status !== null) this.#tell(onNews, this.#status);
    const left = new Promise<never>((_resolve, reject) => {
      const leave = (): void => reject(new RemoraError({ code: 'cancelled', message: 'the request was cancelled' }));
      signal.addEventListener('abort', leave, { once: true });
      if (signal.aborted) leave();
    });
    try {
      return await Promise.race([this.ended, left]);
    } finally {
      this.#listeners.delete(onNews);
      if (this.#listeners.size === 0) this.#countDown();
    }
  }

  #countDown(): void {
    clearTimeout(this.#unwatched);
    this.#unwatched = setTimeout(() => this.#capture?.stop(), this.#unwatchedMs);
    this.#unwatched.unref();
  }

  /**
   * Reports that came while the engine was busy are one step: the last of them says it all. Requests that wait have their turn
   * in between.
   */
  #takeIn(status: CaptureStatus): void {
    if (this.#waiting === null)
      setImmediate(() => this.#waiting !== null && !this.ending && this.#grown(this.#waiting));
    this.#waiting = status;
  }

  #grown(status: CaptureStatus): void {
    this.#waiting = null;
    this.#status = status;
    if (this.#trouble === null) {
      try {
        this.#advance(status);
      } catch (error) {
        this.#trouble = toErrorDetail(error).message;
      }
    }
    for (const listener of [...this.#listeners.keys()]) this.#tell(listener, status);
  }

  /** Makes the workspace, before there is anything to put into it. */
  #prepare(): void {
    if (this.ending) return;
    try {
      this.#make();
    } catch (error) {
      this.#trouble ??= toErrorDetail(error).message;
    }
  }

  #advance({ cpus, settled }: CaptureStatus): void {
    const workspace = this.#make();
    const before = workspace.growth;
    workspace.advance(cpus, settled);
    if (before === null && workspace.growth !== null) this.#sessions.add(workspace.session);
  }

  #make(): LiveWorkspace {
    const { path, keep } = this.#settings;
    this.#workspace ??= new LiveWorkspace(path, this.#sessions.cacheFolder, keep);
    return this.#workspace;
  }

  #tell(listener: Listener, status: CaptureStatus): void {
    const told = this.#listeners.get(listener);
    const growth = this.#workspace?.growth ?? null;
    const news: CaptureNews = { gauges: gaugesOf(status), growth };
    if (told !== undefined && growth !== null && this.#workspace !== null) {
      const { trace } = this.#workspace.session;
      const kinds = `${trace.eventTypes.length} ${trace.streams[0]?.cpus.length} ${trace.cgroups.length}`;
      const now = performance.now();
      if (told.kinds !== kinds || now - told.summaryMs >= SUMMARY_MS) {
        news.summary = this.#workspace.summary();
        Object.assign(told, { kinds, summaryMs: now });
      }
    }
    listener(news);
  }

  async #finish(capture: RunningCapture): Promise<CaptureEnd> {
    const { path } = this.#settings;
    const end: CaptureEnd = { path, message: '', good: true, notes: [], gauges: null };
    let complete = true;
    try {
      const { message, reason, notes, status } = await capture.ended;
      const good = reason !== 'error' && reason !== 'disk-full';
      Object.assign(end, { message, good, notes: [...notes], gauges: gaugesOf(status) });
    } catch (error) {
      complete = false;
      end.good = false;
      end.message = toErrorDetail(error).message;
      end.gauges = this.#status === null ? null : gaugesOf(this.#status);
    }
    this.ending = true;
    clearTimeout(this.#unwatched);
    if (this.#trouble !== null) end.notes.push(`the live view stopped: ${this.#trouble}`);
    try {
      await this.#open(complete, end);
      new RecentFiles(this.#sessions.cacheFolder).add([path]);
    } catch (error) {
      end.good = false;
      end.message = [end.message, toErrorDetail(error).message].filter((text) => text !== '').join('; ');
    } finally {
      this.#release();
    }
    return end;
  }

  /** Makes the recording's workspace, and keeps it open for a while for those who watched. */
  async #open(complete: boolean, end: CaptureEnd): Promise<void> {
    const { path } = this.#settings;
    const workspace = this.#workspace;
    // What a flight recorder has left begins elsewhere than its index says.
    const kept = complete && this.#trouble === null && !this.info.flightRecorder;
    const indexed = kept && workspace !== null && workspace.growth !== null;
    if (!complete && recoverRecording(path) !== null) {
      end.message = `${end.message.replace(/;.*/s, '')}; what was written until then was recovered`;
    }
    let id: string;
    if (indexed) {
      ({ id } = await this.#sessions.complete(workspace.session.id, () => {
        workspace.settle();
        return { paths: [path] };
      }));
    } else if (workspace !== null && workspace.growth !== null) {
      ({ id } = await this.#sessions.complete(workspace.session.id, () => {
        workspace.discard();
        return { paths: [path] };
      }));
    } else {
      workspace?.discard();
      ({ id } = await this.#sessions.open({ paths: [path] }));
    }
    setTimeout(() => this.#sessions.close(id), KEEP_MS).unref();
  }
}

function gaugesOf(status: CaptureStatus): CaptureGauges {
  const { elapsedMs, events, lost, bytes, bytesPerSecond, eventsPerSecond, cpuShare, diskFree } = status;
  const cpus = status.cpus.map((each) => ({ cpu: each.cpu, events: each.events, lost: each.lost, fill: each.fill }));
  return { elapsedMs, events, lost, bytes, bytesPerSecond, eventsPerSecond, cpuShare, diskFree, cpus };
}
