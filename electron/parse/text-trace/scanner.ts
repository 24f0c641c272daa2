import { latin1 } from '../cursor.ts';
import type { Annotation } from './annotation.ts';
import { newTextBody, type TextBody } from './body.ts';
import { endOfLine, startOfText, type TextDialect } from './dialect.ts';
import type { EventNames } from './event-names.ts';
import { GraphClock } from './graph-clock.ts';
import { newTraceLine, type TraceLine } from './line.ts';
import { LineReader } from './line-reader.ts';

/** What a scan finds, in the text's order. The objects passed are reused: copy what must outlive the call. */
export interface TextSink {
  /**
   * An event, or a line that is none (its id is that of `unparsed`; it has the CPU and time of the event before). `line`
   * and `body` are ranges of `bytes`; `position` is the line's place in the text.
   */
  event(bytes: Uint8Array, line: TraceLine, body: TextBody, id: number, stream: number, position: number): void;
  lost(stream: number, cpu: number, count: number): void;
  annotation?(annotation: Annotation): void;
  damage?(position: number, message: string): void;
}

const NEWLINE = 0x0a;
/** Instances and files that one report can be of; what else looks like one is taken as part of the comm. */
const MOST_STREAMS = 256;

/**
 * Scans ftrace's text batch by batch: events, lines that are none, lost events, header lines. Holds no text: one instance
 * per pass over a file. Names get ids from `names`, which passes share, as they share the streams' order.
 */
export class TextScanner {
  readonly #names: EventNames;
  readonly #streams: string[];
  readonly #sink: TextSink;
  readonly #line: TraceLine = newTraceLine();
  readonly #body: TextBody = newTextBody();
  readonly #reader: LineReader;
  readonly #graphClock = new GraphClock();
  readonly #graphPids = new Map<number, number>();
  readonly #unparsed: number;
  #tracer: string;
  #stream = 0;
  /** CPU and time of the last event. */
  #last: TextDialect['first'];
  /** Inside a line longer than a batch, whose beginning was read. */
  #inLongLine = false;

  /** `streams`: names found so far, the unnamed one first; grows. */
  constructor(dialect: TextDialect, names: EventNames, streams: string[], sink: TextSink) {
    this.#reader = new LineReader(dialect);
    this.#names = names;
    this.#streams = streams;
    this.#sink = sink;
    this.#tracer = dialect.tracer;
    this.#last = { ...dialect.first };
    this.#unparsed = names.id('unparsed');
    if (streams.length === 0) streams.push('');
  }

  /**
   * Scans the lines that are whole in `bytes`, which begin at `position` of the text; with `last`, what follows the last
   * newline too. Returns how many bytes were used: the next batch begins there. A batch that is one unfinished line is
   * used up, and the line's rest skipped.
   */
  scan(bytes: Uint8Array, position: number, last: boolean): number {
    let from = position === 0 ? startOfText(bytes) : 0;
    while (from < bytes.length) {
      const newline = bytes.indexOf(NEWLINE, from);
      if (this.#inLongLine) {
        if (newline < 0) return bytes.length;
        this.#inLongLine = false;
        from = newline + 1;
        continue;
      }
      if (newline < 0 && !last) {
        if (from > 0) return from;
        this.#inLongLine = true;
        this.#sink.damage?.(position, `a line of more than ${bytes.length} bytes: the rest of it is left out`);
      }
      const end = newline < 0 ? bytes.length : newline;
      if (newline < 0 && last) this.#sink.damage?.(position + from, 'the text ends inside this line: it may be cut');
      this.#scanLine(bytes, from, endOfLine(bytes, from, end), position + from);
      from = end + 1;
    }
    return bytes.length;
  }

  #scanLine(bytes: Uint8Array, from: number, to: number, position: number): void {
    switch (this.#reader.read(bytes, from, to, this.#line)) {
      case 'event':
        this.#event(bytes, this.#line, position);
        break;
      case 'annotation':
        this.#annotate(this.#reader.annotation);
        break;
      case 'damaged':
        this.#damaged(bytes, from, to, position);
    }
  }

  #event(bytes: Uint8Array, line: TraceLine, position: number): void {
    const body = this.#body;
    this.#reader.body(bytes, line, body);
    const id = this.#names.idOf(bytes, body, this.#tracer);
    const name = this.#names.names[id] as string;
    if (line.form === 'graph') this.#graph(bytes, line, body, name);
    this.#stream =
      line.streamTo > line.streamFrom ? this.#streamOf(latin1(bytes.subarray(line.streamFrom, line.streamTo))) : 0;
    this.#last.cpu = line.cpu;
    this.#last.seconds = line.seconds;
    this.#last.nanoseconds = line.nanoseconds;
    this.#last.time = line.time;
    this.#sink.event(bytes, line, body, id, this.#stream, position);
    this.#reader.begin(id, name, bytes, body);
  }

  /** A graph without times gets them from its durations; without tasks, from its lines about switches. */
  #graph(bytes: Uint8Array, line: TraceLine, body: TextBody, name: string): void {
    const head = latin1(bytes.subarray(line.bodyFrom, Math.min(line.to, line.bodyFrom + 256)));
    if (line.time === 'none') {
      this.#graphClock.stamp(
        line,
        head,
        name === 'funcgraph_exit',
        name === 'funcgraph_entry' && head.trimEnd().endsWith('{'),
      );
    }
    if (line.pid >= 0) return;
    line.pid = this.#graphPids.get(line.cpu) ?? -1;
    const next = name === 'context_switch' && body.naming === 'fixed' ? /-(\d+) *$/.exec(head) : null;
    if (next !== null) this.#graphPids.set(line.cpu, Number(next[1]));
  }

  #streamOf(name: string): number {
    const known = this.#streams.indexOf(name);
    if (known >= 0) return known;
    return this.#streams.length < MOST_STREAMS ? this.#streams.push(name) - 1 : 0;
  }

  #annotate(annotation: Annotation): void {
    if (annotation.kind === 'tracer') this.#tracer = annotation.name;
    if (annotation.kind === 'lost')
      this.#sink.lost(
        annotation.stream === '' ? 0 : this.#streamOf(annotation.stream),
        annotation.cpu,
        annotation.count,
      );
    this.#sink.annotation?.(annotation);
  }

  /** A line that is no event: kept as a row where it stands. */
  #damaged(bytes: Uint8Array, from: number, to: number, position: number): void {
    const line = this.#line;
    const body = this.#body;
    line.form = 'default';
    line.from =
      line.streamFrom =
      line.streamTo =
      line.commFrom =
      line.commTo =
      line.flagsFrom =
      line.flagsTo =
      line.bodyFrom =
        from;
    line.to = to;
    line.pid = -1;
    line.tgid = -1;
    line.cpu = this.#last.cpu;
    line.seconds = this.#last.seconds;
    line.nanoseconds = this.#last.nanoseconds;
    line.time = this.#last.time;
    body.naming = 'fixed';
    body.fixed = 'unparsed';
    body.infoFrom = from;
    body.infoTo = to;
    this.#sink.event(bytes, line, body, this.#unparsed, this.#stream, position);
  }
}
