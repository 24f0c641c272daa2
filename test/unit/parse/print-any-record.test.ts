import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { bytesSource } from '../../../electron/parse/byte-source.ts';
import { type EventFormat, parseEventFormat } from '../../../electron/parse/event-format.ts';
import { Printer } from '../../../electron/parse/print-format/printer.ts';
import { PrintRecord } from '../../../electron/parse/print-format/record.ts';
import { TextSink } from '../../../electron/parse/print-format/text-sink.ts';
import type { RecordingHead } from '../../../electron/parse/recording.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { corpusFile } from '../../corpus.ts';
import { headOf, little64 } from './print-record.ts';

/** Any record of any kernel's event prints: whatever the bytes, without an exception and without gigabytes. */

/** Numbers that are the same in every run. */
function randomNumbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 4294967296) * below);
  };
}

function printAnything(head: RecordingHead, rounds: number): { printed: number; unparsed: Set<string> } {
  const random = randomNumbers(42);
  const printer = new Printer(head);
  const memory = new Uint8Array(4096);
  const view = new DataView(memory.buffer);
  const record = new PrintRecord();
  const out = new TextSink();
  const unparsed = new Set<string>();
  let printed = 0;
  for (let round = 0; round < rounds; round++) {
    for (let i = 0; i < memory.length; i++) memory[i] = random(4) === 0 ? 0 : random(256);
    for (const format of head.formats) {
      record.set(view, random(64) * 4, random(600), random(2) === 0);
      record.cpu = random(4) - 1;
      const event = printer.event(format.id);
      expect(event).not.toBeNull();
      for (const print of [event?.pretty, event?.raw]) {
        out.length = 0;
        print?.(record, out);
        if (out.length > 1_000_000) throw new Error(`${format.name} printed ${out.length} bytes`);
        if (out.latin1().startsWith('[FAILED TO PARSE]')) unparsed.add(`${format.system}:${format.name}`);
      }
      printed++;
    }
  }
  return { printed, unparsed };
}

describe.each(['host-all-events.dat', 'vm612-all-events.dat'])('%s', (name) => {
  const path = corpusFile(name);
  test.skipIf(path === null)('every event of this kernel prints any record', () => {
    const bytes = readFileSync(path as string);
    const { printed, unparsed } = printAnything(readTraceDat(bytesSource(bytes, name)), 3);
    expect(printed).toBeGreaterThan(6000);
    // libtraceevent 1.8 cannot read some: functions that it does not know, indices into what is no array.
    expect(unparsed.size).toBeLessThan(20);
  });

  test.skipIf(path === null)('and so do print formats with a character changed', () => {
    const head = readTraceDat(bytesSource(readFileSync(path as string), name));
    const random = randomNumbers(7);
    const formats = head.formats.map((format): EventFormat => {
      const { printFmt } = format;
      const at = random(printFmt.length);
      const char = '()"{}[]*?:,->%0REC\\\u00ff'[random(19)];
      const { system, name: event, id, fields, unreadLines } = format;
      return {
        system,
        name: event,
        id,
        fields,
        unreadLines,
        printFmt: printFmt.slice(0, at) + char + printFmt.slice(at + 1),
      };
    });
    expect(printAnything({ ...head, formats }, 1).printed).toBeGreaterThan(2000);
  });
});

const formats = corpusFile('../formats');
test.skipIf(formats === null)('every published print format of kernels 3.4 to 5.15 is read', () => {
  const folders = readdirSync(formats as string, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const folder of folders) {
    const path = join(formats as string, folder.name);
    const headerPage = readdirSync(path).includes('header_page')
      ? readFileSync(join(path, 'header_page'), 'latin1')
      : '';
    const abi = { ...little64, longBytes: /commit;\s*offset:8;\s*size:4/.test(headerPage) ? 4 : 8 } as const;
    const parsed = readdirSync(path)
      .filter((file) => file.endsWith('.format'))
      .map((file) => parseEventFormat(readFileSync(join(path, file), 'latin1'), 'test', abi));
    const { printed, unparsed } = printAnything(headOf(parsed, { abi }), 2);
    // Here arm64's page address calls typeof, later __builtin_constant_p: libtraceevent knows neither.
    const unreadable = /4\.4\.88|5\.10\.43/.test(folder.name) ? ['test:mm_vmscan_writepage'] : [];
    expect([...unparsed], folder.name).toEqual(unreadable);
    expect(printed).toBeGreaterThan(20);
  }
});
