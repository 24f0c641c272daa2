import { latin1 } from '../cursor.ts';
import type { FieldFormat } from '../event-format.ts';
import type { TextField } from './fields.ts';
import { type KnownText, knownText, type ValueKind } from './known-texts.ts';
import {
  findValue,
  forEachPair,
  forEachWordWithNumber,
  type NumberShape,
  readNumber,
  type Separator,
} from './pairs.ts';

/** More keys than any print format has: an event of free text would otherwise get a field per word. */
const MOST_FIELDS = 128;
/** Lines of an event on which its known patterns are tried, to learn which of their fields it has. */
const PATTERN_LINES = 64;
const PATTERN_BYTES = 1024;
/** Fields are looked for in this much of a line: what is longer is somebody's text. */
const MOST_BYTES = 1 << 14;

/** One key of one event while its lines are read. */
interface SurveyedField {
  name: string;
  key: string;
  bytes: Uint8Array;
  separator: Separator;
  shapes: Set<NumberShape>;
}

/** Learns the fields of one event from its lines: their names, and whether they are numbers. */
export class FieldSurvey {
  readonly #known: KnownText | null;
  readonly #pairs: SurveyedField[] = [];
  readonly #byKey = new Map<string, SurveyedField>();
  /** Words that a number followed in every line so far. */
  #words: SurveyedField[] = [];
  readonly #patternGroups = new Set<string>();
  #lines = 0;

  constructor(system: string, name: string) {
    this.#known = knownText(system, name);
  }

