import type { ByteSource } from './byte-source.ts';
import type { CpuData } from './recording.ts';
import type { HeadInProgress } from './trace-dat-sections.ts';

/**
 * In an intact file no byte is the data of two CPUs. Where ranges overlap, one of the offsets or sizes is wrong and nothing tells
 * which: both are read, and a warning says so. But a small file must not claim its bytes ten thousand times over: what goes beyond
 * reading all of the file twice is left out.
 */
const MOST_TIMES = 2;

export function settleOverlaps(source: ByteSource, head: HeadInProgress): void {
  const all = head.buffers.flatMap(({ cpus }) => cpus).sort((a, b) => a.offset - b.offset);
  const left = new Set<CpuData>();
  let end = 0;
  let claimed = 0;
  for (const data of all) {
    const bytes = Math.max(0, Math.min(data.bytes, source.size - data.offset));
    const overlaps = data.offset < end && bytes > 0;
    if (overlaps) {
      const tooMuch = claimed + bytes > source.size * MOST_TIMES;
      if (tooMuch) left.add(data);
      head.warnings.push({
        file: head.file,
        offset: data.offset,
        section: `cpu ${data.cpu} data`,
        message: `these ${data.bytes} bytes are another CPU's too${tooMuch ? ': left out' : ''}`,
        expected: `data from byte ${end} on`,
        found: `data from byte ${data.offset} on`,
      });
      if (tooMuch) continue;
    }
    claimed += bytes;
    end = Math.max(end, data.offset + bytes);
  }
  if (left.size === 0) return;
  for (const buffer of head.buffers) buffer.cpus = buffer.cpus.filter((data) => !left.has(data));
}
