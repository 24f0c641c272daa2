import fc from 'fast-check';
import { expect, test } from 'vitest';
import { type RunSlices, runSlices } from '../../../electron/derive/schedule.ts';
import { writeChromeTrace } from '../../../electron/export/chrome-trace.ts';
import { findEventType } from '../../../electron/export/convert-events.ts';
import { writeCsv } from '../../../electron/export/csv.ts';
import { recordings } from '../../build/arbitrary.ts';
import { type BuiltFormat, payloadOf } from '../../build/formats.ts';
import type { BufferEvent } from '../../build/sub-buffer.ts';
import type { BuiltRecording } from '../../build/trace-dat.ts';
import { Kept, selected, withOpened } from './opened.ts';

/** RFC 4180, all of it: the fields of every record. */
function parseCsv(text: string): string[][] {
  const rows: string[][] = [];
  let row: string[] = [];
  for (const [, quoted, plain, end] of text.matchAll(/(?:"((?:[^"]|"")*)"|([^",\n]*))(,|\n)/g)) {
    row.push(quoted === undefined ? (plain as string) : quoted.replaceAll('""', '"'));
    if (end === '\n') {
      rows.push(row);
      row = [];
    }
  }
  return rows;
}

const seconds = (time: bigint): string => `${time / 1_000_000_000n}.${String(time % 1_000_000_000n).padStart(9, '0')}`;

test('CSV has every event of any recording, with its exact time', async () => {
  await fc.assert(
    fc.asyncProperty(recordings, async ({ recording, expected }) => {
      await withOpened(recording, async (trace) => {
        const out = new Kept();
        await writeCsv(trace, null, selected(), out);
        const [header, ...rows] = parseCsv(out.text);
        const several = recording.buffers.length > 1;
        expect(header).toEqual([
          ...(several ? ['stream'] : []),
          'time',
          'cpu',
          'task',
          'pid',
          'flags',
          'event',
          'info',
        ]);
        const found = rows.map((row) => {
          const at = several ? row : ['', ...row];
          return [at[1], at[2], at[4], at[6]].join(' ');
        });
        const written = expected.flatMap((cpus) =>
          cpus.flatMap((events, cpu) =>
            events.map(({ time, common, format }) => `${seconds(time)} ${cpu} ${common.pid} ${format.name}`),
          ),
        );
        expect(found.toSorted()).toEqual(written.toSorted());
      });
    }),
    { numRuns: 60 },
  );
});

test('CSV of one type has its fields, exact, and texts that need quotes come back', async () => {
  const format: BuiltFormat = {
    system: 'sched',
    name: 'say',
    id: 40,
    fields: [
      { name: 'n', declaration: 'u64', bytes: 8, signed: false, kind: 'number' },
      { name: 'm', declaration: 's64', bytes: 8, signed: true, kind: 'number' },
      { name: 'pid', declaration: 'int', bytes: 4, signed: true, kind: 'number' },
      { name: 'word', declaration: '__data_loc char[]', bytes: 4, signed: true, kind: 'data-loc' },
    ],
    printFmt: '"%llu", REC->n',
  };
  const words = ['plain', 'a,b', 'say "x"', 'two\nlines', ''];
  const events = words.map((word, i) => ({
    time: 1_500_000_000n + BigInt(i),
    payload: payloadOf(format, { flags: 0, preemptCount: 0, pid: 7 }, [2n ** 64n - 1n, -(2n ** 63n), 5n, word], true),
  }));
  await withOpened(built([format], [events]), async (trace) => {
    const out = new Kept();
    await writeCsv(trace, findEventType(trace, 'say'), selected('n > 0'), out);
    const [header, ...rows] = parseCsv(out.text);
    expect(header).toEqual(['time', 'cpu', 'task', 'pid', 'n', 'm', 'field_pid', 'word']);
    expect(rows).toEqual(
      words.map((word, i) => [
        `1.50000000${i}`,
        '0',
        '<...>',
        '7',
        String(2n ** 64n - 1n),
        String(-(2n ** 63n)),
        '5',
        word,
      ]),
    );
    await expect(async () => findEventType(trace, 'shout')).rejects.toThrow('there is sched:say');
  });
});

interface ChromeEvent {
  ph: string;
  name: string;
  cat?: string;
  ts: number;
  dur: number;
  pid: number;
  tid: number;
  args: Record<string, unknown>;
}

