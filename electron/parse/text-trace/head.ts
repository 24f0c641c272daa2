import { NO_TEXT } from '../byte-source.ts';
import type { CpuData, RecordingBuffer, RecordingHead, TimeCorrection } from '../recording.ts';
import type { TextDialect } from './dialect.ts';
import type { EventNames } from './event-names.ts';
import type { SurveyedStream, TextSurvey } from './survey.ts';

/** What is needed to read the events of a recording that is text again, the way the survey read them. */
export interface TextRecords {
  dialect: TextDialect;
  names: EventNames;
  /** By the scanner's stream index: the buffer's place among the head's, and its first event's time; null where it has none. */
  streams: ({ buffer: number; seconds: number; nanoseconds: number } | null)[];
  /** Names of the streams, for the scanner. */
  streamNames: string[];
  /** The events stand in time order, so that the text is its own report. */
  ordered: boolean;
}

const NO_CORRECTION: TimeCorrection = { offsetNs: 0n, ticks: null, shifts: new Map(), interpolateShifts: false };

/** Where the text lies in the recording's file: all of it, or a section that holds a latency tracer's. */
export type TextPlace = Pick<CpuData, 'offset' | 'bytes' | 'compressed'>;

/**
 * The head of a recording that is text, from the survey of it. Every CPU's data is the whole text: a position is a place in
 * it, and an event's record is its line.
 */
export function textHead(survey: TextSurvey, place: TextPlace): RecordingHead {
  const empty: RecordingHead = {
    format: 'ftrace text',
    version: 0,
    compression: 'none',
    abi: { littleEndian: true, longBytes: 8 },
    pageBytes: 4096,
    uname: '',
    headerPage: '',
    headerEvent: '',
    formats: [],
    kallsyms: () => NO_TEXT,
    printkFormats: '',
    comms: new Map(),
    tgids: new Map(),
    options: [],
    buffers: [],
    cpuCount: 0,
    traceClock: '',
    latencyText: null,
    text: null,
    warnings: [],
  };
  return withText(empty, survey, place);
}

/** The same head, its events those of a text. */
export function withText(head: RecordingHead, survey: TextSurvey, place: TextPlace): RecordingHead {
  const withEvents = survey.streams.filter(({ events }) => events > 0);
  const shown = withEvents.length > 0 ? withEvents : survey.streams;
  const buffers = shown.map((stream) => bufferOf(stream, place, head.abi.littleEndian));
  return {
    ...head,
    uname: head.uname || survey.uname,
    formats: survey.formats,
    comms: new Map([...survey.comms, ...head.comms]),
    tgids: new Map([...survey.tgids, ...head.tgids]),
    buffers,
    cpuCount: Math.max(head.cpuCount, new Set(shown.flatMap((stream) => [...stream.cpus])).size),
    traceClock: head.traceClock || (buffers[0]?.clock ?? ''),
    text: {
      dialect: survey.dialect,
      names: survey.names,
      streams: survey.streams.map((stream) => {
        const buffer = shown.indexOf(stream);
        return buffer < 0 ? null : { buffer, seconds: stream.seconds, nanoseconds: stream.nanoseconds };
      }),
      streamNames: survey.streams.map(({ name }) => name),
      ordered: survey.ordered,
    },
    warnings: [...head.warnings, ...survey.warnings],
  };
}

function bufferOf({ name, cpus, time }: SurveyedStream, place: TextPlace, littleEndian: boolean): RecordingBuffer {
  return {
    name,
    // Seconds are of a clock in ns, most often `local`; a bare count's clock the text does not name.
    clock: time === 'count' ? 'counter' : 'local',
    subBufferBytes: 4096,
    cpus: [...cpus].sort((a, b) => a - b).map((cpu) => ({ cpu, ...place, littleEndian })),
    time: NO_CORRECTION,
  };
}