  /** Reads the text behind the event's name. */
  add(bytes: Uint8Array, from: number, end: number): void {
    const to = Math.min(end, from + MOST_BYTES);
    this.#lines++;
    let expected = 0;
    forEachPair(bytes, from, to, (keyFrom, keyTo, valueFrom) => {
      // Lines of an event have the same keys in the same order: most often the next one is known without a look-up.
      const guess = this.#pairs[expected];
      const field =
        guess !== undefined && sameBytes(guess.bytes, bytes, keyFrom, keyTo)
          ? guess
          : this.#pair(latin1(bytes.subarray(keyFrom, keyTo)));
      if (field === undefined) return;
      expected = this.#pairs.indexOf(field, expected > 0 ? expected - 1 : 0) + 1;
      note(field, bytes, valueFrom, to);
    });
    if (this.#lines <= PATTERN_LINES && this.#known?.patterns !== undefined) {
      const text = latin1(bytes.subarray(from, Math.min(to, from + PATTERN_BYTES))).trim();
      for (const pattern of this.#known.patterns) {
        for (const group of Object.keys(pattern.exec(text)?.groups ?? {})) this.#patternGroups.add(group);
      }
    }
    // A text that is known has no fields but those.
    if (this.#patternGroups.size === 0) this.#surveyWords(bytes, from, to);
    else this.#words = [];
  }

  #pair(key: string): SurveyedField | undefined {
    const known = this.#byKey.get(key);
    if (known !== undefined || this.#byKey.size >= MOST_FIELDS) return known;
    const field = newField(key, '=', this.#known?.renamed?.[key]);
    this.#byKey.set(key, field);
    this.#pairs.push(field);
    return field;
  }

  /** The first line offers its words; a word stays while every line has it with a number behind. */
  #surveyWords(bytes: Uint8Array, from: number, to: number): void {
    if (this.#lines === 1) {
      forEachWordWithNumber(bytes, from, to, (keyFrom, keyTo, separator, valueFrom) => {
        const key = latin1(bytes.subarray(keyFrom, keyTo));
        if (this.#words.length >= MOST_FIELDS || this.#words.some((word) => word.key === key)) return;
        const word = newField(key, separator, this.#known?.renamed?.[key]);
        note(word, bytes, valueFrom, to);
        this.#words.push(word);
      });
      return;
    }
    if (this.#words.length === 0) return;
    this.#words = this.#words.filter((word) => {
      const value = findValue(bytes, from, to, word.bytes, word.separator);
      if (value < 0) return false;
      note(word, bytes, value, to);
      return !word.shapes.has('none');
    });
  }

  /** The fields found, in the text's order: pairs, then what patterns find, then words. */
  fields(): FieldFormat[] {
    const fields = new Map<string, { text: TextField; signed: boolean }>();
    for (const field of [...this.#pairs, ...this.#words]) {
      const kind = this.#known?.values?.[field.name] ?? kindOf(field.shapes);
      const place = { key: field.key, separator: field.separator };
      const known = fields.get(field.name);
      if (known !== undefined) known.text.keys.push(place);
      else
        fields.set(field.name, {
          text: { kind, keys: [place], patterns: [], group: field.name },
          signed: field.shapes.has('negative'),
        });
    }
    const patterns = this.#known?.patterns ?? [];
    for (const group of this.#patternGroups) {
      const text = fields.get(group)?.text ?? {
        kind: this.#known?.values?.[group] ?? patternKind(group, patterns),
        keys: [],
        patterns: [],
        group,
      };
      text.patterns = patterns.filter((pattern) => pattern.source.includes(`(?<${group}>`));
      if (!fields.has(group)) fields.set(group, { text, signed: true });
    }
    return [...fields].map(([name, { text, signed }]) => fieldFormat(name, text, signed));
  }
}

function newField(key: string, separator: Separator, renamed: string | undefined): SurveyedField {
  // Field names are C's: `total-vm` is total_vm in the event's format.
  const name = renamed ?? key.replace(/\W/g, '_');
  return { name, key, bytes: Buffer.from(key, 'latin1'), separator, shapes: new Set() };
}

/** Takes note of how a value is written. */
function note(field: SurveyedField, bytes: Uint8Array, from: number, to: number): void {
  if (field.shapes.has('none')) return;
  let at = from;
  while (at < to && bytes[at] === 0x20) at++;
  const shape = readNumber(bytes, at, to);
  // Nothing behind the key is no number, nor is a pair, but of a device.
  field.shapes.add(shape === 'device' && !field.name.endsWith('dev') ? 'none' : shape);
}

const sameBytes = (key: Uint8Array, bytes: Uint8Array, from: number, to: number): boolean => {
  if (key.length !== to - from) return false;
  for (let i = 0; i < key.length; i++) if (key[i] !== bytes[from + i]) return false;
  return true;
};

/** A number is one in every line; in hexadecimal without 0x, or in octal, where only that reads them all. */
function kindOf(shapes: ReadonlySet<NumberShape>): ValueKind {
  if (shapes.has('none')) return 'text';
  if (shapes.has('device')) return shapes.size === 1 ? 'device' : 'text';
  if (shapes.has('octal')) return shapes.has('bare-hex') || shapes.has('hex') ? 'text' : 'octal';
  if (!shapes.has('bare-hex')) return shapes.has('fraction') ? 'fraction' : 'number';
  return shapes.has('negative') || shapes.has('fraction') || shapes.has('hex') ? 'text' : 'hex';
}

/** A group that takes digits alone is a number, any other a text. */
function patternKind(group: string, patterns: readonly RegExp[]): ValueKind {
  const own = patterns.filter((pattern) => pattern.source.includes(`(?<${group}>`));
  const numeric = own.every((pattern) =>
    /^(?:-\?)?(?:\\d|\[\\d\.\])\+\)/.test(pattern.source.split(`(?<${group}>`)[1] ?? ''),
  );
  return numeric ? 'number' : 'text';
}

const declarations: Readonly<Record<ValueKind, string>> = {
  number: 'number',
  fraction: 'decimal fraction',
  hex: 'hexadecimal number',
  octal: 'octal number',
  signed: 'number',
  state: 'task state',
  device: 'device number',
  text: 'text',
};

function fieldFormat(name: string, text: TextField, signed: boolean): FieldFormat {
  const isText = text.kind === 'text';
  return {
    name,
    declaration: declarations[text.kind],
    offset: 0,
    size: isText ? 0 : 8,
    signed: signed || text.kind === 'signed',
    common: false,
    location: 'text',
    isArray: isText,
    isString: isText,
    isPointer: false,
    isLong: false,
    arrayLength: isText ? 0 : 1,
    elementBytes: isText ? 1 : 8,
    text,
  };
}
