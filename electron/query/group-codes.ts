import type { EventTypeInfo } from '../../shared/model.ts';
import { isNumeric, numberReader, textReader } from '../parse/field-access.ts';
import { cpuGroup, type Group, type Grouping, groupingOf, taskGroup, valueGroup } from './groups.ts';
import type { Trace, TraceCpu, TraceStream } from './trace.ts';

/** The group of a record `view[at, end)` of a task. */
export type GroupCoder = (view: DataView, at: number, end: number, pid: number) => number;

/**
 * Numbers for the groups of events, given while events are looked at: the same group the same number, in whatever order and from
 * whichever CPU they come.
 */
export class GroupCodes {
  readonly #trace: Trace;
  readonly #grouping: Grouping;
  readonly #codes = new Map<number | string, number>();
  readonly #values: (number | string)[] = [];

  /** Throws `bad-expression`; see groupingOf. */
  constructor(trace: Trace, type: EventTypeInfo, by: string) {
    this.#trace = trace;
    this.#grouping = groupingOf(type, by);
  }

  /** All events are one group. */
  get areOne(): boolean {
    return this.#grouping.by === 'all';
  }

  /** Codes of one CPU's events of one kernel id. */
  coder(stream: TraceStream, cpu: TraceCpu, id: number): GroupCoder {
    const grouping = this.#grouping;
    switch (grouping.by) {
      case 'all':
        return () => 0;
      case 'cpu': {
        const code = this.#codeOf(cpu.cpu);
        return () => code;
      }
      case 'task':
      case 'pid':
        return (_view, _at, _end, pid) => this.#codeOf(pid);
      default:
        return this.#fieldCoder(stream, id, grouping.field);
    }
  }

  /** What the group with a code is called, of which an event of `stream` is the first. */
  group(code: number, stream: TraceStream): Group {
    const grouping = this.#grouping;
    const value = this.#values[code] as number | string;
    switch (grouping.by) {
      case 'all':
        return { label: '', key: '' };
      case 'cpu':
        return cpuGroup(value as number);
      case 'task':
      case 'pid':
        return taskGroup(grouping.by, value as number, stream.recording.commOf(value as number));
      default:
        return valueGroup(this.#trace, grouping, value as string);
    }
  }

  #codeOf(value: number | string): number {
    let code = this.#codes.get(value);
    if (code === undefined) {
      code = this.#values.push(value) - 1;
      this.#codes.set(value, code);
    }
    return code;
  }

  #fieldCoder(stream: TraceStream, id: number, name: string): GroupCoder {
    const field = stream.recording.formatOfId.get(id)?.fields.find((each) => each.name === name);
    if (field === undefined) return () => this.#codeOf('');
    const { abi } = stream.layout;
    const text = textReader(field, abi);
    if (!isNumeric(field) || field.isArray) return (view, at, end) => this.#codeOf(text(view, at, end));
    // A number that was met before needs no text again.
    const number = numberReader(field, abi);
    const known = new Map<number, number>();
    return (view, at, end) => {
      const value = number(view, at, end);
      let code = known.get(value);
      if (code !== undefined) return code;
      code = this.#codeOf(text(view, at, end));
      // Larger ones are rounded: several would have one code.
      if (Number.isSafeInteger(value)) known.set(value, code);
      return code;
    };
  }
}