test('Chrome trace events of any recording are valid JSON with every event once', async () => {
  await fc.assert(
    fc.asyncProperty(recordings, async ({ recording, expected }) => {
      await withOpened(recording, async (trace) => {
        const out = new Kept();
        await writeChromeTrace({ trace, episodes: [], annotations: [] }, selected(), out);
        const { traceEvents } = JSON.parse(out.text) as { traceEvents: ChromeEvent[] };
        const instants = traceEvents.filter(({ ph }) => ph === 'i');
        const found = instants.map(({ ts, name, cat, args }) => `${Math.round(ts * 1000)} ${cat}:${name} ${args.cpu}`);
        const written = expected.flatMap((cpus) =>
          cpus.flatMap((events, cpu) =>
            events.map(({ time, format }) => `${time - trace.originNs} ${format.system}:${format.name} ${cpu}`),
          ),
        );
        expect(found.toSorted()).toEqual(written.toSorted());
        // Every track is named, once, before it is used.
        const named = new Set<string>();
        for (const { ph, name, pid, tid } of traceEvents) {
          if (name === 'thread_name') {
            expect(named).not.toContain(`${pid} ${tid}`);
            named.add(`${pid} ${tid}`);
          } else if (ph !== 'M') expect(named).toContain(`${pid} ${tid}`);
        }
      });
    }),
    { numRuns: 60 },
  );
});

const switchFormat: BuiltFormat = {
  system: 'sched',
  name: 'sched_switch',
  id: 50,
  fields: [
    { name: 'prev_comm', declaration: 'char[16]', bytes: 16, signed: true, kind: 'chars' },
    { name: 'prev_pid', declaration: 'pid_t', bytes: 4, signed: true, kind: 'number' },
    { name: 'next_comm', declaration: 'char[16]', bytes: 16, signed: true, kind: 'chars' },
    { name: 'next_pid', declaration: 'pid_t', bytes: 4, signed: true, kind: 'number' },
  ],
  printFmt: '"%d %d", REC->prev_pid, REC->next_pid',
};
const otherFormat: BuiltFormat = { system: 'irq', name: 'tick', id: 51, fields: [], printFmt: '""' };

function built(formats: BuiltFormat[], cpus: BufferEvent[][]): BuiltRecording {
  return {
    version: 6,
    compression: 'none',
    abi: { littleEndian: true, longBytes: 8, subBufferBytes: 4096 },
    formats,
    buffers: [{ name: '', clock: 'local', cpus }],
    comms: [],
    uname: '',
    kallsyms: '',
    printkFormats: '',
    options: [],
  };
}

/** What a CPU did: a switch, which may have been missed, or another event; sometimes behind lost events. */
const steps = fc.array(
  fc.record({
    step: fc.integer({ min: 1, max: 5000 }),
    next: fc.integer({ min: 0, max: 3 }),
    kind: fc.constantFrom('switch', 'switch', 'missed', 'tick'),
    lost: fc.oneof({ weight: 9, arbitrary: fc.constant(0) }, fc.constantFrom(-1, 3)),
  }),
  { minLength: 1, maxLength: 40 },
);

test('slices are those that the lanes draw, gaps and missing switches included', async () => {
  await fc.assert(
    fc.asyncProperty(steps, async (all) => {
      const common = { flags: 0, preemptCount: 0, pid: 1 };
      const events: BufferEvent[] = [];
      const switches: { time: number; prev: number; next: number }[] = [];
      const lostNs: number[] = [];
      let time = 0;
      let running = 1;
      let lastNs = 0;
      for (const { step, next, kind, lost } of all) {
        time += step;
        const prev = running;
        if (kind !== 'tick') running = next;
        if (kind === 'missed') continue;
        const values = [`t${prev}`, BigInt(prev), `t${next}`, BigInt(next)];
        const payload =
          kind === 'tick' ? payloadOf(otherFormat, common, [], true) : payloadOf(switchFormat, common, values, true);
        const gap = lost !== 0 && events.length > 0;
        events.push({ time: 1_000_000n + BigInt(time), payload, ...(gap ? { lostBefore: lost } : {}) });
        if (gap) lostNs.push(time);
        if (kind === 'switch') switches.push({ time, prev, next });
        lastNs = time;
      }
      if (events.length === 0) return;
      const origin = Number((events[0] as BufferEvent).time - 1_000_000n);
      const expected: RunSlices = runSlices(
        {
          n: switches.length,
          time: Float64Array.from(switches, (each) => each.time),
          prevPid: switches.map(({ prev }) => prev),
          nextPid: switches.map(({ next }) => next),
        },
        origin,
        lastNs,
        lostNs,
      );
      await withOpened(built([otherFormat, switchFormat], [events]), async (trace) => {
        const out = new Kept();
        await writeChromeTrace({ trace, episodes: [], annotations: [] }, selected(), out);
        const { traceEvents } = JSON.parse(out.text) as { traceEvents: ChromeEvent[] };
        const found = traceEvents
          .filter(({ ph }) => ph === 'X')
          .map(({ ts, dur, name, args }) => {
            const from = Math.round(ts * 1000) + origin;
            expect(name).toBe(`t${args.pid}`);
            return [from, from + Math.round(dur * 1000), args.pid];
          });
        const drawn = Array.from({ length: expected.n }, (_, i) => [expected.from[i], expected.to[i], expected.pid[i]]);
        expect(found).toEqual(drawn);
      });
    }),
    { numRuns: 150 },
  );
});
