import type { TraceWarning } from '../../../shared/errors.ts';
import { latin1 } from '../cursor.ts';
import type { EventFormat } from '../event-format.ts';
import type { Annotation } from './annotation.ts';
import type { TextBody } from './body.ts';
import type { TextDialect } from './dialect.ts';
import { EventNames } from './event-names.ts';
import { FieldSurvey } from './field-survey.ts';
import { MOST_CPUS, type TimeKind, type TraceLine } from './line.ts';
import { TextScanner, type TextSink } from './scanner.ts';
import { systemOf } from './systems.ts';

/** One stream of a text: what its lines say about it. */
export interface SurveyedStream {
  name: string;
  cpus: Set<number>;
  events: number;
  /** Its earliest event: the stream's origin. */
  seconds: number;
  nanoseconds: number;
  time: TimeKind;
}

/** What one pass over a text tells about it, before any event is kept. */
export interface TextSurvey {
  dialect: TextDialect;
  names: EventNames;
  /** By the scanner's index; one without events may be among them. */
  streams: SurveyedStream[];
  formats: EventFormat[];
  comms: Map<number, string>;
  tgids: Map<number, number>;
  /** The kernel's release, where a latency header names it. */
  uname: string;
  /** No event is earlier than the one above it. */
  ordered: boolean;
  warnings: TraceWarning[];
}

/** Lines that are told one by one; the others are counted. */
const MOST_TOLD = 16;
const MOST_WARNINGS = 256;
const UNKNOWN_COMM = '<...>';

function isName(name: string, bytes: Uint8Array, from: number, to: number): boolean {
  if (name.length !== to - from) return false;
  for (let i = 0; i < name.length; i++) if (name.charCodeAt(i) !== bytes[from + i]) return false;
  return true;
}

/** Reads a text from its beginning: feed batches to `scan`, then `finish`. */
export class TextSurveyor implements TextSink {
  readonly #file: string;
  readonly #dialect: TextDialect;
  readonly #names = new EventNames();
  readonly #streamNames: string[] = [];
  readonly #streams: SurveyedStream[] = [];
  readonly #fields: FieldSurvey[] = [];
  readonly #counts: number[] = [];
  /** As latin1, so that bytes compare with it; decoded at the end. */
  readonly #comms = new Map<number, string>();
  readonly #tgids = new Map<number, number>();
  readonly #warnings: TraceWarning[] = [];
  readonly #scanner: TextScanner;
  readonly #unparsedId: number;
  #unparsed = 0;
  #uname = '';
  #ordered = true;
  #lastSeconds = Number.NEGATIVE_INFINITY;
  #lastNanoseconds = 0;
  #timeless = false;

  constructor(file: string, dialect: TextDialect) {
    this.#file = file;
    this.#dialect = dialect;
    this.#scanner = new TextScanner(dialect, this.#names, this.#streamNames, this);
    this.#unparsedId = this.#names.id('unparsed');
    this.#timeless = dialect.first.time === 'none';
  }

  /** See TextScanner.scan. */
  scan(bytes: Uint8Array, position: number, last: boolean): number {
    return this.#scanner.scan(bytes, position, last);
  }

  event(bytes: Uint8Array, line: TraceLine, body: TextBody, id: number, stream: number, position: number): void {
    this.#place(line, stream);
    if (
      line.seconds < this.#lastSeconds ||
      (line.seconds === this.#lastSeconds && line.nanoseconds < this.#lastNanoseconds)
    )
      this.#ordered = false;
    this.#lastSeconds = line.seconds;
    this.#lastNanoseconds = line.nanoseconds;
    this.#counts[id] = (this.#counts[id] ?? 0) + 1;
    if (id === this.#unparsedId) {
      this.#tellUnparsed(bytes, line, position);
      return;
    }
    if (line.pid >= 0 && line.commTo > line.commFrom) this.#noteTask(bytes, line);
    this.#fieldsOf(id).add(bytes, Math.min(body.infoFrom, body.infoTo), body.infoTo);
  }

  lost(stream: number, cpu: number): void {
    if (cpu < MOST_CPUS) this.#streamAt(stream).cpus.add(cpu);
  }

  annotation(annotation: Annotation): void {
    if (annotation.kind === 'kernel') this.#uname ||= annotation.release;
    if (annotation.kind === 'entries' && annotation.written > annotation.inBuffer) {
      this.#warn(
        0,
        `${annotation.written - annotation.inBuffer} of ${annotation.written} events were overwritten in the kernel's buffer before this text was made`,
      );
    }
  }

