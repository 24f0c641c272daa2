import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type OpenedTrace, openTrace } from '../electron/engine/open.ts';
import type { TextRecords } from '../electron/parse/text-trace/head.ts';
import { TextScanner } from '../electron/parse/text-trace/scanner.ts';
import { rowAtTime, rowOfEvent, visitRows } from '../electron/query/list.ts';
import { visitRecords } from '../electron/query/records.ts';
import type { Trace } from '../electron/query/trace.ts';

/**
 * The one check that every recording goes through: what the index answers is what a direct decode of the recording
 * finds; the workspace says the same when it is reopened; and threads change nothing.
 */
export async function checkRecording(path: string): Promise<{ events: number }> {
  const cacheFolder = mkdtempSync(join(tmpdir(), 'remora-check-'));
  try {
    const first = await openTrace({ paths: [path], cacheFolder });
    const direct = directDecode(first.trace);
    const listed = indexedList(first.trace);
    assert.equal(listed.length, direct.length, `${path}: events in the index`);
    for (let row = 0; row < direct.length; row++) {
      if (listed[row] !== direct[row]) assert.equal(listed[row], direct[row], `${path}: row ${row}`);
    }
    checkRandomAccess(first.trace, listed);
    const summary = comparable(first);
    first.close();

    const again = await openTrace({ paths: [path], cacheFolder });
    assert.equal(again.summary.reopened, true, `${path}: found again`);
    assert.deepEqual(comparable(again), summary, `${path}: reopened`);
    assert.deepEqual(indexedList(again.trace), listed, `${path}: reopened list`);
    again.close();

    const threaded = await openTrace({ paths: [path], cacheFolder, noCache: true, threads: 2 });
    assert.deepEqual(comparable(threaded), summary, `${path}: indexed in threads`);
    assert.deepEqual(indexedList(threaded.trace), listed, `${path}: list indexed in threads`);
    threaded.close();
    return { events: direct.length };
  } finally {
    rmSync(cacheFolder, { recursive: true, force: true });
  }
}

/** Everything of a summary but what differs between two openings by design. */
function comparable({ summary }: OpenedTrace): unknown {
  return { ...summary, workspaceId: '', workspacePath: '', reopened: false };
}

const line = (stream: number, cpu: number, index: number, time: bigint, id: number, pid: number): string =>
  `${stream}/${cpu}/${index} ${time} ${id} ${pid}`;

function directDecode(trace: Trace): string[] {
  const text = trace.recordings[0]?.head.text ?? null;
  if (text !== null) return textDecode(trace, text);
  const lines: string[] = [];
  const sources = trace.streams.map(({ recording, buffer }) => ({
    source: recording.source,
    head: recording.head,
    buffer,
  }));
  visitRecords(sources, ({ buffer, cpu, index, timeHigh, timeLow, id, pid }) => {
    lines.push(line(buffer, cpu, index, (BigInt(timeHigh) << 32n) | BigInt(timeLow), id, pid));
  });
  return lines;
}

/** Of a text: all of it at once, its events by time, stream and CPU. */
function textDecode(trace: Trace, { dialect, names, streamNames, streams }: TextRecords): string[] {
  const bytes = trace.streams.flatMap(({ cpus }) => cpus)[0]?.bytes;
  const found: { stream: number; cpu: number; index: number; time: bigint; id: number; pid: number }[] = [];
  const counts = new Map<string, number>();
  const scanner = new TextScanner(dialect, names, [...streamNames], {
    event(_bytes, { cpu, seconds, nanoseconds, pid }, _body, id, streamIndex) {
      const stream = streams[streamIndex]?.buffer ?? -1;
      const key = `${stream} ${cpu}`;
      const index = counts.get(key) ?? 0;
      counts.set(key, index + 1);
      found.push({ stream, cpu, index, time: BigInt(seconds) * 1_000_000_000n + BigInt(nanoseconds), id, pid });
    },
    lost() {},
  });
  if (bytes !== undefined) scanner.scan(bytes.read(0, bytes.size), 0, true);
  found.sort((a, b) =>
    a.time < b.time ? -1 : a.time > b.time ? 1 : a.stream - b.stream || a.cpu - b.cpu || a.index - b.index,
  );
  return found.map(({ stream, cpu, index, time, id, pid }) => line(stream, cpu, index, time, id, pid));
}

function indexedList(trace: Trace): string[] {
  const lines: string[] = [];
  visitRows(trace, 0, ({ stream, cpu, index, chunk, at, timeNs }) => {
    const time = trace.originNs + BigInt(timeNs);
    lines.push(line(stream, cpu.cpu, index, time, chunk.id[at] as number, chunk.pid[at] as number));
  });
  return lines;
}

/** Rows found from anywhere are those of the whole list, and events know their rows. */
function checkRandomAccess(trace: Trace, listed: readonly string[]): void {
  const steps = Math.max(1, Math.floor(listed.length / 17));
  for (let first = 0; first < listed.length; first += steps) {
    visitRows(trace, first, ({ row, stream, cpu, index, chunk, at, timeNs }) => {
      const found = line(
        stream,
        cpu.cpu,
        index,
        trace.originNs + BigInt(timeNs),
        chunk.id[at] as number,
        chunk.pid[at] as number,
      );
      assert.equal(found, listed[row]);
      assert.equal(rowOfEvent(trace, cpu, index), row);
      assert.ok(rowAtTime(trace, timeNs) <= row);
      return row < first + 3;
    });
  }
}
