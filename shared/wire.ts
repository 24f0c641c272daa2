import type { FromEngine, ToEngine } from './api.ts';
import { RemoraError } from './errors.ts';

/**
 * Messages of the contract as bytes, for channels that carry bytes only (the WebSocket of the browser mode).
 *
 *   u32   length of the header in bytes
 *   ...   header: JSON text in UTF-8, `{ message, sections: [[kind, elements], …], marks }`
 *   ...   zeros up to a multiple of 8
 *   ...   the sections in the header's order, each followed by zeros up to a multiple of 8
 *
 * A section is the memory of one typed array. Its place in the message is held by `{"$": section index}`; numbers that
 * JSON cannot say are `{"$": "NaN"}` and the like; and an object that has a key `$` of its own is
 * `{"$": {"entries": [[key, value], …]}}`. `marks` counts those, so that a message without any needs no second look.
 * Everything is little-endian, as every machine is that Electron runs on.
 */
const arrayKinds = {
  u8: Uint8Array,
  i8: Int8Array,
  u16: Uint16Array,
  i16: Int16Array,
  u32: Uint32Array,
  i32: Int32Array,
  f32: Float32Array,
  f64: Float64Array,
} as const;

type ArrayKind = keyof typeof arrayKinds;
type NumberArray = InstanceType<(typeof arrayKinds)[ArrayKind]>;

interface Header {
  message: unknown;
  sections: [kind: ArrayKind, elements: number][];
  marks: number;
}

const unsayable = {
  NaN: Number.NaN,
  Infinity: Number.POSITIVE_INFINITY,
  '-Infinity': Number.NEGATIVE_INFINITY,
  '-0': -0,
};

const LENGTH_BYTES = 4;
const align = (bytes: number): number => Math.ceil(bytes / 8) * 8;

/** The section kind of a typed array, or null for every other value. */
function kindOf(value: unknown): ArrayKind | null {
  if (!ArrayBuffer.isView(value)) return null;
  for (const kind of Object.keys(arrayKinds) as ArrayKind[]) if (value instanceof arrayKinds[kind]) return kind;
  throw new RemoraError({
    code: 'internal',
    message: `A ${value.constructor.name} cannot be sent to or from the engine.`,
  });
}

/** One message as bytes of its own: the typed arrays in it are copied. */
export function encodeMessage(message: ToEngine | FromEngine): Uint8Array<ArrayBuffer> {
  const arrays: NumberArray[] = [];
  const sections: Header['sections'] = [];
  let marks = 0;
  // A replacer sees the value after toJSON, which Node's Buffer has: the holder still has the array itself.
  const body = JSON.stringify(message, function (this: Record<string, unknown>, key, replaced: unknown) {
    const value = this[key];
    const kind = kindOf(value);
    if (kind !== null) {
      marks += 1;
      sections.push([kind, (value as NumberArray).length]);
      arrays.push(value as NumberArray);
      return { $: arrays.length - 1 };
    }
    if (typeof value === 'number' && (!Number.isFinite(value) || Object.is(value, -0))) {
      marks += 1;
      return { $: Object.is(value, -0) ? '-0' : String(value) };
    }
    if (typeof value === 'object' && value !== null && Object.hasOwn(value, '$')) {
      marks += 1;
      return { $: { entries: Object.entries(value) } };
    }
    return replaced;
  });
  const header = new TextEncoder().encode(
    `{"message":${body},"sections":${JSON.stringify(sections)},"marks":${marks}}`,
  );

  let length = align(LENGTH_BYTES + header.length);
  for (const array of arrays) length += align(array.byteLength);
  const bytes = new Uint8Array(length);
  new DataView(bytes.buffer).setUint32(0, header.length, true);
  bytes.set(header, LENGTH_BYTES);
  let offset = align(LENGTH_BYTES + header.length);
  for (const array of arrays) {
    bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength), offset);
    offset += align(array.byteLength);
  }
  return bytes;
}

/**
 * The message in `bytes`. Its typed arrays are views over the memory of `bytes` (a copy of it where that memory is not
 * aligned to 8 bytes), which therefore belongs to the message from now on. Throws `bad-request` for anything that
 * `encodeMessage` does not write; what the message says is for `toEngineMessage` and the engine to judge.
 */
