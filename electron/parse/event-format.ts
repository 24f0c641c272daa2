import { RemoraError } from '../../shared/errors.ts';
import type { TraceAbi } from './recording.ts';
import type { TextField } from './text-trace/fields.ts';

/**
 * The `format` text of one event, as tracefs has it under `events/<system>/<event>/format` and as every recording
 * keeps it (kernel/trace/trace_events.c: f_show):
 *
 *     name: sched_switch
 *     ID: 316
 *     format:
 *     	field:unsigned short common_type;	offset:0;	size:2;	signed:0;
 *     	…
 *     (empty line: the fields above are common to all events, those below are the event's own)
 *     	field:char prev_comm[16];	offset:8;	size:16;	signed:0;
 *
 *     print fmt: "prev_comm=%s …", REC->prev_comm, …
 *
 * Kernels before 2.6.34 leave `signed` out; ftrace's own events once said `field special:`.
 */

/** One field of an event format, in the order of the format text. */
export interface FieldFormat {
  name: string;
  /** The declaration's type as the text has it, arrays included: `char[16]`, `__data_loc char[]`, `unsigned long`. */
  declaration: string;
  offset: number;
  size: number;
  signed: boolean;
  common: boolean;
  /**
   * Where the value is: in place; elsewhere in the record, found through a `__data_loc` / `__rel_loc` word; or written out in
   * a record that is text, found as `text` says (`offset` and `size` then mean nothing).
   */
  location: 'fixed' | 'data-loc' | 'rel-loc' | 'text';
  isArray: boolean;
  /** An array of plain `char`: text, ended by NUL or by its size. Arrays of `unsigned char` or `u8` are bytes. */
  isString: boolean;
  isPointer: boolean;
  /** Declared with `long`, so that its width follows the machine; trace-cmd prints these in hexadecimal. */
  isLong: boolean;
  /** Elements of a fixed array; 0 for a dynamic one and for one without a size; 1 for a scalar. */
  arrayLength: number;
  /** Size of one element in bytes; the field's size for a scalar; 1 where the element's type is not known. */
  elementBytes: number;
  /** Of a field with location `text`: see text-trace/fields.ts. */
  text?: TextField;
}

export interface EventFormat {
  system: string;
  name: string;
  id: number;
  /** Common fields first, as the text has them. */
  fields: FieldFormat[];
  /** The text behind `print fmt:`, unparsed. */
  printFmt: string;
  /** Lines between `format:` and `print fmt:` that are no field declaration; empty in every intact format. */
  unreadLines: string[];
}

/** What tells an event's records from others: the text's `name` and `ID` lines; null where one is missing. */
export function formatIdentity(text: string): { name: string; id: number } | null {
  const printAt = text.search(/^print fmt:/m);
  const head = printAt < 0 ? text : text.slice(0, printAt);
  const name = /^name:[ \t]*(\S+)/m.exec(head)?.[1];
  const id = cNumber(/^ID:[ \t]*(\S+)/m.exec(head)?.[1]);
  return name === undefined || Number.isNaN(id) ? null : { name, id };
}

/**
 * Reads one format text. A line that cannot be read is kept in `unreadLines` and the rest is used; only a text
 * without a name or an ID is refused (RemoraError, code `damaged`), because its events cannot be told from others.
 */
export function parseEventFormat(text: string, system: string, abi: TraceAbi): EventFormat {
  const printAt = text.search(/^print fmt:/m);
  const head = printAt < 0 ? text : text.slice(0, printAt);
  const identity = formatIdentity(text);
  if (identity === null) {
    const missing = /^name:[ \t]*\S/m.test(head) ? 'ID' : 'name';
    throw new RemoraError({
      code: 'damaged',
      section: 'event formats',
      message: `An event format of system '${system}' has no ${missing}: ${JSON.stringify(text.slice(0, 60))}`,
    });
  }

  let block: FieldFormat[] = [];
  const blocks = [block];
  const unreadLines: string[] = [];
  const bodyAt = /^format:.*$/m.exec(head);
  const body = bodyAt === null ? '' : head.slice(bodyAt.index + bodyAt[0].length + 1);
  for (const line of body.split('\n')) {
    if (line.trim() === '') {
      if (block.length > 0) {
        block = [];
        blocks.push(block);
      }
      continue;
    }
    const field = parseField(line, abi);
    if (field === null) unreadLines.push(line.trim());
    else block.push(field);
  }
  const separated = blocks.filter((each) => each.length > 0).length > 1;
  for (const field of blocks[0]) field.common = separated || field.name.startsWith('common_');

  const printFmt =
    printAt < 0
      ? ''
      : text
          .slice(printAt + 'print fmt:'.length)
          .replace(/^ /, '')
          .trimEnd();
  return { system, ...identity, fields: blocks.flat(), printFmt, unreadLines };
}

