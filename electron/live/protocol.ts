import * as z from 'zod';
import { captureSettingsShape, type MachineOptions } from '../../shared/capture.ts';

/**
 * What a capture process is told and what it says: lines of JSON on its standard input and output, one request after the other.
 * While it captures it takes `stop`. When it says `drained`, the recording holds everything, and `complete` lets it take its final
 * form; without an answer that happens by itself after a while. The end of the input means that whoever asked is gone: it
 * stops, completes and ends.
 */
export const captureOrder = z.lazy(() => {
  const settings = captureSettingsShape();
  return settings.extend({
    events: settings.shape.events.min(0),
    /** Presets of events, which the machine's own list of events completes. */
    presets: z.array(z.string()).default([]),
    /** How long an event may wait in a sub-buffer that is not full. */
    latencyMs: z.number().int().positive().default(400),
    /** Between status reports. */
    statusMs: z.number().int().positive().default(500),
    /** Who asks, as the recording's VERSION option names it. */
    program: z.string().default('remora'),
  });
});
export type CaptureOrder = z.input<typeof captureOrder>;
export type CheckedCaptureOrder = z.output<typeof captureOrder>;

export const captureRequest = z.lazy(() =>
  z.discriminatedUnion('do', [
    /** What the machine can capture. */
    z.object({ do: z.literal('options') }),
    /** Instances of captures that were killed: named, or removed. */
    z.object({ do: z.literal('stale'), remove: z.boolean() }),
    z.object({ do: z.literal('capture'), order: captureOrder }),
    z.object({ do: z.literal('stop') }),
    z.object({ do: z.literal('complete') }),
  ]),
);
export type CaptureRequest = z.input<typeof captureRequest>;

const cpuStatus = z.lazy(() =>
  z.object({
    cpu: z.number(),
    /** Events read out of the ring buffer, and events that the kernel lost. */
    events: z.number(),
    lost: z.number(),
    /** How full the ring buffer is, 0 to 1. */
    fill: z.number(),
    /** Where the CPU's data is in the recording. */
    offset: z.number(),
    bytes: z.number(),
  }),
);

const statusShape = () =>
  z.object({
    /** Since the capture began. */
    elapsedMs: z.number(),
    events: z.number(),
    lost: z.number(),
    /** Bytes of event data in the recording, and since the last report, per second. */
    bytes: z.number(),
    bytesPerSecond: z.number(),
    eventsPerSecond: z.number(),
    /** What capturing takes of a CPU of the traced machine, 0 to 1 and more. */
    cpuShare: z.number(),
    /** Free room on the recording's disk, in bytes. */
    diskFree: z.number(),
    /** Every CPU was read once more since the first event came: none comes any more that is earlier. */
    settled: z.boolean().default(false),
    cpus: z.array(cpuStatus),
  });
const status = z.lazy(statusShape);
export type CaptureStatus = z.infer<typeof status>;

const errorDetail = z.lazy(() =>
  z.object({
    code: z.string(),
    message: z.string(),
    file: z.string().optional(),
    position: z.number().optional(),
    choice: z.number().optional(),
  }),
);

export const stopReasons = ['asked', 'parent', 'signal', 'duration', 'size', 'disk-full', 'error'] as const;
export type StopReason = (typeof stopReasons)[number];

export const captureMessage = z.lazy(() =>
  z.discriminatedUnion('type', [
    z.object({ type: z.literal('options'), options: z.custom<MachineOptions>((value) => value instanceof Object) }),
    z.object({
      type: z.literal('stale'),
      stale: z.array(z.string()),
      removed: z.array(z.string()),
      kept: z.array(z.string()),
    }),
    /** Events are being captured. */
    z.object({
      type: z.literal('started'),
      instance: z.string(),
      host: z.string().nullable(),
      rights: z.string(),
      events: z.array(z.object({ system: z.string(), name: z.string() })),
      clock: z.string(),
      bufferKiB: z.number(),
      notes: z.array(z.string()),
    }),
    statusShape().extend({ type: z.literal('status') }),
    /** No more events come: `status` says where they are until `complete`. The instance is gone. */
    z.object({ type: z.literal('drained'), status }),
    /** The recording is complete and the instance gone (or named in `notes`). The last of a capture. */
    z.object({
      type: z.literal('stopped'),
      reason: z.enum(stopReasons),
      message: z.string(),
      status,
      sparse: z.boolean(),
      notes: z.array(z.string()),
    }),
    /** What was asked for could not be done or begun: nothing was written, nothing is left behind. */
    z.object({ type: z.literal('failed'), detail: errorDetail }),
  ]),
);
export type CaptureMessage = z.infer<typeof captureMessage>;
