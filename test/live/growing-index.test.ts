import { spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { openFile } from '../../electron/engine/file-source.ts';
import { GrowingIndex, type GrownCpu } from '../../electron/engine/growing-index.ts';
import { startImport } from '../../electron/engine/import.ts';
import { startCapture } from '../../electron/live/capture-client.ts';
import { usableTracefs } from '../../electron/live/tracefs.ts';
import type { ByteSource } from '../../electron/parse/byte-source.ts';
import { readTraceDat } from '../../electron/parse/trace-dat.ts';
import { WorkspaceStore } from '../../electron/store/workspace-store.ts';
import { projectRoot } from '../cli.ts';

/** Reads a file however long it has become. */
function growingSource(path: string): ByteSource & { close(): void } {
  const fd = openSync(path, 'r');
  return {
    name: path,
    size: Number.MAX_SAFE_INTEGER,
    read(offset, length, into) {
      const bytes = into ?? new Uint8Array(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
    close: () => closeSync(fd),
  };
}

interface Indexed {
  origin: string;
  span: [number, number];
  counts: [number, number][];
  tasks: { pid: number; events: number }[];
  cpus: { cpu: number; events: number }[];
  lost: unknown[];
  /** Per CPU: a sum over every event's time, id, pid and position in the CPU's data, each times its place. */
  sums: number[][];
}

function contentOf(store: WorkspaceStore): Indexed {
  const recording = store.recordings()[0]?.id as number;
  const [stream] = store.streams(recording);
  if (stream === undefined) throw new Error('no stream');
  const sums = stream.cpus.map(({ cpu }) => {
    const sum = [0, 0, 0, 0];
    for (const info of store.chunkDirectory(stream.id, cpu)) {
      const chunk = store.chunk(info);
      for (let i = 0; i < chunk.count; i++) {
        const place = ((info.firstIndex + i) % 997) + 1;
        const position = info.basePosition + (chunk.position[i] as number);
        const values = [chunk.time[i], chunk.id[i], chunk.pid[i], position] as number[];
        values.forEach((value, column) => {
          sum[column] = ((sum[column] as number) + value * place) % 2 ** 48;
        });
      }
    }
    return sum;
  });
  return {
    origin: stream.origin,
    span: [stream.fromNs, stream.toNs],
    counts: [...stream.eventCounts],
    tasks: store.taskCounts(recording),
    cpus: stream.cpus,
    lost: store.lost(stream.id).map(({ cpu, beforeIndex, count }) => [cpu, beforeIndex, count]),
    sums,
  };
}

const sameBytes = (a: readonly ArrayBufferView[], b: readonly ArrayBufferView[]): boolean =>
  a.every((array, i) => bytesOf(array).equals(bytesOf(b[i] as ArrayBufferView)));
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView): Buffer =>
  Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);

test.skipIf(usableTracefs() === null)(
  'an index that grows with a capture is the one that an import of the recording makes (needs a tracefs that may be written to)',
  async () => {
    const folder = mkdtempSync(join(tmpdir(), 'remora-growing-'));
    const load = spawn('dd', ['if=/dev/zero', 'of=/dev/null', 'bs=1'], { stdio: 'ignore' });
    const path = join(folder, 'out.dat');
    const live = new WorkspaceStore('');
    const imported = new WorkspaceStore('');
    let source: ReturnType<typeof growingSource> | undefined;
    try {
      const events = [{ pattern: 'raw_syscalls' }, { pattern: 'sched:sched_switch' }];
      const order = { path, events, durationMs: 2500, statusMs: 100, latencyMs: 100, bufferKiB: 64 };
      let index: GrowingIndex | undefined;
      let between = 0;
      let closed = 0;
      const advance = ({ cpus }: { cpus: GrownCpu[] }): void => {
        source ??= growingSource(path);
        index ??= new GrowingIndex(source, readTraceDat(source), live.beginImport(path, 'live'));
        index.advance(cpus);
        // What is handed over for those who look on is what the store would give.
        for (const grown of index.cpus())
          for (const { info, columns } of grown.closed) {
            const { time, id, pid, position } = live.chunk(info);
            expect(
              sameBytes([time, id, pid, position], [columns.time, columns.id, columns.pid, columns.position]),
            ).toBe(true);
            closed++;
          }
      };
      const capture = await startCapture(
        join(projectRoot, 'dist/capture.js'),
        order,
        (status) => {
          advance(status);
          between = index?.events ?? 0;
        },
        advance,
      );
      const { status } = await capture.ended;
      index?.finish();
      const finished = openFile(path);
      await startImport(finished, readTraceDat(finished), imported.beginImport(path, 'whole')).run({});
      finished.close();
      expect(index?.events).toBe(status.events);
      expect(contentOf(live).lost.length).toBeGreaterThan(0);
      expect(between).toBeGreaterThan(0);
      expect(closed).toBeGreaterThan(0);
      expect(contentOf(live)).toEqual(contentOf(imported));
    } finally {
      source?.close();
      load.kill('SIGKILL');
      live.close();
      imported.close();
      rmSync(folder, { recursive: true, force: true });
    }
  },
);
