import type { SwitchColumns } from '../derive/throttle-switches.ts';
import { numberReader } from '../parse/field-access.ts';
import { SelectionSpace } from '../store/chunk-selection.ts';
import { PayloadReader } from './payload.ts';
import { countInChunk, type Trace, type TraceCpu, type TraceStream } from './trace.ts';

const BLOCK_BYTES = 1 << 18;
const BITS = 16;

/**
 * The switches of a stream that some tasks take part in, in time order over its CPUs, read chunk by chunk: what is kept is
 * theirs alone, however many others there are. `endNs`: time of the last switch of all; null where there is none.
 */
export function scanSwitches(
  trace: Trace,
  stream: TraceStream,
  pids: ReadonlySet<number>,
): (SwitchColumns & { endNs: number }) | null {
  const { recording } = stream;
  const format = [...recording.formatOfId.values()].find(
    ({ system, name }) => system === 'sched' && name === 'sched_switch',
  );
  if (format === undefined) return null;
  const read = (name: string) => {
    const field = format.fields.find((candidate) => candidate.name === name);
    return field === undefined ? () => Number.NaN : numberReader(field, stream.layout.abi);
  };
  const [prevPid, prevState, nextPid] = [read('prev_pid'), read('prev_state'), read('next_pid')];
  // Most switches are of other tasks: one bit per pid (modulo 2^16) keeps them out of the set.
  const maybe = new Uint8Array(1 << BITS);
  for (const pid of pids) maybe[pid & 0xffff] = 1;
  const wanted = (pid: number): boolean => maybe[pid & 0xffff] === 1 && pids.has(pid);
  const found: { time: number; prev: number; state: number; next: number }[] = [];
  const space = new SelectionSpace();
  let endNs = Number.NEGATIVE_INFINITY;
  const scan = (cpu: TraceCpu): void => {
    const reader = new PayloadReader(stream, cpu, BLOCK_BYTES);
    for (const info of cpu.chunks) {
      if (countInChunk(info, format.id) === 0) continue;
      const { n, time, position } = trace.chunks.select(info, format.id, space);
      reader.expect(position, info.basePosition);
      for (let k = 0; k < n; k++) {
        const { view, at, length } = reader.read(info.basePosition + (position[k] as number));
        const [prev, next] = [prevPid(view, at, at + length), nextPid(view, at, at + length)];
        const timeNs = (time[k] as number) + stream.offsetNs;
        if (timeNs > endNs) endNs = timeNs;
        if (wanted(prev) || wanted(next))
          found.push({ time: timeNs, prev, state: prevState(view, at, at + length), next });
      }
    }
  };
  for (const cpu of stream.cpus) scan(cpu);
  if (endNs === Number.NEGATIVE_INFINITY) return null;
  // Stable: at one time, the CPUs' own order.
  found.sort((a, b) => a.time - b.time);
  return {
    timeNs: Float64Array.from(found, ({ time }) => time),
    prevPid: Float64Array.from(found, ({ prev }) => prev),
    prevState: Float64Array.from(found, ({ state }) => state),
    nextPid: Float64Array.from(found, ({ next }) => next),
    endNs,
  };
}
