import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wholeOf } from '../../electron/parse/byte-source.ts';
import { latin1 } from '../../electron/parse/cursor.ts';
import { bigintReader, bytesReader } from '../../electron/parse/field-access.ts';
import { type ExpectedEvent, recordings } from '../build/arbitrary.ts';
import { formatText, HEADER_EVENT_TEXT, headerPageText } from '../build/formats.ts';
import { padded } from '../build/sub-buffer.ts';
import { buildTraceDat } from '../build/trace-dat.ts';
import { type DecodedCpu, decode } from '../decode.ts';

const NUM_RUNS = 200;

/** Where events were lost, by the index of the event behind the gap. */
function expectedLost(events: readonly ExpectedEvent[]): [number, number][] {
  return events.flatMap(({ lostBefore }, index): [number, number][] => (lostBefore === 0 ? [] : [[index, lostBefore]]));
}

/** A gap may be told of where no event follows in the sub-buffer; the last word of several for one place counts. */
function foundLost({ lost, events }: DecodedCpu): [number, number][] {
  const byIndex = new Map(lost.map(({ beforeIndex, count }) => [beforeIndex, count]));
  return [...byIndex].filter(([index]) => index < events.length);
}

test('what the builder writes, the parser reads', () => {
  fc.assert(
    fc.property(recordings, fc.integer({ min: 1, max: 5 }), ({ recording, expected }, subBuffersAtOnce) => {
      const origin = expected.flat(2)[0]?.time ?? 0n;
      const { head, buffers, warnings } = decode(buildTraceDat(recording), { origin, subBuffersAtOnce });
      expect(warnings).toEqual([]);
      expect(head).toMatchObject({
        version: recording.version,
        compression: recording.compression,
        uname: recording.uname,
      });
      expect(head.abi).toEqual({ littleEndian: recording.abi.littleEndian, longBytes: recording.abi.longBytes });
      expect(head.pageBytes).toBe(recording.abi.subBufferBytes);
      expect([head.headerPage, head.headerEvent]).toEqual([headerPageText(recording.abi), HEADER_EVENT_TEXT]);
      expect([latin1(wholeOf(head.kallsyms())), head.printkFormats]).toEqual([
        recording.kallsyms,
        recording.printkFormats,
      ]);
      expect([...head.comms]).toEqual(recording.comms);
      expect(head.formats.map(({ system, id, name }) => `${system}:${name} ${id}`).sort()).toEqual(
        recording.formats.map(({ system, id, name }) => `${system}:${name} ${id}`).sort(),
      );
      expect(buffers.length).toBe(recording.buffers.length);

      buffers.forEach((cpus, b) => {
        expect(head.buffers[b]).toMatchObject({ name: recording.buffers[b].name, clock: 'local' });
        const withData = (expected[b] as ExpectedEvent[][]).flatMap((events, cpu) =>
          recording.buffers[b].cpus[cpu].length > 0 ? [{ cpu, events }] : [],
        );
        expect(cpus.map(({ cpu }) => cpu)).toEqual(withData.map(({ cpu }) => cpu));
        cpus.forEach((found, i) => {
          const { events } = withData[i];
          expect(found.damage).toBe(0);
          expect(found.events.map(({ time, id, pid }) => [time, id, pid])).toEqual(
            events.map(({ time, format, common }) => [Number(time - origin), format.id, common.pid]),
          );
          expect(foundLost(found)).toEqual(expectedLost(events));
          found.events.forEach(({ payload }, n) => {
            const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
            expect(bytes).toEqual(padded(events[n].payload));
          });
        });
      });
    }),
    { numRuns: NUM_RUNS },
  );
});

test('every field of every record reads back as it was written', () => {
  fc.assert(
    fc.property(recordings, ({ recording, expected }) => {
      const { head, buffers } = decode(buildTraceDat(recording));
      const readers = new Map(
        head.formats.map((format) => [
          format.id,
          format.fields.map((field) => ({
            field,
            number: bigintReader(field, head.abi),
            bytes: bytesReader(field, head.abi),
          })),
        ]),
      );
      const written = expected.flatMap((cpus) => cpus.flat());
      const found = buffers.flatMap((cpus) => cpus.flatMap(({ events }) => events));
      expect(found.length).toBe(written.length);
      found.forEach(({ id, payload }, n) => {
        const { format, values, common } = written[n];
        const fields = (readers.get(id) ?? []).filter(({ field }) => !field.common);
        expect(fields.map(({ field }) => field.name)).toEqual(format.fields.map(({ name }) => name));
        const pid = readers.get(id)?.find(({ field }) => field.name === 'common_pid');
        expect(pid?.number(payload, 0, payload.byteLength)).toBe(BigInt(common.pid));
        fields.forEach(({ number, bytes }, i) => {
          const { kind } = format.fields[i];
          if (kind === 'number') {
            expect(number(payload, 0, payload.byteLength)).toBe(values[i]);
          } else {
            const text = Buffer.from(bytes(payload, 0, payload.byteLength)).toString('latin1');
            expect(text.replace(/\0[\s\S]*$/, '')).toBe(values[i]);
          }
        });
      });
    }),
    { numRuns: NUM_RUNS },
  );
});

test('a format text reads back as it was written', () => {
  fc.assert(
    fc.property(recordings, ({ recording }) => {
      const { head } = decode(buildTraceDat({ ...recording, buffers: [{ name: '', clock: 'local', cpus: [[]] }] }));
      for (const built of recording.formats) {
        const format = head.formats.find(({ id }) => id === built.id);
        expect(format?.unreadLines).toEqual([]);
        expect(format?.fields.filter(({ common }) => common)).toHaveLength(4);
        const own = format?.fields.filter(({ common }) => !common) ?? [];
        expect(own.map(({ name, size, signed }) => ({ name, size, signed }))).toEqual(
          built.fields.map(({ name, bytes, signed }) => ({ name, size: bytes, signed })),
        );
        for (const { offset } of own) expect(formatText(built)).toContain(`;\toffset:${offset};`);
      }
    }),
    { numRuns: NUM_RUNS },
  );
});
