import { bytesSource } from '../electron/parse/byte-source.ts';
import { openCpuBytes } from '../electron/parse/cpu-data.ts';
import { subBufferLayout } from '../electron/parse/layout.ts';
import type { RecordingHead } from '../electron/parse/recording.ts';
import { type LostEvents, newColumns, payloadOf, SubBufferScanner, swapWords } from '../electron/parse/sub-buffer.ts';
import { readTraceDat } from '../electron/parse/trace-dat.ts';
import type { TraceWarning } from '../shared/errors.ts';

/** A recording decoded from bytes by the parser alone, with no store and no engine: what tests compare with. */
export interface Decoded {
  head: RecordingHead;
  /** Per buffer, per CPU with data. */
  buffers: DecodedCpu[][];
  /** The head's warnings and those of the data. */
  warnings: TraceWarning[];
}

export interface DecodedCpu {
  cpu: number;
  events: DecodedEvent[];
  lost: LostEvents[];
  damage: number;
}

export interface DecodedEvent {
  /** Raw ticks, relative to the origin given. */
  time: number;
  id: number;
  pid: number;
  payload: DataView;
}

export interface DecodeOptions {
  /** Raw ticks that times are relative to. */
  origin?: bigint;
  /** Sub-buffers handed to the scanner at a time: results must not depend on it. */
  subBuffersAtOnce?: number;
}

/** Throws what readTraceDat throws; everything behind the head is tolerated as the product tolerates it. */
export function decode(bytes: Uint8Array, { origin = 0n, subBuffersAtOnce = 4 }: DecodeOptions = {}): Decoded {
  const source = bytesSource(bytes, 'built.dat');
  const head = readTraceDat(source);
  const warnings = [...head.warnings];
  const buffers = head.buffers.map((buffer) => {
    const layout = subBufferLayout(head, buffer);
    return buffer.cpus.map((data): DecodedCpu => {
      const cpuBytes = openCpuBytes(source, data, head.compression);
      const scanner = new SubBufferScanner(layout, origin);
      const events: DecodedEvent[] = [];
      const step = layout.subBufferBytes * subBuffersAtOnce;
      // Every event has at least 8 bytes, so these columns hold any such piece.
      const columns = newColumns(Math.ceil(step / 8) + 1);
      for (let position = 0; position < cpuBytes.size; position += step) {
        const piece = cpuBytes.read(position, step);
        const aligned = new Uint8Array(Math.ceil(piece.length / 4) * 4);
        aligned.set(piece);
        const view = new DataView(aligned.slice().buffer);
        if (!head.abi.littleEndian) swapWords(aligned);
        const words = new Uint32Array(aligned.buffer);
        const { count } = scanner.scan(words, position, 0, columns, 0, position);
        for (let i = 0; i < count; i++) {
          const { at, length } = payloadOf(view, columns.position[i], head.abi.littleEndian);
          events.push({
            time: columns.time[i],
            id: columns.id[i],
            pid: columns.pid[i],
            payload: new DataView(view.buffer, at, Math.max(0, Math.min(length, view.byteLength - at))),
          });
        }
      }
      warnings.push(...cpuBytes.warnings);
      return { cpu: data.cpu, events, lost: scanner.lost, damage: scanner.damage.length };
    });
  });
  return { head, buffers, warnings };
}
