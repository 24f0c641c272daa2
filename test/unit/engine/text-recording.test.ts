import { mkdtempSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { listFolder } from '../../../electron/engine/files.ts';
import { type OpenedTrace, openTrace } from '../../../electron/engine/open.ts';
import { eventDetail } from '../../../electron/query/event-detail.ts';
import { Lanes } from '../../../electron/query/lanes.ts';
import { RowQueries } from '../../../electron/query/rows.ts';
import { Samples } from '../../../electron/query/samples.ts';
import { reportText } from '../../../electron/query/text-report.ts';
import type { Trace } from '../../../electron/query/trace.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-text-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

function file(name: string, content: string | Uint8Array): string {
  writeFileSync(join(folder, name), content);
  return join(folder, name);
}
const open = (
  path: string,
  more: { noCache?: boolean; workspace?: string } = { noCache: true },
): Promise<OpenedTrace> => openTrace({ paths: [path], cacheFolder: join(folder, 'cache'), ...more });

const switches = `# tracer: nop
#
#           TASK-PID     CPU#  |||||  TIMESTAMP  FUNCTION
              dd-12      [000] d..2. 1.000000: sched_switch: prev_comm=dd prev_pid=12 prev_prio=120 prev_state=D ==> next_comm=npm exec next_pid=13 next_prio=120
        npm exec-13      [000] ..... 1.000001: tracing_mark_write: two
lines
        npm exec-13      [000] d..2. 1.000005: sched_switch: prev_comm=npm exec prev_pid=13 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120
              dd-12      [001] ..... 1.000006: balance_dirty_pages: bdi 8:0: limit=100 dirty=90 pause=24 cgroup_ino=7
not a line of it
`;

function reported(trace: Trace, request: Parameters<typeof reportText>[1] = {}): string {
  const pieces: Buffer[] = [];
  reportText(trace, request, (piece) => pieces.push(Buffer.from(piece)));
  return Buffer.concat(pieces).toString('utf8');
}

describe('a text is a recording', () => {
  test('with rows, details, lanes and columns', async () => {
    const opened = await open(file('trace.txt', switches));
    const { trace, summary } = opened;
    expect(summary).toMatchObject({ events: 5, originNs: '1000000000', durationNs: 6000 });
    const rows = new RowQueries(trace);
    const { rows: list } = await rows.page('', 0, 10, { signal: new AbortController().signal });
    expect(list.map(({ cpu, comm, flags, eventName, info }) => [cpu, comm, flags, eventName, info])).toEqual([
      [
        0,
        'dd',
        'd..2.',
        'sched_switch',
        'prev_comm=dd prev_pid=12 prev_prio=120 prev_state=D ==> next_comm=npm exec next_pid=13 next_prio=120',
      ],
      [0, 'npm exec', '.....', 'print', 'tracing_mark_write: two\nlines'],
      [
        0,
        'npm exec',
        'd..2.',
        'sched_switch',
        'prev_comm=npm exec prev_pid=13 prev_prio=120 prev_state=S ==> next_comm=swapper/0 next_pid=0 next_prio=120',
      ],
      [1, 'dd', '.....', 'balance_dirty_pages', 'bdi 8:0: limit=100 dirty=90 pause=24 cgroup_ino=7'],
      [1, '<...>', '', 'unparsed', 'not a line of it'],
    ]);

    const cpu = trace.streams[0]?.cpus[1];
    if (cpu === undefined) throw new Error('no CPU 1');
    const detail = eventDetail(trace, rows, cpu, 0, 3);
    const line = Buffer.from(detail.raw).toString('utf8');
    expect(line).toBe(switches.split('\n')[7]);
    expect(detail.fileOffset).toBe(switches.indexOf(line));
    expect(
      detail.fields.map(({ name, text, offset, bytes }) => [name, text, line.slice(offset, offset + bytes)]),
    ).toEqual([
      ['limit', '100', '100'],
      ['dirty', '90', '90'],
      ['pause', '24', '24'],
      ['cgroup_ino', '7', '7'],
      ['bdi', '8:0', '8:0'],
    ]);

    const lanes = new Lanes(trace, new Samples(trace)).window(0, 6000, 1000);
    expect(lanes.lanes[0]?.slices?.pid).toEqual(Int32Array.of(13));
    opened.close();
  });

  test('is printed as it stands; of a selection, the events selected', async () => {
    const opened = await open(file('trace.txt', switches));
    expect(reported(opened.trace)).toBe(switches);
    const lines = switches.split('\n');
    const header = `${lines.slice(0, 3).join('\n')}\n`;
    expect(reported(opened.trace, { cpus: new Set([0]) })).toBe(`${header}${lines.slice(3, 7).join('\n')}\n`);
    expect(reported(opened.trace, { keep: ({ cpu, index }) => cpu === 0 && index === 1 })).toBe(
      `${header}${lines[4]}\nlines\n`,
    );
    opened.close();
  });

  test('one whose events are out of order is printed in time order', async () => {
    const line = (time: string, cpu: number, text: string): string =>
      `              dd-12      [00${cpu}] ..... ${time}: foo: a=${text}\n`;
    const opened = await open(
      file('trace.txt', line('1.5', 0, 'x') + line('1.7', 0, 'y') + line('1.6', 1, 'z') + line('1.7', 1, 'w')),
    );
    expect(reported(opened.trace)).toBe(
      line('1.5', 0, 'x') + line('1.6', 1, 'z') + line('1.7', 0, 'y') + line('1.7', 1, 'w'),
    );
    opened.close();
  });

  test('of more events than a chunk holds', async () => {
    const lines = Array.from(
      { length: 150_000 },
      (_, i) =>
        `              dd-12      [00${i % 7 === 0 ? 1 : 0}] ..... ${1 + Math.floor(i / 1000)}.${String(i % 1000).padStart(3, '0')}: foo: n=${i}\n`,
    );
    const opened = await open(file('trace.txt', lines.join('')));
    const samples = new Samples(opened.trace);
    const numbers = samples.numbers(0, 'n');
    expect(numbers.length).toBe(150_000);
    expect(numbers.findIndex((n, i) => n !== i)).toBe(-1);
    expect(opened.trace.streams[0]?.cpus[0]?.chunks.length).toBe(2);
    opened.close();
  });

  test('is found again with its index, also by a workspace whose name says nothing', async () => {
    const path = file('trace.txt', switches);
    (await open(path, {})).close();
    const again = await open(path, {});
    expect(again.summary.reopened).toBe(true);
    expect(again.summary.events).toBe(5);
    expect(again.summary.warnings.length).toBe(1);
    again.close();
    const cached = readdirSync(join(folder, 'cache')).find((name) => name.endsWith('.remora')) as string;
    renameSync(join(folder, 'cache', cached), join(folder, 'kept'));
    const kept = await open(join(folder, 'kept'), {});
    expect(kept.summary.events).toBe(5);
    kept.close();
  });

  test('a long one is not read again for its head', async () => {
    const lines = Array.from(
      { length: 20_000 },
      (_, i) =>
        `            bash-7325    [000] d..2. ${1 + i}.000000: block_rq_issue: 254,0 WS 4096 () ${i} + 8 be,0,4 [npm exec]\n`,
    );
    const path = file('trace.txt', `${lines.join('')}not a line\n`);
    const read = async (): Promise<[OpenedTrace, string[]]> => {
      const stages = new Set<string>();
      const opened = await openTrace({
        paths: [path],
        cacheFolder: join(folder, 'cache'),
        onProgress: ({ stage }) => stages.add(stage),
      });
      return [opened, [...stages]];
    };
    const facts = ({ trace, summary }: OpenedTrace) => ({
      types: summary.eventTypes,
      tasks: summary.tasks,
      streams: summary.streams,
      warnings: summary.warnings,
      sectors: new Samples(trace).numbers(
        trace.eventTypes.findIndex(({ name }) => name === 'block_rq_issue'),
        'sector',
      ),
      report: reported(trace, { cpus: new Set([0]) }),
    });
    const [first, stages] = await read();
    expect(stages).toEqual(['Reading', 'Indexing']);
    const expected = facts(first);
    expect(expected.sectors[19_999]).toBe(19_999);
    first.close();
    const [again, noStages] = await read();
    expect(noStages).toEqual([]);
    expect(facts(again)).toEqual(expected);
    again.close();
    // A damaged survey is made again.
    for (const name of readdirSync(join(folder, 'cache', 'surveys')))
      writeFileSync(join(folder, 'cache', 'surveys', name), 'x');
    const [mended, stagesAgain] = await read();
    expect(stagesAgain).toEqual(['Reading']);
    expect(facts(mended)).toEqual(expected);
    mended.close();
  });

  test('with a header and no event is empty, not damaged', async () => {
    const opened = await open(file('trace.txt', '# tracer: nop\n#\n'));
    expect(opened.summary).toMatchObject({ events: 0, warnings: [] });
    expect(reported(opened.trace)).toBe('');
    opened.close();
  });
});

test('lists of files tell recordings by what they hold', () => {
  file('a.txt', switches);
  file('b.log', 'words\n');
  file('c', '# tracer: nop\n');
  expect(listFolder(folder).entries.map(({ name, kind }) => [name, kind])).toEqual([
    ['a.txt', 'recording'],
    ['b.log', 'file'],
    ['c', 'recording'],
  ]);
});

describe('what is no recording is told by what it is', () => {
  test.each<[string, Uint8Array | string, string]>([
    ['gzip', gzipSync(switches), 'compressed with gzip: unpack it first'],
    ['a program', Uint8Array.of(0x7f, 0x45, 0x4c, 0x46, 2, 1, 1, 0), 'ELF'],
    ['UTF-16', Buffer.from(`\ufeff${switches}`, 'utf16le'), 'UTF-16'],
    ['prose', 'Dear reader,\nthis is a letter.\n', 'the first is "Dear reader,"'],
    ['bytes', Uint8Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9), 'begins with the bytes 01 02 03 04 05 06 07 08'],
    ['half a magic', Uint8Array.of(0x17, 0x08, 0x44, 0x74), 'begins like a trace.dat'],
    ['perf.data', 'PERFILE2\0\0\0\0', 'perf.data'],
  ])('%s', async (_what, content, words) => {
    const path = file('input', content);
    await expect(open(path)).rejects.toMatchObject({
      code: 'not-a-trace',
      message: expect.stringContaining(words),
      detail: { file: path, offset: 0 },
    });
    expect(readdirSync(folder)).toEqual(['input']);
  });
});
