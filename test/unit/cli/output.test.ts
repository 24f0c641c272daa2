import { Writable } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { csvLines, isClosedPipe, tableLines, writeJson, writeLines } from '../../../electron/cli/output.ts';

/** Collects what is written, a piece at a time. */
class Sink extends Writable {
  readonly pieces: string[] = [];
  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.pieces.push(String(chunk));
    done();
  }
  get text(): string {
    return this.pieces.join('');
  }
}

async function jsonText(value: unknown): Promise<string> {
  const sink = new Sink();
  await writeJson(sink, value);
  return sink.text;
}

describe('writeJson', () => {
  it.each([
    [null],
    [[1, 'a']],
    [{}],
    [{ a: [], b: {}, c: null, d: 'x\ny' }],
    [{ rows: [[1, 2], { a: [3] }], more: { nested: [1] }, last: 0 }],
  ])('%j is one document', async (value) => {
    expect(JSON.parse(await jsonText(value))).toEqual(value);
  });

  it('leaves undefined out and gives every entry of a list its line', async () => {
    expect(await jsonText({ a: undefined, rows: [{ x: 1 }, { x: 2 }] })).toBe(
      '{\n  "rows": [\n    {"x":1},\n    {"x":2}\n  ]\n}\n',
    );
  });
});

describe('writeLines', () => {
  it('writes large texts in pieces, all of them', async () => {
    const sink = new Sink();
    const lines = Array.from({ length: 20_000 }, (_, i) => `line ${i}`);
    await writeLines(sink, lines);
    expect(sink.text).toBe(`${lines.join('\n')}\n`);
    expect(sink.pieces.length).toBeGreaterThan(2);
  });

  it('stops at a closed pipe', async () => {
    let written = 0;
    const closed = new Writable({
      write(_chunk, _encoding, done) {
        written += 1;
        done(Object.assign(new Error('closed'), { code: 'EPIPE' }));
      },
    });
    closed.on('error', () => {});
    const endless = (function* () {
      for (;;) yield 'x'.repeat(1000);
    })();
    const error = await writeLines(closed, endless).catch((caught: unknown) => caught);
    expect([isClosedPipe(error), written]).toEqual([true, 1]);
    expect(isClosedPipe(new Error('odd'))).toBe(false);
  });
});

describe('csvLines', () => {
  it('quotes as RFC 4180 says', () => {
    expect([
      ...csvLines(
        ['a', 'b,c'],
        [
          ['x"y', 1.5],
          ['two\nlines', null],
        ],
      ),
    ]).toEqual(['a,"b,c"', '"x""y",1.5', '"two\nlines",']);
  });
});

describe('tableLines', () => {
  it('aligns text left and numbers right', () => {
    const lines = [
      ...tableLines(
        ['name', 'n', 'odd'],
        [
          ['a', 5, 'x'],
          ['long', 123, 4],
          ['b', null, 'yy'],
        ],
      ),
    ];
    expect(lines).toEqual(['name    n  odd', 'a       5  x', 'long  123  4', 'b       –  yy']);
  });

  it('has a heading also where there are no rows', () => {
    expect([...tableLines(['a', 'b'], [])]).toEqual(['a  b']);
  });
});
