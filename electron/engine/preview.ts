import type { OpenPreview } from '../../shared/api.ts';
import { toRelNs } from '../../shared/time.ts';
import type { ByteSource } from '../parse/byte-source.ts';
import { openCpuBytes } from '../parse/cpu-data.ts';
import { subBufferLayout } from '../parse/layout.ts';
import type { RecordingBuffer, RecordingHead } from '../parse/recording.ts';
import { correctTime } from '../parse/time-correction.ts';

const BUCKETS = 512;
/** Headers read per CPU. Of packed data each costs unpacking a chunk. */
const PLAIN_SAMPLES = 2048;
const PACKED_SAMPLES = 192;
const COMMIT_MASK = 0x07ff_ffff;

/** One CPU's samples: absolute time and data bytes from there to the next sample. */
interface LaneSamples {
  stream: string;
  cpu: number;
  time: bigint[];
  bytes: number[];
}

/**
 * First paint without an index: reads some sub-buffer headers, evenly spread, so that its cost does not grow with the
 * recording. Null where there is nothing to show.
 */
export function previewOf(source: ByteSource, head: RecordingHead): OpenPreview | null {
  // CPUs without data stay in: they have a lane in the workspace too.
  const lanes = head.buffers.flatMap((buffer) => sampleBuffer(source, head, buffer));
  const times = lanes.flatMap(({ time }) => [time.at(0), time.at(-1)]).filter((time) => time !== undefined);
  if (times.length === 0) return null;
  const origin = times.reduce((a, b) => (b < a ? b : a));
  const end = times.reduce((a, b) => (b > a ? b : a));
  const durationNs = Math.max(1, toRelNs(end, origin));
  return {
    originNs: String(origin),
    durationNs,
    lanes: lanes.map((lane) => ({ stream: lane.stream, cpu: lane.cpu, bytes: spread(lane, origin, durationNs) })),
  };
}

function sampleBuffer(source: ByteSource, head: RecordingHead, buffer: RecordingBuffer): LaneSamples[] {
  const layout = subBufferLayout(head, buffer);
  const { littleEndian } = layout.abi;
  const cpus = [...buffer.cpus].sort((a, b) => a.cpu - b.cpu);
  return cpus.map((data) => {
    const bytes = openCpuBytes(source, data, head.compression);
    const pages = Math.floor(bytes.size / layout.subBufferBytes);
    const wanted = Math.min(pages, data.compressed ? PACKED_SAMPLES : PLAIN_SAMPLES);
    const lane: LaneSamples = { stream: buffer.name, cpu: data.cpu, time: [], bytes: [] };
    for (let i = 0; i < wanted; i++) {
      const page = Math.floor((i * pages) / wanted);
      const next = Math.floor(((i + 1) * pages) / wanted);
      const header = bytes.read(page * layout.subBufferBytes, 16);
      if (header.length < 16) break;
      const view = new DataView(header.buffer, header.byteOffset, 16);
      const raw = view.getBigUint64(0, littleEndian);
      const filled = view.getUint32(littleEndian || layout.commitBytes === 4 ? 8 : 12, littleEndian) & COMMIT_MASK;
      if (raw === 0n || filled > layout.subBufferBytes) continue;
      lane.time.push(correctTime(raw, buffer.time, data.cpu));
      lane.bytes.push(filled * (next - page));
    }
    return lane;
  });
}

/** Spreads each sample's bytes evenly over the time up to the next sample. */
function spread({ time, bytes }: LaneSamples, origin: bigint, durationNs: number): Float64Array {
  const out = new Float64Array(BUCKETS);
  const scale = BUCKETS / durationNs;
  for (let i = 0; i < time.length; i++) {
    const from = toRelNs(time[i] as bigint, origin) * scale;
    const to = Math.max(from, i + 1 < time.length ? toRelNs(time[i + 1] as bigint, origin) * scale : from);
    const first = Math.max(0, Math.min(BUCKETS - 1, Math.floor(from)));
    const last = Math.max(first, Math.min(BUCKETS - 1, Math.floor(to)));
    const each = (bytes[i] as number) / (last - first + 1);
    for (let bucket = first; bucket <= last; bucket++) out[bucket] = (out[bucket] as number) + each;
  }
  return out;
}
