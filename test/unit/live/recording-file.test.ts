import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openFile } from '../../../electron/engine/file-source.ts';
import { encodeFixedHead, type HeadSource } from '../../../electron/live/head-bytes.ts';
import { RecordingFile } from '../../../electron/live/recording-file.ts';
import { recoverRecording } from '../../../electron/live/recover.ts';
import { collapsePlan } from '../../../electron/live/settle.ts';
import { isUnfinished, readSideFile, sideFilePath, writeSideFile } from '../../../electron/live/side-file.ts';
import { openCpuBytes } from '../../../electron/parse/cpu-data.ts';
import { readTraceDat } from '../../../electron/parse/trace-dat.ts';
import { formatText, HEADER_EVENT_TEXT, headerPageText } from '../../build/formats.ts';

const PAGE = 4096;
const abi = { littleEndian: true, longBytes: 8, subBufferBytes: PAGE } as const;
const format = (system: string, name: string, id: number): Buffer =>
  Buffer.from(formatText({ system, name, id, fields: [] } as unknown as Parameters<typeof formatText>[0]));

const source: HeadSource = {
  littleEndian: true,
  pageBytes: PAGE,
  headerPage: Buffer.from(headerPageText(abi)),
  headerEvent: Buffer.from(HEADER_EVENT_TEXT),
  ftraceFormats: [format('ftrace', 'print', 5)],
  systems: [{ name: 'sched', formats: [format('sched', 'sched_switch', 300), format('sched', 'sched_wakeup', 301)] }],
  kallsyms: Buffer.from('ffffffff81000000 T _text\n'),
  printkFormats: Buffer.from('0xffff : "text"\n'),
};

let folder: string;
let path: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'remora-recording-'));
  path = join(folder, 'out.dat');
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A pid that no process has: what a killed writer leaves behind. */
const GONE = 2 ** 22 + 1;

function create(cpus: number[], to = path): RecordingFile {
  return RecordingFile.create({
    path: to,
    fixed: encodeFixedHead(source),
    options: [{ id: 5, data: Buffer.from('Linux host 6.1 x86_64\0') }],
    clock: 'mono',
    littleEndian: true,
    pageBytes: PAGE,
    cpus,
    cmdlinesCapacity: 4096,
    owner: { pid: GONE, instance: `remora-${GONE}-1` },
  });
}

/** Sub-buffers that tell their CPU and number apart. */
const pages = (cpu: number, count: number, from = 0): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_unused, i) => Buffer.alloc(PAGE, (cpu + 1) * 40 + ((from + i) % 40))));

interface ReadBack {
  /** Per CPU with data: how much, and what. */
  cpus: { cpu: number; bytes: number; hash: string }[];
  comms: [number, string][];
  formats: string[];
  warnings: number;
}

function readBack(file = path): ReadBack {
  const opened = openFile(file);
  try {
    const head = readTraceDat(opened);
    const cpus = (head.buffers[0]?.cpus ?? []).map((data) => {
      const bytes = openCpuBytes(opened, data, 'none');
      const hash = createHash('sha256').update(bytes.read(0, bytes.size)).digest('hex');
      return { cpu: data.cpu, bytes: bytes.size, hash };
    });
    const formats = head.formats.map(({ system, name }) => `${system}:${name}`);
    return { cpus, comms: [...head.comms], formats, warnings: head.warnings.length };
  } finally {
    opened.close();
  }
}

const hashOf = (bytes: Buffer): string => createHash('sha256').update(bytes).digest('hex');

