import type { TraceAbi } from './recording.ts';

/** One field of an event format, in the order of the format text. */
export interface FieldFormat {
  name: string;
  /** The declaration's type as the text has it, arrays included: `char[16]`, `__data_loc char[]`, `unsigned long`. */
  declaration: string;
  offset: number;
  size: number;
  signed: boolean;
  common: boolean;
  /** Where the value is: in place; or elsewhere in the record, found through a `__data_loc` / `__rel_loc` word. */
  location: 'fixed' | 'data-loc' | 'rel-loc';
  isArray: boolean;
  isString: boolean;
  isPointer: boolean;
  /** Declared with `long` or `pointer` width, so that its printed width follows the machine. */
  isLong: boolean;
  /** Elements of a fixed array; 0 for a dynamic one; 1 for a scalar. */
  arrayLength: number;
  /** Size of one element in bytes; the field's size for a scalar. */
  elementBytes: number;
}

export interface EventFormat {
  system: string;
  name: string;
  id: number;
  /** Common fields first, as the text has them. */
  fields: FieldFormat[];
  /** The text behind `print fmt:`, unparsed. */
  printFmt: string;
}

/** TODO: being written. */
export declare function parseEventFormat(text: string, system: string, abi: TraceAbi): EventFormat;
