import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { printByKernel } from '../../electron/engine/print-by-kernel.ts';
import { bytesSource } from '../../electron/parse/byte-source.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { type PrintRecords, type ReportRequest, reportRecording } from '../../electron/query/report-recording.ts';
import { corpusFile, corpusText } from '../corpus.ts';
import { differences } from './report-differences.ts';

/** Every recording of the corpus, as its README lists them. */
const RECORDINGS = [
  'sample-throttle',
  'vm61-throttle-v2',
  'host-throttle-v1-slim',
  'host-agent-host-127.0.0.1',
  'host-agent-host',
  'host-all-events',
  'host-clock-boot',
  'host-clock-counter',
  'host-clock-local',
  'host-clock-x86-tsc',
  'host-date',
  'host-died',
  'host-extract',
  'host-filter',
  'host-instances-v7',
  'host-listen',
  'host-lost',
  'host-markers',
  'host-no-events',
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
  'vm612-function_graph',
  'vm612-function',
  'vm612-instances-mixed',
  'vm612-tracer-function-extract',
  'vm612rt-lat-osnoise',
  'vm612rt-lat-wakeup-extract',
  'vm612rt-lat-wakeup',
];

/** Lines of each recording that the kernel wrote. */
const printed = new Map<string, number>();

function reportOf(path: string, request: ReportRequest): string {
  const source = bytesSource(readFileSync(path), path);
  const pieces: Buffer[] = [];
  const print: PrintRecords = (records) => printByKernel(records, (lines) => printed.set(path, lines));
  reportRecording(source, readTraceDat(source), request, (piece) => pieces.push(Buffer.from(piece)), print);
  return Buffer.concat(pieces).toString('latin1');
}

/** The first lines that differ, so that a failure is readable: whole reports are megabytes. */
function firstDifference(found: string, expected: string): string | null {
  if (found === expected) return null;
  const foundLines = found.split('\n');
  const expectedLines = expected.split('\n');
  const line = foundLines.findIndex((text, index) => text !== expectedLines[index]);
  const at = line < 0 ? foundLines.length : line;
  return `line ${at + 1}\n  expected ${JSON.stringify(expectedLines[at])}\n  found    ${JSON.stringify(foundLines[at])}`;
}

describe.each([
  ['report', false, 'report'],
  ['report -R', true, 'report-R'],
] as const)('%s equals trace-cmd byte for byte', (command, raw, suffix) => {
  for (const name of RECORDINGS) {
    const path = corpusFile(`${name}.dat`);
    test.skipIf(path === null)(name, () => {
      const expected = corpusText(`${name}.dat.${suffix}.txt.gz`) as string;
      const known = differences.filter((each) => each.recording === name && each.command === command);
      const corrected = known.reduce((text, each) => text.replace(each.traceCmd, each.remora), expected);
      expect(firstDifference(reportOf(path as string, { raw }), corrected)).toBeNull();
    });
  }
});

const throttle = corpusFile('sample-throttle.dat');
test.skipIf(throttle === null)('the kernel writes most lines', () => {
  reportOf(throttle as string, {});
  expect(printed.get(throttle as string)).toBeGreaterThan(248_749 * 0.99);
});

const small = corpusFile('small-v6.dat');
describe.skipIf(small === null)('options', () => {
  const head = (request: ReportRequest): string[] =>
    reportOf(small as string, request)
      .split('\n')
      .slice(0, 3);
  test('-l: short names, flags behind the CPU', () => {
    expect(head({ latency: true })).toEqual([
      'cpus=2',
      'trace-cm-17308   1d..2.  5495.491734: sched_switch:         trace-cmd:17308 [120] S ==> swapper/1:0 [120]',
      ' load.sh-17309   0d.h..  5495.492086: softirq_raise:        vec=9 [action=RCU]',
    ]);
  });
  test('-t: nanoseconds', () => {
    expect(head({ nanoseconds: true })[1]).toMatch(/\[001\] d\.\.2\. {2}5495\.491734\d{3}: sched_switch/);
  });
  const instances = corpusFile('vm612-instances-mixed.dat');
  test.skipIf(instances === null)('--cpu: of the first buffer alone, as trace-cmd', () => {
    const all = reportOf(instances as string, {}).split('\n');
    const one = reportOf(instances as string, { cpus: new Set([0]) }).split('\n');
    // Lines of instances begin with their name.
    expect(one).toEqual(all.filter((line) => !/^ *\w+: /.test(line) && !line.includes('[001]')));
    expect(one.length).toBeGreaterThan(3);
  });
  test('--cpu: those alone, the header unchanged', () => {
    const all = reportOf(small as string, {}).split('\n');
    const one = reportOf(small as string, { cpus: new Set([1]) }).split('\n');
    expect(one).toEqual(all.filter((line) => !line.includes('[000]')));
    expect(one.length).toBeGreaterThan(100);
  });
});
