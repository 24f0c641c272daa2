import { latin1 } from '../cursor.ts';

/**
 * Lines that are no events and no damage: the header that the kernel prints before the events, what `trace-cmd report`
 * says about its input, marks between events.
 */
export type Annotation =
  | { kind: 'tracer'; name: string }
  | { kind: 'kernel'; release: string }
  /** Events that the kernel's buffer holds, and how many were written to it. */
  | { kind: 'entries'; inBuffer: number; written: number }
  /** `CPU:1 [LOST 98 EVENTS]`, `CPU:1 [98 EVENTS DROPPED]`; count -1 where it is not told. */
  | { kind: 'lost'; stream: string; cpu: number; count: number }
  | { kind: 'other' };

const OTHER: Annotation = { kind: 'other' };
const HASH = 0x23;
const LOST = /^ *(?:(\S[^:]*): +)?CPU:(\d{1,5}) \[(?:LOST )?(?:(\d+) )?EVENTS(?: DROPPED)?\]/;
/** trace-cmd: `cpus=2`, `version = 7`, `CPU:1 [SUBBUFFER START] …`; atrace: `TRACE:`; function_graph: a rule of dashes. */
const REMARK =
  /^(?:TRACE:|cpus=\d+|version = \d+|trace-cmd: |CPU:\d+ \[SUBBUFFER START\].*|CPU \d+ is empty|cpu=\d+ is empty| *-{20,} *)\s*$/;
const LONGEST = 200;

/** What the line `bytes[from, to)` says; null where it is no annotation. */
export function readAnnotation(bytes: Uint8Array, from: number, to: number): Annotation | null {
  const text = latin1(bytes.subarray(from, Math.min(to, from + LONGEST)));
  if (bytes[from] === HASH) return readHeader(text);
  const lost = LOST.exec(text);
  if (lost !== null) return { kind: 'lost', stream: lost[1] ?? '', cpu: Number(lost[2]), count: Number(lost[3] ?? -1) };
  return REMARK.test(text) ? OTHER : null;
}

function readHeader(text: string): Annotation {
  const tracer = /^# tracer: (\S+)/.exec(text);
  if (tracer !== null) return { kind: 'tracer', name: tracer[1] as string };
  const release = /^# \S+ latency trace v\S+ on (\S+)/.exec(text);
  if (release !== null) return { kind: 'kernel', release: release[1] as string };
  const entries = /^# entries-in-buffer\/entries-written: (\d+)\/(\d+)/.exec(text);
  if (entries !== null) return { kind: 'entries', inBuffer: Number(entries[1]), written: Number(entries[2]) };
  return OTHER;
}

/** A header line, or the kernel's mark where a CPU's events begin, inside text that may hold any line. */
export function endsAnyText(bytes: Uint8Array, from: number, to: number): boolean {
  const text = latin1(bytes.subarray(from, Math.min(to, from + 20)));
  return text.startsWith('# tracer: ') || text.startsWith('##### CPU ');
}
