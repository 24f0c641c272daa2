import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeText } from '../decode-text.ts';

/** Events printed as the kernel and trace-cmd print them, from made-up tasks, and bytes that are nothing. */
interface PrintedEvent {
  comm: string;
  pid: number;
  tgid: number;
  cpu: number;
  flags: string;
  micros: number;
  name: string;
  info: string;
}

const printable = fc.integer({ min: 0x20, max: 0x7e }).map((code) => String.fromCharCode(code));
/** What the kernel keeps of a task's name: 15 bytes of anything; it is shown as it is. */
const comm = fc
  .array(printable, { minLength: 1, maxLength: 15 })
  .map((characters) => characters.join(''))
  .filter((text) => text.trim() === text && !text.startsWith('#'));
const name = fc
  .stringMatching(/^[a-z_][a-z0-9_]{2,19}$/)
  .filter((text) => !/^(?:print|bprint|bputs|type|sys_|kernel_stack|user_stack|unparsed)/.test(text));
const value = fc.oneof(
  fc.integer({ min: -1_000_000, max: 1_000_000 }).map(String),
  fc.stringMatching(/^[a-z0-9:/_.-]{1,12}$/),
);
const info = fc
  .array(fc.tuple(fc.stringMatching(/^[a-z_]{1,8}$/), value), { minLength: 1, maxLength: 5 })
  .map((pairs) => pairs.map(([key, text]) => `${key}=${text}`).join(' '));
const event: fc.Arbitrary<PrintedEvent> = fc.record({
  comm,
  pid: fc.integer({ min: 0, max: 4_194_304 }),
  tgid: fc.integer({ min: 0, max: 4_194_304 }),
  cpu: fc.integer({ min: 0, max: 1023 }),
  flags: fc.stringMatching(/^[dXDb.][NnpL.][hHsZ.][0-9a-f.][0-9a-f.]$/),
  micros: fc.integer({ min: 0, max: 2 ** 40 }),
  name,
  info,
});

const seconds = (micros: number): string => `${Math.floor(micros / 1e6)}.${String(micros % 1e6).padStart(6, '0')}`;
const cpuText = (cpu: number): string => `[${String(cpu).padStart(3, '0')}]`;

const forms: Record<string, (printed: PrintedEvent) => string> = {
  kernel: (e) =>
    `${e.comm.padStart(16)}-${String(e.pid).padEnd(7)} ${cpuText(e.cpu)} ${e.flags} ${seconds(e.micros).padStart(12)}: ${e.name}: ${e.info}`,
  'kernel with tgid': (e) =>
    `${e.comm.padStart(16)}-${String(e.pid).padEnd(7)} (${String(e.tgid).padStart(7)}) ${cpuText(e.cpu)} ${e.flags} ${seconds(e.micros).padStart(12)}: ${e.name}: ${e.info}`,
  'kernel without flags': (e) =>
    `${e.comm.padStart(16)}-${String(e.pid).padEnd(7)} ${cpuText(e.cpu)} ${seconds(e.micros).padStart(12)}: ${e.name}: ${e.info}`,
  report: (e) =>
    `${e.comm.padStart(16)}-${String(e.pid).padEnd(5)} ${cpuText(e.cpu)} ${e.flags} ${seconds(e.micros).padStart(12)}: ${`${e.name}:`.padEnd(21)} ${e.info}`,
};

describe.each(Object.entries(forms))('%s', (_form, print) => {
  test('what was printed is read', () => {
    fc.assert(
      fc.property(
        fc.array(event, { minLength: 1, maxLength: 20 }),
        fc.integer({ min: 400, max: 3000 }),
        (printed, batchBytes) => {
          const text = printed.map((each) => `${print(each)}\n`).join('');
          const decoded = decodeText(text, batchBytes);
          expect(
            decoded?.events.map(({ cpu, pid, ns, name: found, info: said }) => ({
              cpu,
              pid,
              ns,
              name: found,
              info: said,
            })),
          ).toEqual(
            printed.map((each) => ({
              cpu: each.cpu,
              pid: each.pid,
              ns: BigInt(each.micros) * 1000n,
              name: each.name,
              info: each.info,
            })),
          );
          const last = new Map(printed.map((each) => [each.pid, each.comm]));
          for (const [pid, task] of last) expect(decoded?.survey.comms.get(pid)).toBe(task);
        },
      ),
      { numRuns: 150 },
    );
  });
});

test('bytes of any kind between the lines neither stop the reading nor make up events', () => {
  const junk = fc
    .uint8Array({ minLength: 1, maxLength: 80 })
    .map((bytes) => bytes.map((byte) => (byte === 0x0a || byte === 0x2d || byte === 0x23 ? 0x20 : byte)));
  fc.assert(
    fc.property(fc.array(fc.tuple(event, junk), { minLength: 1, maxLength: 10 }), (pairs) => {
      const pieces = pairs.flatMap(([printed, bytes]) => [
        Buffer.from(`${(forms.kernel as (e: PrintedEvent) => string)(printed)}\n`),
        bytes,
        Buffer.from('\n'),
      ]);
      const decoded = decodeText(Buffer.concat([Buffer.from('# tracer: nop\n#\n'), ...pieces]));
      const found = decoded?.events.filter(({ name: own }) => own !== 'unparsed') ?? [];
      expect(found.map(({ name: own }) => own)).toEqual(pairs.map(([printed]) => printed.name));
    }),
    { numRuns: 150 },
  );
});

test('any bytes behind a header are read to the end', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 4000 }), fc.integer({ min: 16, max: 5000 }), (bytes, batchBytes) => {
      const decoded = decodeText(Buffer.concat([Buffer.from('# tracer: function_graph\n'), bytes]), batchBytes);
      for (const { position, record } of decoded?.events ?? [])
        expect(position + record.length).toBeLessThanOrEqual(bytes.length * 4 + 26);
    }),
    { numRuns: 300 },
  );
});

test('a flip of any byte of a text costs at most the event it is in and the one beside it', () => {
  const lines = Array.from({ length: 6 }, (_, i) =>
    (forms.report as (e: PrintedEvent) => string)({
      comm: 'dd',
      pid: 200 + i,
      tgid: 1,
      cpu: i % 2,
      flags: 'd..2.',
      micros: 56_410_032 + i,
      name: 'balance_dirty_pages',
      info: `bdi 8:0: limit=${i} pause=-4`,
    }),
  );
  const text = Buffer.from(`cpus=2\n${lines.join('\n')}\n`);
  for (let at = 7; at < text.length; at++) {
    for (const flip of [0x01, 0x20, 0x80]) {
      const damaged = Buffer.from(text);
      damaged[at] = (damaged[at] as number) ^ flip;
      const kept = decodeText(damaged)?.events.filter(({ name: own }) => own === 'balance_dirty_pages') ?? [];
      expect(kept.length, `byte ${at} ^ ${flip}`).toBeGreaterThanOrEqual(4);
    }
  }
});
