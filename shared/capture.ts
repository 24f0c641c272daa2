import * as z from 'zod';
import type { WorkspaceSummary } from './model.ts';

/**
 * Capturing from a live machine: what a person chooses, what the machine offers, and what a running capture tells. The
 * dialog fills `CaptureSettings` in, profiles keep them, the command line makes the same, and the capture process obeys.
 */

/** Longest list of events by name; `all` and `SYSTEM` are patterns. */
const MOST_CHOICES = 4000;

/** Another machine, as ssh names it: `HOST`, `USER@HOST`, `ssh://USER@HOST:PORT`, or a name of the user's ssh configuration. */
export const hostSchema = z
  .string()
  .min(1)
  .max(255)
  .regex(/^[^\s-][^\s]*$/, 'It is no host that ssh could connect to.');

/** Made when somebody captures: see params in api.ts. */
export const captureSettingsShape = () =>
  z.object({
    /** The machine whose kernel is traced; absent: the engine's own. */
    host: hostSchema.optional(),
    /** The recording to write; an absolute path. */
    path: z.string().min(1).max(4096),
    /**
     * What to capture: patterns in trace-cmd's forms (`SYSTEM:EVENT`, `SYSTEM`, `all`, with `*`, `?`, `[…]`) and a condition
     * in the filter language for their events, as far as the kernel can test it.
     */
    events: z
      .array(z.object({ pattern: z.string().min(1).max(400), filter: z.string().max(2000).optional() }))
      .min(1)
      .max(MOST_CHOICES),
    clock: z.string().max(40).optional(),
    /** Ring buffer of each CPU. */
    bufferKiB: z.number().int().positive().optional(),
    cpus: z.array(z.number().int().nonnegative()).optional(),
    pids: z.array(z.number().int().nonnegative()).optional(),
    /** A folder of cgroupfs, on the traced machine: its tasks and those of the folders below are followed. */
    cgroup: z.string().max(4096).optional(),
    stacks: z.boolean().optional(),
    /** Between samples of counters; absent: none. */
    countersMs: z.number().int().positive().optional(),
    durationMs: z.number().positive().optional(),
    maxBytes: z.number().int().positive().optional(),
    /** Flight recorder: the oldest is given up so that no more than this is kept. */
    keep: z.object({ ms: z.number().positive().optional(), bytes: z.number().int().positive().optional() }).optional(),
  });
export const captureSettingsSchema = z.lazy(captureSettingsShape);
export type CaptureSettings = z.input<typeof captureSettingsSchema>;

/** What a machine can capture. */
export interface MachineOptions {
  /** How the capture has the rights to trace, in words; empty where it simply has them. */
  rights: string;
  /** Where tracefs is; empty where there is none. */
  tracefs: string;
  /** By name of the system. */
  systems: { name: string; events: string[] }[];
  presets: CapturePreset[];
  clocks: { all: string[]; chosen: string };
  /** CPUs with a ring buffer, ascending. */
  cpus: number[];
  /** Ring buffer of each CPU where nothing else is asked for, and memory of the machine. */
  bufferKiB: number;
  memoryBytes: number;
  /** Where cgroups are; empty where cgroupfs is not mounted. */
  cgroupRoot: string;
  /** cgroups, by their path below the root, sorted; the first thousand. */
  cgroups: string[];
  /** Tracing instances of ours that a killed capture left behind. */
  stale: string[];
}

/** What can be captured and where it goes. */
export interface CaptureOptions extends MachineOptions {
  /**
   * Null: it can. Else what is missing, and the command that would help where one would. `elevate`: asking again with `elevate`
   * lets the system ask the person at this machine for the rights.
   */
  problem: { message: string; command: string; elevate: boolean } | null;
  /** A recording's path that nothing has yet, and free room on its disk. */
  path: string;
  diskFree: number;
}

/** Events for a question; `events` are those of its events that this kernel has, as `system:name`. */
export interface CapturePreset {
  name: string;
  title: string;
  events: string[];
}

/** What a capture with these settings would take, measured by a short one. */
export interface CaptureEstimate {
  /** How long was measured. */
  elapsedMs: number;
  eventsPerSecond: number;
  bytesPerSecond: number;
  lost: number;
  /** Share of one CPU that the capture itself used, 0 to 1 and more. */
  cpuShare: number;
  /** What was asked for and cannot be had exactly, in words. */
  notes: string[];
}

/** A capture that runs. */
export interface CaptureInfo {
  captureId: string;
  path: string;
  /** The traced machine; null: the engine's own. */
  host: string | null;
  /** Name of its tracing instance. */
  instance: string;
  /** How many events were switched on. */
  events: number;
  clock: string;
  bufferKiB: number;
  /** Only the last of it is kept: it can be looked at when it has stopped. */
  flightRecorder: boolean;
  notes: string[];
}

/** Gauges of a running capture. */
export interface CaptureGauges {
  elapsedMs: number;
  /** Events read out of the ring buffers, and those that the kernel lost. */
  events: number;
  lost: number;
  /** Bytes of event data in the recording, and rates since the last report. */
  bytes: number;
  bytesPerSecond: number;
  eventsPerSecond: number;
  /** Share of one CPU that the capture uses on the traced machine, 0 to 1 and more. */
  cpuShare: number;
  /** Free room on the recording's disk, in bytes. */
  diskFree: number;
  cpus: { cpu: number; events: number; lost: number /** 0 to 1. */; fill: number }[];
}

/** How far the recording has grown, as far as it is indexed. */
export interface CaptureGrowth {
  events: number;
  lost: number;
  /** Times of the first event that is there and of the last, relative to the workspace's origin, ns. */
  fromNs: number;
  durationNs: number;
}

/** What a running capture tells several times a second. */
export interface CaptureNews {
  gauges: CaptureGauges;
  /** Null until there are events to look at. */
  growth: CaptureGrowth | null;
  /** The workspace as it is by now; told at first and where more than its length has changed. */
  summary?: WorkspaceSummary;
}

/** How a capture ended. */
export interface CaptureEnd {
  path: string;
  /** Why, in words; empty where it was asked for. */
  message: string;
  /** False: something went wrong (a full disk, a killed process); what was written is kept. */
  good: boolean;
  notes: string[];
  gauges: CaptureGauges | null;
}
