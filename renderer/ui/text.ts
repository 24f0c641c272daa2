import type { WorkspaceSummary } from '../../shared/model.ts';
import { formatSeconds, NS_PER_S, toAbsNs } from '../../shared/time.ts';

/** Numbers, sizes and times as the window writes them. */

const integers = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });
export const countText = (count: number): string => integers.format(count);

/** `1 event`, `12 events`. */
export const countOf = (count: number, one: string, many = `${one}s`): string =>
  `${countText(count)} ${count === 1 ? one : many}`;

export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = Math.min(Math.floor(Math.log2(Math.max(bytes, 1)) / 10), units.length - 1);
  const value = bytes / 1024 ** step;
  return `${step === 0 ? value : value.toFixed(1)} ${units[step]}`;
}

/** A moment as the trace has it: seconds with nine digits, or the bare count of clocks that do not count time. */
export function momentText(relNs: number, summary: WorkspaceSummary): string {
  const abs = toAbsNs(relNs, BigInt(summary.originNs));
  return summary.streams.every((stream) => stream.timeUnit !== 'ns') && summary.streams.length > 0
    ? abs.toString()
    : formatSeconds(abs, 9);
}

/** A moment as the ruler counts it, from the start of the workspace: `+1.234567890 s`, or rounded to fewer digits. */
export function offsetText(relNs: number, digits: 6 | 9 = 9): string {
  return `${relNs < 0 ? '-' : '+'}${(Math.abs(relNs) / NS_PER_S).toFixed(digits)} s`;
}
