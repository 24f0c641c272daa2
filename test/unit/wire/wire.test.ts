import { deepStrictEqual } from 'node:assert';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { FromEngine, ToEngine } from '../../../shared/api.ts';
import { RemoraError } from '../../../shared/errors.ts';
import { decodeMessage, encodeMessage, toEngineMessage } from '../../../shared/wire.ts';

const result = (value: unknown): FromEngine => ({ kind: 'result', id: 7, result: value });
const roundTrip = (value: unknown): unknown =>
  (decodeMessage(encodeMessage(result(value))) as { result: unknown }).result;

const typedArray = fc.oneof(
  fc.uint8Array(),
  fc.int8Array(),
  fc.uint16Array(),
  fc.int16Array(),
  fc.uint32Array(),
  fc.int32Array(),
  fc.float32Array(),
  fc.float64Array(),
);

const leaf = fc.oneof(
  fc.string({ unit: 'binary' }),
  fc.double(),
  fc.constantFrom(null, true, false, -0, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY),
  typedArray,
);
const key = fc.oneof(fc.string(), fc.constantFrom('$', 'entries', '__proto__', 'toJSON', 'constructor'));

/** Anything the contract can carry: JSON, every number, every typed array, keys that collide with the marks. */
const { tree: message } = fc.letrec((tie) => ({
  tree: fc.oneof(
    { depthSize: 'small' },
    leaf,
    fc.array(tie('tree')),
    fc.dictionary(key, tie('tree'), { noNullPrototype: true }),
  ),
}));

/** The code that `decodeMessage` fails with, or what it returns. */
function outcome(bytes: Uint8Array): unknown {
  try {
    return { decoded: decodeMessage(bytes) };
  } catch (error) {
    return error instanceof RemoraError ? error.code : error;
  }
}

/** A frame around a header text, for input that `encodeMessage` never writes. */
function frame(header: string, sectionBytes = 0): Uint8Array {
  const text = new TextEncoder().encode(header);
  const bytes = new Uint8Array(Math.ceil((4 + text.length) / 8) * 8 + sectionBytes);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  return bytes;
}

describe('encodeMessage', () => {
  it('returns every message as it was', () => {
    const property = fc.property(message, (value) => {
      // Not toStrictEqual: it takes a key `constructor` for the object's class.
      deepStrictEqual(roundTrip(value), value);
    });
    fc.assert(property, { numRuns: 500 });
  });

  it('lays a frame out as documented', () => {
    const bytes = encodeMessage({
      kind: 'result',
      id: 1,
      result: { t: new Float64Array([1]), n: new Uint8Array([7]) },
    });
    const headerBytes = new DataView(bytes.buffer).getUint32(0, true);
    const header = new TextDecoder().decode(bytes.subarray(4, 4 + headerBytes));
    expect(JSON.parse(header)).toEqual({
      message: { kind: 'result', id: 1, result: { t: { $: 0 }, n: { $: 1 } } },
      sections: [
        ['f64', 1],
        ['u8', 1],
      ],
      marks: 2,
    });
    const first = Math.ceil((4 + headerBytes) / 8) * 8;
    expect(bytes.length).toBe(first + 16);
    expect([...bytes.subarray(first)]).toEqual([0, 0, 0, 0, 0, 0, 0xf0, 0x3f, 7, 0, 0, 0, 0, 0, 0, 0]);
  });

  it('sends only the part of a buffer that a view shows', () => {
    const whole = new Uint32Array([1, 2, 3, 4]);
    expect(roundTrip(whole.subarray(1, 3))).toStrictEqual(new Uint32Array([2, 3]));
  });

  it('sends a Buffer of Node as its bytes, not as JSON', () => {
    expect(roundTrip(Buffer.from('remora'))).toStrictEqual(new Uint8Array(Buffer.from('remora')));
  });

  it('refuses what it would have to falsify', () => {
    expect(() => roundTrip(new BigInt64Array(1))).toThrow(/BigInt64Array/);
  });
});