  damage(position: number, message: string): void {
    this.#warn(position, message);
  }

  #streamAt(index: number): SurveyedStream {
    // Streams are met in the order of their indexes, but the first need not be the unnamed one.
    while (this.#streams.length <= index) {
      const name = this.#streamNames[this.#streams.length] ?? '';
      this.#streams.push({ name, cpus: new Set(), events: 0, seconds: 0, nanoseconds: 0, time: 'none' });
    }
    return this.#streams[index] as SurveyedStream;
  }

  #place(line: TraceLine, index: number): void {
    const stream = this.#streamAt(index);
    if (
      stream.events === 0 ||
      line.seconds < stream.seconds ||
      (line.seconds === stream.seconds && line.nanoseconds < stream.nanoseconds)
    ) {
      stream.seconds = line.seconds;
      stream.nanoseconds = line.nanoseconds;
      stream.time = line.time;
    }
    stream.events++;
    stream.cpus.add(line.cpu);
  }

  /** The last name of a task is kept, as saved_cmdlines does; `<...>` says that the kernel had forgotten it. */
  #noteTask(bytes: Uint8Array, line: TraceLine): void {
    const known = this.#comms.get(line.pid);
    if (known === undefined || !isName(known, bytes, line.commFrom, line.commTo)) {
      const name = latin1(bytes.subarray(line.commFrom, line.commTo));
      // The latency form cuts names to eight bytes: a longer one that begins so is the same.
      const cut = line.form === 'latency' && known?.startsWith(name) === true;
      if (known === undefined || (name !== UNKNOWN_COMM && !cut)) this.#comms.set(line.pid, name);
    }
    if (line.tgid >= 0) this.#tgids.set(line.pid, line.tgid);
  }

  #fieldsOf(id: number): FieldSurvey {
    let survey = this.#fields[id];
    if (survey === undefined) {
      const name = this.#names.names[id] as string;
      survey = new FieldSurvey(systemOf(name), name);
      this.#fields[id] = survey;
    }
    return survey;
  }

  #tellUnparsed(bytes: Uint8Array, line: TraceLine, position: number): void {
    if (this.#unparsed++ >= MOST_TOLD) return;
    const text = latin1(bytes.subarray(line.from, Math.min(line.to, line.from + 60)));
    this.#warn(
      position,
      `no line of a trace, kept as it is: ${JSON.stringify(text)}${line.to - line.from > 60 ? '…' : ''}`,
    );
  }

  #warn(offset: number, message: string): void {
    if (this.#warnings.length < MOST_WARNINGS)
      this.#warnings.push({ file: this.#file, offset, section: 'text', message });
  }

  /** What was learned; the surveyor is not used any more. */
  finish(): TextSurvey {
    this.#streamAt(0);
    if (this.#unparsed > MOST_TOLD) this.#warn(0, `${this.#unparsed} lines in all are no lines of a trace`);
    if (this.#timeless && this.#streams.some(({ events }) => events > 0)) {
      this.#warn(
        0,
        'the text has no time stamps: times are built from the durations of calls, the least that they allow',
      );
    }
    const formats = this.#names.names.flatMap((name, id): EventFormat[] =>
      (this.#counts[id] ?? 0) === 0
        ? []
        : [
            {
              system: systemOf(name),
              name,
              id,
              fields: this.#fields[id]?.fields() ?? [],
              printFmt: '',
              unreadLines: [],
            },
          ],
    );
    return {
      dialect: this.#dialect,
      names: this.#names,
      streams: this.#streams,
      formats,
      comms: new Map(Array.from(this.#comms, ([pid, name]) => [pid, Buffer.from(name, 'latin1').toString('utf8')])),
      tgids: this.#tgids,
      uname: this.#uname,
      ordered: this.#ordered,
      warnings: this.#warnings,
    };
  }
}
