import { RemoraError, type TraceWarning } from '../../shared/errors.ts';
import { printByKernel } from '../engine/print-by-kernel.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { type ReportRequest, reportRecording } from '../query/report-recording.ts';
import type { InputOptions } from './input.ts';
import { reportOutput } from './report-output.ts';

export interface ReportCommandOptions extends InputOptions {
  raw?: boolean;
  latency?: boolean;
  fullTime?: boolean;
  cpu?: Set<number>;
  only?: string[];
}

export function single<T>(recordings: readonly T[]): T {
  const [recording, another] = recordings;
  if (recording !== undefined && another === undefined) return recording;
  throw new RemoraError({ code: 'bad-request', message: 'report prints one recording at a time.' });
}

/** Prints in one go, each piece written before the next is made: what is not read is not printed ahead. */
export function printRecording(
  source: ByteSource,
  head: RecordingHead,
  { raw, latency, fullTime, cpu, json }: ReportCommandOptions,
  keep: ReportRequest['keep'],
  fd: number,
): TraceWarning[] {
  endAtOnce();
  const request = { raw, latency, keep, cpus: cpu, nanoseconds: fullTime };
  const output = reportOutput(fd, json);
  const damage = reportRecording(source, head, request, (piece) => output.write(piece), printByKernel);
  output.end();
  return damage;
}

/** Printing gives Ctrl+C no turn, and nothing is left half-written by it: from here on it ends the process. */
export function endAtOnce(): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.removeAllListeners(signal);
}
