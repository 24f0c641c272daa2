import { toRelNs } from '../../shared/time.ts';

export type Place = { kind: 'row'; row: number } | { kind: 'time'; timeNs: number };

const FACTOR: Record<string, number> = { s: 1e9, ms: 1e6, us: 1e3, µs: 1e3, ns: 1 };

/**
 * A place as a person types it: `12,345` (a row, counted from 1), `123.456789` (seconds of the trace's clock) or
 * `+1.5s`, `+20ms` (from the start). Null where it is none of them, or a row that does not exist.
 */
export function parsePlace(text: string, originNs: bigint, total: number): Place | null {
  const trimmed = text.trim();
  if (/^\d[\d,]*$/.test(trimmed)) {
    const row = Number(trimmed.replaceAll(',', '')) - 1;
    return row >= 0 && row < total ? { kind: 'row', row } : null;
  }
  const seconds = /^(\d+)\.(\d{1,9})s?$/.exec(trimmed);
  if (seconds) {
    const absNs = BigInt(seconds[1]) * 1_000_000_000n + BigInt(seconds[2].padEnd(9, '0'));
    return { kind: 'time', timeNs: toRelNs(absNs, originNs) };
  }
  const relative = /^\+\s*(\d+(?:\.\d+)?)\s*(s|ms|us|µs|ns)?$/.exec(trimmed);
  if (relative) return { kind: 'time', timeNs: Math.round(Number(relative[1]) * FACTOR[relative[2] ?? 's']) };
  return null;
}
