import { setImmediate as nextTurn } from 'node:timers/promises';
import { RemoraError } from '../../shared/errors.ts';
import { Printer } from '../parse/print-format/printer.ts';
import { RecordWalk } from '../query/records.ts';
import { Report } from '../query/report.ts';
import { latencyText } from '../query/report-recording.ts';
import { reportText, type TextReportRequest } from '../query/text-report.ts';
import type { Trace } from '../query/trace.ts';
import { type EventSelection, visitEvents } from './convert-events.ts';
import type { ByteSink } from './convert-output.ts';

/** Records printed between two turns of the event loop. */
const RECORDS_A_TURN = 1 << 14;

/** Writes what `remora report` prints of the workspace's one recording. */
export async function writeReport(trace: Trace, selection: EventSelection, sink: ByteSink): Promise<void> {
  const [recording, another] = trace.recordings;
  if (recording === undefined || another !== undefined) {
    const message = 'A .txt is the report of one recording: convert one at a time.';
    throw new RemoraError({ code: 'bad-request', message });
  }
  const { source, head } = recording;
  const write = (piece: Uint8Array): void => sink.write(piece);
  const keep = await selected(trace, selection);
  if (head.format === 'ftrace text') {
    reportText(trace, { keep }, write);
    return;
  }
  const text = latencyText(source, head);
  const report = new Report(head, new Printer(head), write, keep === undefined ? {} : { keep });
  report.header(text);
  const buffers = text === null ? head.buffers.map((buffer) => ({ source, head, buffer })) : [];
  const walk = new RecordWalk(buffers);
  const total = trace.streams.reduce((sum, { info }) => sum + info.events, 0);
  let done = 0;
  for (let more = true; more; ) {
    if (selection.signal.aborted) throw new RemoraError({ code: 'cancelled', message: 'the conversion was cancelled' });
    more = walk.visit((record) => report.add(record), RECORDS_A_TURN);
    done += RECORDS_A_TURN;
    selection.onProgress?.(Math.min(done, total), total);
    await nextTurn();
  }
  report.end();
}

/** Which records are printed; undefined: all. A byte per event, where there is a choice. */
async function selected(trace: Trace, selection: EventSelection): Promise<TextReportRequest['keep']> {
  if (selection.window === null && selection.filter.trim() === '') return undefined;
  const kept = trace.streams.map(({ cpus }) => new Map(cpus.map(({ cpu, events }) => [cpu, new Uint8Array(events)])));
  await visitEvents(trace, selection, ({ stream, cpu, index }) => {
    (kept[stream.info.index]?.get(cpu) as Uint8Array)[index] = 1;
  });
  // A recording's streams are its buffers in the file's order.
  return ({ buffer, cpu, index }) => kept[buffer]?.get(cpu)?.[index] === 1;
}
