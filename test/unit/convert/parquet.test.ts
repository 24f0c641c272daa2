import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { StagedFile, StagedFolder } from '../../../electron/export/convert-output.ts';
import { writeParquetFile } from '../../../electron/export/parquet.ts';
import { writeParquetFolder } from '../../../electron/export/parquet-folder.ts';
import { type Case, type ExpectedEvent, recordings } from '../../build/arbitrary.ts';
import { type BuiltField, type BuiltValue, payloadOf } from '../../build/formats.ts';
import { DuckDb, hasDuckDb } from '../../duckdb.ts';
import { selected, withOpened } from './opened.ts';

const options = { host: null, day: null, info: true };
const nothing = { episodes: [], annotations: [], warnings: 0 };

/** A value as DuckDB gives it: integers of more than 32 bits as bigint. */
function read({ kind, bytes, signed }: BuiltField, value: BuiltValue): unknown {
  // Bytes of a kernel string, read as UTF-8 up to the first NUL.
  if (kind !== 'number') return new TextDecoder().decode(Buffer.from(String(value), 'latin1'));
  return bytes === 8 || (bytes === 4 && !signed) ? BigInt(value) : Number(value);
}

const text = (value: unknown): string =>
  JSON.stringify(value, (_, part) => (typeof part === 'bigint' ? `${part}n` : part));

/** One line per event, with everything that its tables should say. */
function expectedRows({ recording, expected }: Case, origin: bigint): { all: string[]; typed: Map<string, string[]> } {
  const all: string[] = [];
  const typed = new Map<string, string[]>();
  // Buffers without an event are streams too.
  for (const [stream, cpus] of expected.entries()) {
    for (const [cpu, events] of cpus.entries()) {
      for (const { time, format, common, values } of events as ExpectedEvent[]) {
        const place = [time - origin, time, stream, cpu, common.pid];
        all.push(text([...place, format.system, format.name]));
        const own = format.fields.map((field, i) => read(field, values[i] as BuiltValue));
        const rows = typed.get(format.name) ?? [];
        rows.push(text([...place, ...own, common.flags, common.preemptCount]));
        typed.set(format.name, rows);
      }
    }
  }
  expect(recording.buffers.length).toBe(expected.length);
  return { all, typed };
}

describe.skipIf(!hasDuckDb)('a folder of Parquet', () => {
  test('DuckDB reads every event and every value of any recording exactly', async () => {
    const db = await DuckDb.open();
    await fc.assert(
      fc.asyncProperty(recordings, async (random) => {
        const events = random.expected.flat(2);
        await withOpened(random.recording, async (trace, path) => {
          const folder = new StagedFolder(`${path}/out`);
          await writeParquetFolder({ trace, ...nothing }, options, selected(), folder);
          folder.commit();
          const { all, typed } = expectedRows(random, trace.originNs);
          const files = `read_parquet('${path}/out/streams/*/*/*.parquet', hive_partitioning = true)`;
          expect(await db.value(`SELECT sum(events)::BIGINT FROM ${files}`)).toBe(BigInt(events.length));
          expect(await db.value(`SELECT DISTINCT host FROM ${files}`)).toBe('built');
          if (events.length === 0) return;
          const columns = 'ts, abs_ns, stream, cpu, pid';
          const rows = await db.rows(
            `SELECT ${columns}, system, event FROM read_parquet('${path}/out/events/*/*/*.parquet')`,
          );
          expect(rows.map((row) => text(Object.values(row))).toSorted()).toEqual(all.toSorted());
          const times = rows.map(({ ts }) => ts as bigint);
          expect(times).toEqual(times.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0)));
          for (const [name, expectedOfType] of typed) {
            const format = random.recording.formats.find((each) => each.name === name);
            const own = [...(format?.fields.map((field) => field.name) ?? []), 'common_flags', 'common_preempt_count'];
            const found = await db.rows(
              `SELECT ${[columns, ...own].join(', ')} FROM read_parquet('${path}/out/fields/*/*/event=${name}/*.parquet')`,
            );
            expect(found.map((row) => text(Object.values(row))).toSorted()).toEqual(expectedOfType.toSorted());
          }
        });
      }),
      { numRuns: 40 },
    );
    db.close();
  });

  test('several row groups, of any sizes, hold the same', async () => {
    const db = await DuckDb.open();
    // More rows than a row group has.
    const format = {
      system: 'sched',
      name: 'step',
      id: 30,
      fields: [
        { name: 'n', declaration: 'u64', bytes: 8, signed: false, kind: 'number' as const },
        { name: 'word', declaration: 'char[64]', bytes: 64, signed: true, kind: 'chars' as const },
      ],
      printFmt: '"%llu %s", REC->n, REC->word',
    };
    const count = 140_000;
    // UTF-8, byte for byte.
    const accents = Buffer.from('é'.repeat(20)).toString('latin1');
    const events = Array.from({ length: count }, (_, i) => ({
      time: 1000n + BigInt(i),
      payload: payloadOf(
        format,
        { flags: 0, preemptCount: 0, pid: 1 },
        [2n ** 64n - 1n - BigInt(i), `${accents}${i}`],
        true,
      ),
    }));
    const recording = {
      version: 6 as const,
      compression: 'none' as const,
      abi: { littleEndian: true, longBytes: 8 as const, subBufferBytes: 4096 },
      formats: [format],
      buffers: [{ name: '', clock: 'local', cpus: [events] }],
      comms: [[1, 'one']] as [number, string][],
      uname: '',
      kallsyms: '',
      printkFormats: '',
      options: [],
    };
    await withOpened(recording, async (trace, path) => {
      const out = new StagedFile(`${path}/out.parquet`);
      await writeParquetFile(trace, { ...options, host: 'h' }, trace.eventTypes[0] ?? null, selected(), out);
      out.commit();
      const [row] = await db.rows(`
        SELECT count(*)::INT AS n, count(DISTINCT n)::INT AS distinct_n, min(n) AS least, max(n) AS most, min(host) AS host,
               count(*) FILTER (ts != (18446744073709551615::UBIGINT - n)::BIGINT)::INT AS wrong
        FROM '${path}/out.parquet'`);
      const most = 2n ** 64n - 1n;
      expect(row).toEqual({ n: count, distinct_n: count, least: most - BigInt(count - 1), most, host: 'h', wrong: 0 });
      const groups = await db.value(`SELECT max(row_group_id)::INT FROM parquet_metadata('${path}/out.parquet')`);
      expect(groups).toBeGreaterThan(0);

      const plain = new StagedFile(`${path}/plain.parquet`);
      await writeParquetFile(trace, options, null, selected(), plain);
      plain.commit();
      const wrong = await db.value(`
        SELECT count(*)::INT FROM '${path}/plain.parquet'
        WHERE info NOT LIKE concat(18446744073709551615::UBIGINT - ts::UBIGINT, ' é%')`);
      expect(wrong).toBe(0);
    });
    db.close();
  });
});
