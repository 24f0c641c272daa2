import { RemoraError } from '../../shared/errors.ts';
import { parseTime } from '../../shared/filter/literals.ts';
import { type RelNs, toAbsNs, toRelNs } from '../../shared/time.ts';

/**
 * A time as `--from` and `--to` take it, on the workspace axis: seconds as the trace prints them (`56.410032`), any
 * number with a unit (`56410032us`), a whole number without one as ns (what the JSON output has), or with a plus
 * counted from the start (`+1.5s`).
 */
export function parseTimePoint(option: string, text: string, originNs: bigint): RelNs {
  const time = /^\d+$/.test(text) ? { ns: BigInt(text), relative: false } : parseTime(text);
  if (time === null) {
    const message = `${option} ${text} is no time: write seconds as the trace prints them (123.456), +1.5s from the start, or ns.`;
    throw new RemoraError({ code: 'bad-expression', message });
  }
  return time.relative ? Number(time.ns) : toRelNs(time.ns, originNs);
}

/** The window of `--from` and `--to`; what is left out is the start or the end of the workspace. */
export function parseWindow(
  options: { from?: string; to?: string },
  workspace: { originNs: string; durationNs: RelNs },
): { fromNs: RelNs; toNs: RelNs } {
  const originNs = BigInt(workspace.originNs);
  for (const option of ['from', 'to'] as const) refuseBareSeconds(`--${option}`, options[option], workspace);
  const fromNs = options.from === undefined ? 0 : parseTimePoint('--from', options.from, originNs);
  const toNs = options.to === undefined ? workspace.durationNs : parseTimePoint('--to', options.to, originNs);
  if (fromNs > toNs) throw new RemoraError({ code: 'bad-expression', message: '--from lies after --to.' });
  return { fromNs, toNs };
}

/**
 * A whole number is ns; one that is far from the recording as ns and inside it as seconds was meant as seconds. To take
 * it as ns would choose all events or none, and say nothing.
 */
function refuseBareSeconds(
  option: string,
  text: string | undefined,
  { originNs, durationNs }: { originNs: string; durationNs: RelNs },
): void {
  if (text === undefined || !/^\d+$/.test(text)) return;
  const inside = (ns: bigint): boolean => {
    const rel = toRelNs(ns, BigInt(originNs));
    return rel >= 0 && rel <= durationNs;
  };
  if (inside(BigInt(text)) || !inside(BigInt(text) * 1_000_000_000n)) return;
  throw new RemoraError({
    code: 'bad-expression',
    message: `${option} ${text} is in ns and lies outside of the recording; for seconds write ${text}.0 or ${text}s.`,
  });
}

/** The same window as a filter; empty without either option. */
export function windowFilter(
  options: { from?: string; to?: string },
  workspace: { originNs: string; durationNs: RelNs },
): string {
  if (options.from === undefined && options.to === undefined) return '';
  const { fromNs, toNs } = parseWindow(options, workspace);
  const originNs = BigInt(workspace.originNs);
  return `time >= ${toAbsNs(fromNs, originNs)}ns && time <= ${toAbsNs(toNs, originNs)}ns`;
}
