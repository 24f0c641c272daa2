import type { TextSpan } from '../typed-text.ts';

/** Syntax tree of a filter; the language is described in parse.ts. Immutable; positions refer to the text that was parsed. */
export interface Filter {
  /** An event passes if any clause lets it pass. No clause at all: everything passes. */
  clauses: Clause[];
}

export interface Clause extends TextSpan {
  /** Which events it is about; empty: all. */
  events: EventPattern[];
  /** Null: all of those events pass. Not null where `events` is empty. */
  condition: Condition | null;
}

/** Patterns of names, matched whole and without regard to case: a regular expression, or a glob (`sched_*`). */
export interface EventPattern extends TextSpan {
  /** Null: `event` may match the name of the event or of its system. */
  system: string | null;
  event: string;
}

export type Condition = AndNode | OrNode | NotNode | CompareNode;
export interface AndNode extends TextSpan {
  kind: 'and';
  left: Condition;
  right: Condition;
}
export interface OrNode extends TextSpan {
  kind: 'or';
  left: Condition;
  right: Condition;
}
export interface NotNode extends TextSpan {
  kind: 'not';
  operand: Condition;
}

export const compareOps = ['==', '!=', '<', '<=', '>', '>=', '&', '~', '=~', '!~'] as const;
export type CompareOp = (typeof compareOps)[number];

export interface CompareNode extends TextSpan {
  kind: 'compare';
  /** A field as it was typed, virtual or of the event. */
  field: string;
  op: CompareOp;
  value: Value;
}

export type Value = NumberValue | TextValue | WordValue | TimeValue;

export interface NumberValue extends TextSpan {
  kind: 'number';
  value: number;
  /** As typed: `0x1f`, `0755`, `-5`. */
  text: string;
}
/** A string in quotes. */
export interface TextValue extends TextSpan {
  kind: 'text';
  text: string;
}
/** A bare word: another field where the event has one of this name, else text as in the kernel's `comm == bash`. */
export interface WordValue extends TextSpan {
  kind: 'word';
  name: string;
}
/** A time, for `time` only. */
export interface TimeValue extends TextSpan {
  kind: 'time';
  /** As typed: `56.41`, `+1.5s`, `56410032000ns`. */
  text: string;
  ns: bigint;
  /** True: counted from the start of the workspace (`+1.5s`), else on the trace's clock. */
  relative: boolean;
}

/** What every event has, beside its own fields. */
export const virtualFields = ['cpu', 'pid', 'task', 'cgroup', 'event', 'system', 'info', 'time'] as const;
export type VirtualField = (typeof virtualFields)[number];

/** Other names of virtual fields, from libtraceevent's parse-filter.c and the kernel's trace_events_filter.c. */
const aliases: Record<string, VirtualField> = { CPU: 'cpu', COMM: 'task', TIMESTAMP: 'time', common_pid: 'pid' };

/**
 * What a name in a clause stands for. Where the clause names its events, their own fields come first, as in trace-cmd:
 * `sched_wakeup: pid == 5` is about the task woken. In a clause about all events, `pid` is the task on the CPU for
 * every one of them. `comm` is the event's own where it has one, else the task, as in the kernel.
 */
export function resolveField(name: string, namedEvents: boolean, has: (field: string) => boolean): FieldSource | null {
  const alias = Object.hasOwn(aliases, name) ? aliases[name] : null;
  if (alias !== null) return { virtual: alias };
  const virtual = (virtualFields as readonly string[]).includes(name) ? (name as VirtualField) : null;
  if (virtual !== null && !(namedEvents && has(name))) return { virtual };
  if (has(name)) return { own: name };
  return name === 'comm' ? { virtual: 'task' } : null;
}
export type FieldSource = { virtual: VirtualField } | { own: string };

/** True where the name is `time` or an alias of it, so that its value is read as a time. */
export const isTimeName = (name: string): boolean => name === 'time' || name === 'TIMESTAMP';