describe('a recording of a machine of the other byte order', () => {
  test('has its numbers in that order, while it is written, when it is finished and when it was recovered', () => {
    const foreign = {
      ...source,
      littleEndian: false,
      headerPage: Buffer.from(headerPageText({ littleEndian: false, longBytes: 4, subBufferBytes: PAGE })),
    };
    const make = (to: string): RecordingFile => {
      const file = RecordingFile.create({
        path: to,
        fixed: encodeFixedHead(foreign),
        options: [{ id: 5, data: Buffer.from('Linux host 6.1 s390\0') }],
        clock: 'mono',
        littleEndian: false,
        pageBytes: PAGE,
        cpus: [0, 2],
        cmdlinesCapacity: 4096,
        owner: { pid: GONE, instance: `remora-${GONE}-1` },
      });
      file.append(0, pages(0, 3));
      file.append(1, pages(2, 5));
      file.setCmdlines(Buffer.from('1 init\n'));
      file.publish();
      return file;
    };
    const expected = {
      cpus: [
        { cpu: 0, bytes: 3 * PAGE, hash: hashOf(pages(0, 3)) },
        { cpu: 2, bytes: 5 * PAGE, hash: hashOf(pages(2, 5)) },
      ],
      comms: [[1, 'init']],
      warnings: 0,
    };
    const file = make(path);
    expect(readBack()).toMatchObject(expected);
    const opened = openFile(path);
    expect(readTraceDat(opened).abi).toEqual({ littleEndian: false, longBytes: 4 });
    opened.close();
    file.finish(Buffer.from('1 init\n'), []);
    expect(readBack()).toMatchObject(expected);
    const killed = join(folder, 'killed.dat');
    make(killed).close();
    expect(recoverRecording(killed)).toMatchObject({ bytes: 8 * PAGE });
    expect(readBack(killed)).toMatchObject(expected);
  });
});

describe('a recording while it is written', () => {
  test('is valid from its first moment on, and holds what was published', () => {
    const file = create([0, 1, 3]);
    expect(readBack()).toMatchObject({
      cpus: [],
      warnings: 0,
      formats: ['ftrace:print', 'sched:sched_switch', 'sched:sched_wakeup'],
    });
    file.append(0, pages(0, 3));
    file.append(2, pages(3, 2));
    expect(readBack().cpus).toEqual([]);
    file.setCmdlines(Buffer.from('1 init\n42 a b\n'));
    file.publish();
    const seen = readBack();
    expect(seen.cpus.map(({ cpu, bytes }) => [cpu, bytes])).toEqual([
      [0, 3 * PAGE],
      [3, 2 * PAGE],
    ]);
    expect(seen.comms).toEqual([
      [1, 'init'],
      [42, 'a b'],
    ]);
    file.close();
  });

  test('once finished it is as large as what it holds, and nothing else is left', () => {
    const file = create([0, 1]);
    file.append(0, pages(0, 5));
    file.append(1, pages(1, 300));
    file.append(0, pages(0, 2, 5));
    const { sparse, bytes } = file.finish(Buffer.from('7 seven\n'), [
      { id: 2, data: Buffer.from('CPU: 0\nentries: 0\n\0') },
    ]);
    expect(sparse).toBe(false);
    expect(bytes).toBe(307 * PAGE);
    expect(statSync(path).size).toBeLessThan(307 * PAGE + 64 * 1024);
    const seen = readBack();
    expect(seen.cpus).toEqual([
      { cpu: 0, bytes: 7 * PAGE, hash: hashOf(pages(0, 7)) },
      { cpu: 1, bytes: 300 * PAGE, hash: hashOf(pages(1, 300)) },
    ]);
    expect(seen.comms).toEqual([[7, 'seven']]);
    expect(readdirSync(folder)).toEqual(['out.dat']);
  });

  test('without a single event it is a small recording of nothing', () => {
    create([0, 1]).finish(Buffer.from('1 init\n'), []);
    expect(readBack()).toMatchObject({ cpus: [], warnings: 0, comms: [[1, 'init']] });
    expect(statSync(path).size).toBeLessThan(64 * 1024);
  });

  test('what is given up at the front is gone, the rest stays in order', () => {
    const file = create([0]);
    file.append(0, pages(0, 10));
    expect(file.dropOldest(0, 3 * PAGE - 100).length).toBe(3 * PAGE);
    file.append(0, pages(0, 2, 10));
    file.finish(Buffer.alloc(0), []);
    expect(readBack().cpus).toEqual([{ cpu: 0, bytes: 9 * PAGE, hash: hashOf(pages(0, 9, 3)) }]);
  });

  test('replaces a recording, and nothing else', () => {
    create([0]).finish(Buffer.alloc(0), []);
    create([0]).finish(Buffer.alloc(0), []);
    const other = join(folder, 'notes.txt');
    writeFileSync(other, 'not yours');
    expect(() => create([0], other)).toThrow('exists and is no recording');
    expect(() => create([0], join(folder, 'no/such/out.dat'))).toThrow('its folder does not exist');
    expect(readdirSync(folder).sort()).toEqual(['notes.txt', 'out.dat']);
  });
});

