import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type OpenedTrace, openTrace } from '../../electron/engine/open.ts';
import { EpisodeQueries } from '../../electron/query/episodes.ts';
import { Samples } from '../../electron/query/samples.ts';
import type { Trace } from '../../electron/query/trace.ts';
import type { Episode } from '../../shared/model.ts';
import { corpusFile, corpusText } from '../corpus.ts';

/** What trace-cmd and the kernel print, loaded as text, against the recording or the buffers that it was printed from. */
const folder = mkdtempSync(join(tmpdir(), 'remora-text-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const open = (path: string): Promise<OpenedTrace> => openTrace({ paths: [path], noCache: true, cacheFolder: folder });

/** A corpus text as a file of its own. */
function textFile(name: string): string {
  const path = join(folder, name.replaceAll('/', '_').replace(/\.gz$/, ''));
  writeFileSync(path, corpusText(name) ?? '', 'latin1');
  return path;
}

/** Every event of a CPU in its order: three numbers each. Names are numbered over all recordings. */
interface CpuEvents {
  pid: Float64Array;
  /** µs, rounded as trace-cmd does; or ticks of a clock that it prints as it counts. */
  time: Float64Array;
  name: Float64Array;
}

const nameNumbers = new Map<string, number>();
function numberOf(name: string): number {
  const known = nameNumbers.get(name) ?? nameNumbers.size;
  nameNumbers.set(name, known);
  return known;
}
const nameOf = (number: number): string => [...nameNumbers.keys()][number] ?? '';

/** By `stream cpu`, sorted, those without events left out. */
function eventsByCpu(trace: Trace, unit: 'µs' | 'count' = 'µs'): Map<string, CpuEvents> {
  const lists: [string, CpuEvents][] = [];
  for (const stream of trace.streams) {
    const origin = BigInt(stream.info.originNs);
    const [whole, rest] = unit === 'count' ? [Number(origin), 0] : [Number(origin / 1000n), Number(origin % 1000n)];
    for (const cpu of stream.cpus) {
      if (cpu.events === 0) continue;
      const list = {
        pid: new Float64Array(cpu.events),
        time: new Float64Array(cpu.events),
        name: new Float64Array(cpu.events),
      };
      for (const info of cpu.chunks) {
        const chunk = trace.chunks.get(info);
        for (let i = 0; i < chunk.count; i++) {
          const at = info.firstIndex + i;
          const ns = chunk.time[i] as number;
          const type = stream.recording.typeOfId[chunk.id[i] as number] as number;
          list.pid[at] = chunk.pid[i] as number;
          list.time[at] = unit === 'count' ? whole + ns : whole + Math.floor((ns + rest + 500) / 1000);
          list.name[at] = numberOf(trace.eventTypes[type]?.name ?? '');
        }
      }
      lists.push([`${stream.info.name} ${cpu.cpu}`, list]);
    }
  }
  return new Map(lists.sort(([a], [b]) => (a < b ? -1 : 1)));
}

const eventAt = ({ pid, time, name }: CpuEvents, at: number) => ({
  pid: pid[at],
  time: time[at],
  name: nameOf(name[at] as number),
});

const sameAt = (a: CpuEvents, i: number, b: CpuEvents, j: number): boolean =>
  a.pid[i] === b.pid[j] && a.time[i] === b.time[j] && a.name[i] === b.name[j];

/** The first difference is enough to tell; lists of a million would be printed whole. */
function expectSame(found: Map<string, CpuEvents>, expected: Map<string, CpuEvents>): void {
  expect([...found.keys()]).toEqual([...expected.keys()]);
  for (const [cpu, list] of expected) {
    const other = found.get(cpu) as CpuEvents;
    expect(`${cpu}: ${other.pid.length} events`).toBe(`${cpu}: ${list.pid.length} events`);
    const at = list.pid.findIndex((_, i) => !sameAt(list, i, other, i));
    if (at >= 0) expect({ cpu, at, ...eventAt(other, at) }).toEqual({ cpu, at, ...eventAt(list, at) });
  }
}

const recordings = [
  'sample-throttle',
  'vm61-throttle-v2',
  'host-throttle-v1-slim',
  'host-agent-host-127.0.0.1',
  'host-all-events',
  'host-clock-local',
  'host-date',
  'host-extract',
  'host-filter',
  'host-instances-v7',
  'host-listen',
  'host-lost',
  'host-markers',
  'host-stack',
  'host-subbuf16k',
  'host-syscalls',
  'host-uprobe-eprobe',
  'host-v6',
  'host-v7-zlib',
  'host-v7-zstd',
  'small-v6',
  'small-v7-none',
  'vm612-all-events',
  'vm612-extract',
  'vm612-function',
  'vm612-instances-mixed',
  'vm612-tracer-function-extract',
  'vm612rt-lat-osnoise',
  'vm612rt-lat-wakeup',
  'host-died',
  'host-no-events',
];
/** Clocks that trace-cmd prints as they count. */
const counting = ['host-clock-boot', 'host-clock-counter', 'host-clock-x86-tsc'];

describe.each([...recordings, ...counting])('the report of %s', (name) => {
  const dat = corpusFile(`${name}.dat`);
  const report = `${name}.dat.report.txt.gz`;
  test.skipIf(dat === null || corpusFile(report) === null)('has the events of the recording', async () => {
    const recording = await open(dat as string);
    const text = await open(textFile(report));
    const unit = counting.includes(name) ? 'count' : 'µs';
    expectSame(eventsByCpu(text.trace, unit), eventsByCpu(recording.trace, unit));
    expect(text.summary.recordings[0]?.format).toBe('ftrace text');
    expect(text.summary.warnings).toEqual([]);
    const lost = ({ summary }: OpenedTrace) =>
      summary.streams
        .map(({ lost: known, gaps }) => [known, gaps])
        .filter(([known, gaps]) => (known as number) + (gaps as number) > 0);
    expect(lost(text)).toEqual(lost(recording));
    recording.close();
    text.close();
  });
});

test.skipIf(corpusFile('vm612-function_graph.dat') === null)(
  'a report of a function graph has its leaves in one line',
  async () => {
    const recording = await open(corpusFile('vm612-function_graph.dat') as string);
    const text = await open(textFile('vm612-function_graph.dat.report.txt.gz'));
    const printed = eventsByCpu(text.trace);
    for (const [cpu, list] of eventsByCpu(recording.trace)) {
      const lines = printed.get(cpu) as CpuEvents;
      let at = 0;
      for (let i = 0; i < list.pid.length; i++) {
        if (sameAt(list, i, lines, at)) at++;
        else expect(eventAt(list, i).name).toBe('funcgraph_exit');
      }
      expect(at).toBe(lines.pid.length);
    }
    recording.close();
    text.close();
  },
);

test.skipIf(corpusFile('host-agent-host.dat') === null)(
  'what trace-cmd could not print is kept and counted',
  async () => {
    const text = await open(textFile('host-agent-host.dat.report.txt.gz'));
    const counts = Object.fromEntries(text.summary.eventTypes.map(({ name, count }) => [name, count]));
    expect(counts).toEqual({ unparsed: 3738, sched_switch: 989 });
    expect(text.summary.warnings.at(-1)?.message).toBe('3738 lines in all are no lines of a trace');
    text.close();
  },
);

describe.each(['raw-stopped', 'raw-subbuf16k'])('the buffers of %s', (name) => {
  test.skipIf(corpusFile(name) === null)('hold what `cat trace` printed', async () => {
    const raw = await open(corpusFile(name) as string);
    const text = await open(textFile(`${name}/trace.txt.gz`));
    expectSame(eventsByCpu(raw.trace), eventsByCpu(text.trace));
    expect(raw.summary.warnings).toEqual([]);
    expect(raw.summary.recordings[0]).toMatchObject({ format: 'raw buffers', byteOrder: 'little', longBytes: 8 });
    // The kernel prints tasks by saved_cmdlines, so both know the same names; and TGID is a column of this text.
    for (const { pid, comm, tgid } of text.summary.tasks) {
      expect(raw.summary.tasks.find((task) => task.pid === pid)).toMatchObject({ comm, tgid });
    }
    raw.close();
    text.close();
  });
});

/** Texts that the kernel made of one stopped buffer, each in its own form, and how many events it holds. */
const kernelTexts: [string, number][] = [
  ['text/host-extract.trace.txt.gz', 19_739],
  ['text/host-extract.trace.verbose.txt.gz', 19_739],
  ['text/host-extract.trace.latency-format.txt.gz', 19_739],
  ['text/host-extract.trace.raw.txt.gz', 19_739],
  ['text/host-extract.trace.hex.txt.gz', 19_739],
  ['text/vm612-extract.trace.txt', 696],
  ['text/vm612-extract.trace.latency-format.txt', 696],
  ['text/vm612-tracer-function.trace.txt', 325],
  ['text/vm612-tracer-function.latency-format.txt', 325],
  ['text/host-tracer-blk.trace.txt', 48],
  ['text/vm612rt-lat-osnoise.trace.txt', 4],
  ['text/vm612rt-lat-wakeup.trace.txt', 219],
];

test.each(kernelTexts.filter(([name]) => corpusFile(name) !== null))(
  '%s is read to its last event',
  async (name, events) => {
    const text = await open(textFile(name));
    expect(text.summary.events).toBe(events);
    expect(text.summary.eventTypes.some(({ name: type }) => type === 'unparsed')).toBe(false);
    expect(text.summary.warnings).toEqual([]);
    text.close();
  },
);

/** Everything of an episode that does not come from the time stamps, which text rounds to µs. */
const facts = ({ fromNs, toNs, sleptMs, ...rest }: Episode) => ({
  ...rest,
  fromUs: Math.round(fromNs / 1000),
  toUs: Math.round(toNs / 1000),
  slept: sleptMs === null ? null : Math.round(sleptMs),
});

describe.each(['sample-throttle', 'host-throttle-v1-slim', 'vm61-throttle-v2'])('throttling in %s', (name) => {
  const dat = corpusFile(`${name}.dat`);
  test.skipIf(dat === null)('is the same by the text and by the recording', async () => {
    const recording = await open(dat as string);
    const text = await open(textFile(`${name}.dat.report.txt.gz`));
    const episodes = ({ trace }: OpenedTrace) =>
      new EpisodeQueries(trace, new Samples(trace)).find('cgroup', undefined);
    const [expected, found] = [episodes(recording), episodes(text)];
    expect(expected.episodes.length).toBeGreaterThan(0);
    // Relative to each one's first event, which text knows to the µs.
    const off = (a: number, b: number): number => Math.abs(a - b);
    expect(found.episodes.map(facts).map(({ fromUs: _from, toUs: _to, slept: _slept, ...rest }) => rest)).toEqual(
      expected.episodes.map(facts).map(({ fromUs: _from, toUs: _to, slept: _slept, ...rest }) => rest),
    );
    found.episodes.map(facts).forEach((episode, i) => {
      const other = facts(expected.episodes[i] as Episode);
      expect(off(episode.fromUs, other.fromUs)).toBeLessThanOrEqual(1);
      expect(off(episode.toUs, other.toUs)).toBeLessThanOrEqual(1);
      expect(off(episode.slept ?? 0, other.slept ?? 0)).toBeLessThanOrEqual(1);
    });
    expect(found.findings.map(({ kind }) => kind)).toEqual(expected.findings.map(({ kind }) => kind));

    // Every number of balance_dirty_pages, CPU by CPU: of equal µs, the whole list cannot tell the order.
    const column = ({ trace }: OpenedTrace, field: string): number[] => {
      const type = trace.eventTypes.find(({ name: own }) => own === 'balance_dirty_pages')?.type as number;
      const samples = new Samples(trace);
      const { n, cpu, index } = samples.ofType(type);
      const values = samples.numbers(type, field);
      const order = Array.from({ length: n }, (_, i) => i).sort(
        (a, b) => (cpu[a] as number) - (cpu[b] as number) || (index[a] as number) - (index[b] as number),
      );
      return order.map((i) => values[i] as number);
    };
    const fields = recording.trace.eventTypes.find(({ name: own }) => own === 'balance_dirty_pages')?.fields ?? [];
    const numeric = fields.filter(({ kind, common }) => kind === 'number' && !common).map(({ name: own }) => own);
    expect(numeric.length).toBeGreaterThan(10);
    for (const field of numeric) {
      const [a, b] = [column(recording, field), column(text, field)];
      expect({ field, n: b.length, at: a.findIndex((value, i) => value !== b[i]) }).toEqual({
        field,
        n: a.length,
        at: -1,
      });
    }
    recording.close();
    text.close();
  });
});

test.skipIf(corpusFile('text/bdp-public-lines.txt') === null)(
  'published lines of kernels 3.3 to 6.1 are read with all their fields',
  async () => {
    const text = await open(textFile('text/bdp-public-lines.txt'));
    const type = text.trace.eventTypes.find(({ name }) => name === 'balance_dirty_pages');
    const samples = new Samples(text.trace);
    expect(type?.count).toBe(8);
    const numbers = (field: string): number[] => [...samples.numbers(type?.type as number, field)];
    expect(numbers('pause')).toEqual([-4294824915, 7, 4, 4, 4, 4, 136, 3]);
    const { codes, values } = samples.texts(type?.type as number, 'bdi');
    expect(Array.from(codes, (code) => values[code])).toEqual([
      '8:144',
      '8:144',
      '0:51',
      '0:51',
      '0:51',
      '0:51',
      '8:0',
      '259:0',
    ]);
    expect(numbers('dirty')[6]).toBe(Number('18446744073709513951'));
    text.close();
  },
);
