import type { FieldFormat } from '../event-format.ts';

/** What a print format's arguments are made of. */
export type Arg =
  | { kind: 'none' }
  | { kind: 'atom'; text: string }
  | { kind: 'field'; name: string; field: FieldFormat | null }
  | { kind: 'flags'; value: Arg; delimiter: string | null; names: NamedValue[] }
  | { kind: 'symbolic'; value: Arg; names: NamedValue[] }
  | { kind: 'hex'; spaced: boolean; data: Arg; size: Arg }
  | { kind: 'int-array'; data: Arg; count: Arg; elementSize: Arg }
  | { kind: 'cast'; type: string; value: Arg }
  | { kind: 'string'; name: string }
  | { kind: 'bitmask'; name: string }
  | { kind: 'cpumask'; name: string }
  | { kind: 'dynamic-array'; field: FieldFormat }
  | { kind: 'dynamic-array-length'; field: FieldFormat }
  | { kind: 'call'; function: PrintFunction; args: Arg[] }
  | Operation;

/** `left` is `none` for a unary operator; of `a ? b : c`, right is an operation `:`. */
export interface Operation {
  kind: 'operation';
  operator: string;
  left: Arg;
  right: Arg;
}

/** `{ value, "name" }` of __print_flags and __print_symbolic. A value that is no number counts as −1. */
export interface NamedValue {
  value: bigint;
  name: string;
}

/** A kernel function that print formats call and that a plugin knows: see plugins/functions.ts. */
export interface PrintFunction {
  name: string;
  parameters: ('number' | 'pointer')[];
  /** Writes what the function prints; leaves its value in the record's registers. */
  run: import('./record.ts').CallPrinter;
}

/** A print format, read: the format string and its arguments. */
export interface PrintFmt {
  format: string;
  args: Arg[];
}

/**
 * Numbers that libtraceevent gives the kinds of arguments (enum tep_print_arg_type), as its complaints in the text
 * name them: `ARG TYPE NOT FIELD BUT 10`.
 */
export function argNumber(arg: Arg): number {
  switch (arg.kind) {
    case 'none':
      return 0;
    case 'atom':
      return 1;
    case 'field':
      return 2;
    case 'flags':
      return 3;
    case 'symbolic':
      return 4;
    case 'hex':
      return arg.spaced ? 5 : 15;
    case 'int-array':
      return 6;
    case 'cast':
      return 7;
    case 'string':
      return 8;
    case 'dynamic-array':
      return 10;
    case 'operation':
      return 11;
    case 'call':
      return 12;
    case 'bitmask':
      return 13;
    case 'dynamic-array-length':
      return 14;
    case 'cpumask':
      return 16;
  }
}