describe('a writer that was killed', () => {
  const expected = [
    { cpu: 0, bytes: 4 * PAGE, hash: hashOf(pages(0, 4)) },
    { cpu: 1, bytes: 9 * PAGE, hash: hashOf(pages(1, 9)) },
    { cpu: 2, bytes: 1 * PAGE, hash: hashOf(pages(2, 1)) },
  ];
  function killed(): void {
    const file = create([0, 1, 2]);
    for (const [cpu, count] of [4, 9, 1].entries()) file.append(cpu, pages(cpu, count));
    file.setCmdlines(Buffer.from('1 init\n'));
    file.publish();
    // Written, and not yet named in the table.
    file.append(2, pages(2, 5, 1));
    file.close();
  }

  test('leaves a recording that opens, and that can be completed once', () => {
    killed();
    expect(readBack().cpus).toEqual(expected);
    expect(isUnfinished(path)).toBe(true);
    expect(recoverRecording(path)).toEqual({ bytes: 14 * PAGE, sparse: false });
    expect(readBack()).toMatchObject({ cpus: expected, comms: [[1, 'init']], warnings: 0 });
    expect(statSync(path).size).toBeLessThan(14 * PAGE + 64 * 1024);
    expect(recoverRecording(path)).toBeNull();
  });

  test.each([0, 1, 2, 3])('while holes were taken out, behind step %i: the rest is done', (steps) => {
    killed();
    const side = readSideFile(path);
    if (side === null) throw new Error('no side file');
    const head = Buffer.alloc(side.variableBytes);
    readSync(openSync(path, 'r'), head, 0, head.length, side.variableAt);
    const table = [0, 1, 2].map((cpu) => ({
      offset: Number(head.readBigUInt64LE(side.tableAt - side.variableAt + cpu * 16)),
      bytes: Number(head.readBigUInt64LE(side.tableAt - side.variableAt + cpu * 16 + 8)),
    }));
    const variable = { bytes: head, cmdlinesAt: 8, tableAt: side.tableAt - side.variableAt };
    const settling = collapsePlan(side.variableAt, variable, table, statSync(path).blksize, true);
    expect(settling.holes).toHaveLength(3);
    writeSideFile(path, { ...side, settling });
    spawnSync('truncate', ['-s', String(settling.sizes[0]), path]);
    for (const { offset, length } of settling.holes.slice(0, steps)) {
      const args = ['--collapse-range', '--offset', String(offset), '--length', String(length), path];
      // Where the file system can not do it, no step is ever half done.
      if (spawnSync('fallocate', args).status !== 0) break;
    }
    recoverRecording(path);
    expect(readBack()).toMatchObject({ cpus: expected, comms: [[1, 'init']], warnings: 0 });
    expect(existsSync(sideFilePath(path))).toBe(false);
  });

  test('is told apart from one that still writes', () => {
    const start = readOwnStart();
    create([0]).close();
    const side = readSideFile(path);
    if (side === null) throw new Error('no side file');
    writeSideFile(path, { ...side, pid: process.pid, instance: `remora-${process.pid}-${start}` });
    expect(() => recoverRecording(path)).toThrow('still being recorded');
  });
});

function readOwnStart(): string {
  const { stdout } = spawnSync('sh', ['-c', `cut -d ' ' -f 22 /proc/${process.pid}/stat`], { encoding: 'utf8' });
  return stdout.trim();
}
