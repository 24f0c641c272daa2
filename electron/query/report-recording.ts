import type { TraceWarning } from '../../shared/errors.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import { Printer } from '../parse/print-format/printer.ts';
import type { RecordingHead } from '../parse/recording.ts';
import { type RecordSource, type RecordView, visitRecords } from './records.ts';
import { Report, type ReportOptions } from './report.ts';

/** What of a recording is reported, and how. */
export interface ReportRequest extends ReportOptions {
  /** -t: times with nine decimals. */
  nanoseconds?: boolean;
  /** --cpu: those CPUs alone, of the file's first buffer: where CPUs are named, trace-cmd leaves the other buffers out. */
  cpus?: ReadonlySet<number>;
}

/** What is to be printed, and what prints it. */
export interface RecordsToPrint {
  report: Report;
  printer: Printer;
  options: ReportOptions;
  buffers: readonly RecordSource[];
  keepCpu: (cpu: number) => boolean;
}

/** Prints all records in the order of RecordWalk. Returns the damage met. */
export type PrintRecords = (records: RecordsToPrint) => TraceWarning[];

export const printEach: PrintRecords = ({ report, buffers, keepCpu }) =>
  visitRecords(buffers, (record) => report.add(record), keepCpu);

/**
 * Writes what `trace-cmd report` prints for a recording, in pieces that are borrowed for the call. Returns the damage of
 * the event data that was met on the way; that of the file's head is told by the head.
 */
export function reportRecording(
  source: ByteSource,
  head: RecordingHead,
  request: ReportRequest,
  write: (piece: Uint8Array) => void,
  print: PrintRecords = printEach,
): TraceWarning[] {
  const { nanoseconds = false, cpus, keep, ...layout } = request;
  const printer = new Printer(head, { nanoseconds });
  // Where there is a function graph, all CPUs are read: their records decide what is one line.
  const readAll = cpus === undefined || printer.leaves !== null;
  const options = {
    ...layout,
    keep:
      cpus === undefined || !readAll ? keep : (record: RecordView) => cpus.has(record.cpu) && (keep?.(record) ?? true),
  };
  const report = new Report(head, printer, write, options);
  const text = latencyText(source, head);
  report.header(text);
  const buffers = text === null ? head.buffers.map((buffer) => ({ source, head, buffer })) : [];
  const warnings = print({
    report,
    printer,
    options,
    buffers: cpus === undefined ? buffers : buffers.slice(0, 1),
    keepCpu: (cpu) => readAll || cpus.has(cpu),
  });
  report.end();
  return warnings;
}

/** A latency tracer's text, which such a recording holds in place of events; null where it has none. */
export function latencyText(source: ByteSource, head: RecordingHead): Uint8Array | null {
  if (head.latencyText === null) return null;
  const { offset, bytes, compressed = false } = head.latencyText;
  const data = { cpu: 0, offset, bytes, compressed, littleEndian: head.abi.littleEndian };
  const text = openCpuBytes(source, data, head.compression);
  return text.read(0, text.size);
}