const FIELD_LINE =
  /^\s*field(?:\s+special)?\s*:(.*?);\s*offset\s*:\s*(\w+)\s*;\s*size\s*:\s*(\w+)\s*;(?:\s*signed\s*:\s*(\w+)\s*;)?/;
/** Everything before the last identifier, that identifier, and the array brackets behind it. */
const DECLARATION = /^(.*[\s*\])])([A-Za-z_]\w*)\s*((?:\[[^[\]]*\]\s*)*)$/;

function parseField(line: string, abi: TraceAbi): FieldFormat | null {
  const parts = FIELD_LINE.exec(line);
  const declared = parts && DECLARATION.exec(parts[1].trim());
  if (!parts || !declared) return null;
  const offset = cNumber(parts[2]);
  const size = cNumber(parts[3]);
  if (Number.isNaN(offset) || Number.isNaN(size)) return null;

  const brackets = declared[3].replace(/\s+/g, '');
  const declaration = declared[1].trim() + brackets;
  const isArray = declaration.includes('[');
  const location = declaration.startsWith('__data_loc')
    ? 'data-loc'
    : declaration.startsWith('__rel_loc')
      ? 'rel-loc'
      : 'fixed';
  const dynamic = location !== 'fixed';
  // Before 2.6.32 a dynamic string was a 2-byte offset, and only strings were dynamic.
  const oldString = dynamic && size === 2;
  const shape = isArray && !dynamic ? arrayShape(declaration, size, abi) : null;
  return {
    name: declared[2],
    declaration,
    offset,
    size,
    signed: cNumber(parts[4]) > 0,
    common: false,
    location,
    isArray: isArray || oldString,
    isString: oldString || (isArray && /\bchar\b/.test(declaration) && !/\bunsigned\b|\*/.test(declaration)),
    isPointer: declaration.includes('*'),
    isLong: declaration.includes('long'),
    arrayLength: shape ? shape.length : dynamic ? 0 : 1,
    elementBytes: shape ? shape.elementBytes : dynamic ? elementBytesOf(declaration, abi) || 1 : size,
  };
}

/** Length and element size of a fixed array; a length given as a name (`char comm[TASK_COMM_LEN]`) follows from the size. */
function arrayShape(declaration: string, size: number, abi: TraceAbi): { length: number; elementBytes: number } {
  const lengths = [...declaration.matchAll(/\[([^\]]*)\]/g)].map((match) => cNumber(match[1]));
  const length = lengths.reduce((product, each) => product * each, 1);
  if (length > 0 && size % length === 0 && size > 0) return { length, elementBytes: size / length };
  const elementBytes = elementBytesOf(declaration, abi) || 1;
  return { length: Math.floor(size / elementBytes), elementBytes };
}

/** Size of the type that an array declaration names; 0 where only the kernel's sources would tell. */
function elementBytesOf(declaration: string, abi: TraceAbi): number {
  const type = declaration.replace(/__data_loc|__rel_loc|\[[^\]]*\]|\bconst\b/g, ' ').trim();
  if (type.endsWith('*')) return abi.longBytes;
  if (/\blong\s+long\b/.test(type)) return 8;
  if (/\blong\b|\bcpumask_t\b|\bsize_t\b/.test(type)) return abi.longBytes;
  if (/\bchar\b|\bbool\b/.test(type)) return 1;
  if (/\bshort\b/.test(type)) return 2;
  if (/\bint\b|^unsigned$|^enum\b/.test(type)) return 4;
  const bits = /(?:^|[a-z_])(8|16|32|64)(?:_t)?$/.exec(type);
  return bits ? Number(bits[1]) / 8 : 0;
}

/** A non-negative C integer literal (decimal, 0x…, 0…); NaN for anything else or beyond 2^31. */
function cNumber(text: string | undefined): number {
  if (text === undefined || !/^(0[xX][0-9a-fA-F]+|\d+)$/.test(text)) return Number.NaN;
  const value = /^0[0-7]+$/.test(text) ? Number.parseInt(text, 8) : Number(text);
  return value < 2 ** 31 ? value : Number.NaN;
}