export function decodeMessage(bytes: Uint8Array): unknown {
  try {
    return decode(bytes.byteOffset % 8 === 0 ? bytes : new Uint8Array(bytes));
  } catch (error) {
    if (error instanceof RemoraError) throw error;
    throw malformed(error instanceof Error ? error.message : String(error));
  }
}

function decode(bytes: Uint8Array): unknown {
  if (bytes.length < LENGTH_BYTES) throw malformed('it is shorter than its length field');
  const headerBytes = new DataView(bytes.buffer, bytes.byteOffset, LENGTH_BYTES).getUint32(0, true);
  if (headerBytes > bytes.length - LENGTH_BYTES) throw malformed('its header ends behind its end');
  const text = new TextDecoder('utf-8', { fatal: true }).decode(
    bytes.subarray(LENGTH_BYTES, LENGTH_BYTES + headerBytes),
  );
  const header = JSON.parse(text) as Partial<Header> | null;
  if (typeof header !== 'object' || header === null || !Array.isArray(header.sections))
    throw malformed('it has no header');

  const arrays: NumberArray[] = [];
  let offset = align(LENGTH_BYTES + headerBytes);
  for (const section of header.sections as unknown[]) {
    const [kind, elements] = Array.isArray(section) ? (section as unknown[]) : [];
    if (typeof kind !== 'string' || !Object.hasOwn(arrayKinds, kind))
      throw malformed('it has a section of unknown kind');
    const type = arrayKinds[kind as ArrayKind];
    if (!Number.isSafeInteger(elements) || (elements as number) < 0)
      throw malformed('it has a section without a length');
    const length = (elements as number) * type.BYTES_PER_ELEMENT;
    if (length > bytes.length - offset) throw malformed('a section ends behind its end');
    arrays.push(new type(bytes.buffer as ArrayBuffer, bytes.byteOffset + offset, elements as number));
    offset += align(length);
  }
  if (offset !== bytes.length) throw malformed(`it has ${bytes.length} bytes instead of ${offset}`);
  return header.marks === 0 ? header.message : resolveMarks(header.message, arrays);
}

/** Puts arrays, numbers and escaped objects back in place of their marks. */
function resolveMarks(value: unknown, arrays: NumberArray[]): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) value[i] = resolveMarks(value[i], arrays);
    return value;
  }
  if (!Object.hasOwn(value, '$')) {
    const record = value as Record<string, unknown>;
    for (const key of Object.keys(record)) {
      const part = record[key];
      if (typeof part === 'object' && part !== null) setOwn(record, key, resolveMarks(part, arrays));
    }
    return value;
  }
  const mark = (value as { $: unknown }).$;
  if (typeof mark === 'number' && Object.hasOwn(arrays, mark)) return arrays[mark];
  if (typeof mark === 'string' && Object.hasOwn(unsayable, mark)) return unsayable[mark as keyof typeof unsayable];
  const entries = typeof mark === 'object' && mark !== null ? (mark as { entries?: unknown }).entries : undefined;
  if (!Array.isArray(entries)) throw malformed('it has an unknown mark');
  const object: Record<string, unknown> = {};
  for (const entry of entries as unknown[]) {
    if (!Array.isArray(entry) || typeof entry[0] !== 'string') throw malformed('it has an unknown mark');
    setOwn(object, entry[0], resolveMarks(entry[1], arrays));
  }
  return object;
}

/** Sets an own property even where the key is `__proto__`, which an assignment would take for the prototype. */
function setOwn(object: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(object, key, { value, enumerable: true, configurable: true, writable: true });
  else object[key] = value;
}

function malformed(why: string): RemoraError {
  return new RemoraError({ code: 'bad-request', message: `The message cannot be read: ${why}.` });
}

/** A decoded value as a message to the engine, or `bad-request`. Method and parameters are for the engine to judge. */
export function toEngineMessage(value: unknown): ToEngine {
  const message = value as Partial<Record<'kind' | 'id' | 'method', unknown>> | null;
  const known =
    typeof message === 'object' &&
    message !== null &&
    Number.isSafeInteger(message.id) &&
    (message.kind === 'cancel' || (message.kind === 'request' && typeof message.method === 'string'));
  if (!known) throw malformed('it is neither a request nor a cancel');
  return value as ToEngine;
}