describe('decodeMessage', () => {
  const bytes = encodeMessage(result({ t: new Float64Array([1.5, 2.5]), name: 'ä' }));

  it('returns views over the received memory, or over a copy where that is not aligned', () => {
    const aligned = decodeMessage(bytes) as { result: { t: Float64Array } };
    expect(aligned.result.t.buffer).toBe(bytes.buffer);
    for (let shift = 1; shift < 8; shift++) {
      const moved = new Uint8Array(bytes.length + 8).subarray(shift, shift + bytes.length);
      moved.set(bytes);
      expect(decodeMessage(moved)).toStrictEqual(decodeMessage(bytes));
      // What the WebSocket delivers in Node: a Buffer, whose slice() copies nothing.
      const buffer = Buffer.from(moved.buffer, shift, bytes.length);
      expect(decodeMessage(buffer)).toStrictEqual(decodeMessage(bytes));
    }
  });

  it('refuses a frame cut anywhere, and one with bytes behind its end', () => {
    for (let length = 0; length < bytes.length; length++) expect(outcome(bytes.slice(0, length))).toBe('bad-request');
    const longer = new Uint8Array(bytes.length + 8);
    longer.set(bytes);
    expect(outcome(longer)).toBe('bad-request');
  });

  it('never fails in another way, whatever byte is changed', () => {
    for (let i = 0; i < bytes.length; i++) {
      for (const flip of [0x01, 0x80, 0xff]) {
        const broken = bytes.slice();
        broken[i] = (broken[i] as number) ^ flip;
        const found = outcome(broken);
        if (found !== 'bad-request') expect(found).toHaveProperty('decoded');
      }
    }
  });

  it('never fails in another way on arbitrary bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (noise) => {
        const found = outcome(noise);
        if (found !== 'bad-request') expect(found).toHaveProperty('decoded');
      }),
    );
  });

  it.each([
    ['no JSON', '{"message":'],
    ['no object', 'null'],
    ['no sections', '{"message":1,"marks":0}'],
    ['a section of unknown kind', '{"message":1,"sections":[["toString",1]],"marks":0}'],
    ['a section with a negative length', '{"message":1,"sections":[["u8",-1]],"marks":0}'],
    ['a section longer than the frame', '{"message":1,"sections":[["f64",1e15]],"marks":0}'],
    ['a mark for a section that is not there', '{"message":{"$":3},"sections":[],"marks":1}'],
    ['a mark of an unknown number', '{"message":{"$":"constructor"},"sections":[],"marks":1}'],
    ['a mark that is nothing known', '{"message":{"$":{"entries":[[1,2]]}},"sections":[],"marks":1}'],
    ['arrays nested too deep', `{"message":${'['.repeat(100_000)}${']'.repeat(100_000)},"sections":[],"marks":1}`],
  ])('refuses %s', (_name, header) => {
    expect(outcome(frame(header))).toBe('bad-request');
  });

  it('takes a key __proto__ for a key', () => {
    const decoded = decodeMessage(
      frame('{"message":{"__proto__":{"a":{"$":"NaN"}}},"sections":[],"marks":1}'),
    ) as object;
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(Object.keys(decoded)).toEqual(['__proto__']);
  });
});

describe('toEngineMessage', () => {
  it('passes requests and cancels', () => {
    const messages: ToEngine[] = [
      { kind: 'request', id: 1, method: 'hello', params: {} },
      { kind: 'cancel', id: 1 },
    ];
    for (const one of messages) expect(toEngineMessage(decodeMessage(encodeMessage(one)))).toEqual(one);
  });

  it.each([
    null,
    1,
    'cancel',
    {},
    { kind: 'cancel' },
    { kind: 'cancel', id: 1.5 },
    { kind: 'request', id: 1 },
    { kind: 'result', id: 1 },
  ])('refuses %j', (value) => expect(() => toEngineMessage(value)).toThrow(RemoraError));
});
