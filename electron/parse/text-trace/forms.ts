import { latin1 } from '../cursor.ts';
import { MOST_CPUS, readDefaultLine, readLatencyLine, type TraceLine } from './line.ts';

/**
 * The rarer forms of ftrace's text. They look less like nothing else than the two of line.ts, so a file uses them only
 * where its header or most of its lines say so.
 *
 *   graph     kernel/trace/trace_functions_graph.c: ` 1) + 24.636 us   |  vfs_open();`, with the columns of the options
 *             funcgraph-abstime, -cpu, -proc, latency-format and -duration before
 *   verbose   latency-format with option verbose: `bash  22667   0 0 00000000 00000005 [e52c2d92] 15.256ms (+0.098ms): …`
 *   raw       option raw: `22421 1 4119357074608 type: 369`: pid, cpu, time in the clock's unit
 *   hex       option hex: the same in hexadecimal: `00005795 00000001 000003bf1cd0acb0 type: 369`
 */
export interface TextForms {
  graph: boolean;
  verbose: boolean;
  raw: boolean;
  hex: boolean;
}

export const ALL_FORMS: TextForms = { graph: true, verbose: true, raw: true, hex: true };
export const USUAL_FORMS: TextForms = { graph: false, verbose: false, raw: false, hex: false };

/** Reads the line `bytes[from, to)` in any of the forms; false where it is no event's line. */
export function readLine(bytes: Uint8Array, from: number, to: number, forms: TextForms, line: TraceLine): boolean {
  return (
    readDefaultLine(bytes, from, to, line) ||
    readLatencyLine(bytes, from, to, line) ||
    readRareLine(bytes, from, to, forms, line)
  );
}

/** Columns before the function: none of the patterns below looks further. */
const HEAD_BYTES = 256;

/** Reads a line of one of the rare forms that `forms` allows. */
function readRareLine(bytes: Uint8Array, from: number, to: number, forms: TextForms, line: TraceLine): boolean {
  if (!forms.graph && !forms.verbose && !forms.raw && !forms.hex) return false;
  const head = latin1(bytes.subarray(from, Math.min(to, from + HEAD_BYTES)));
  line.from = from;
  line.to = to;
  line.streamFrom = line.streamTo = line.commFrom = line.commTo = line.flagsFrom = line.flagsTo = from;
  line.pid = -1;
  line.tgid = -1;
  if (forms.graph && readGraph(head, from, line)) line.form = 'graph';
  else if (forms.verbose && readVerbose(head, from, line)) line.form = 'verbose';
  else if (forms.raw && readNumbers(RAW, 10, head, from, line)) line.form = 'raw';
  else if (forms.hex && readNumbers(HEX, 16, head, from, line)) line.form = 'hex';
  else return false;
  return true;
}

/** Time, CPU, task and flags, each optional, then the duration column up to its bar, or the line of a switch of tasks. */
const GRAPH =
  /^ *(?:(\d+)\.(\d{6}) +\| *)?(?:(\d+)\) *)?(?:(\S[^|]{0,30}?)-(\d+) +\| *)?(?:([.\w#]{4,8}) *\| *)?(?=[$@*#!+]? *(?:\d+\.?\d* us +)?\||[=<]{2,}[=<> ]*\|)/;
const GRAPH_SWITCH = /^ *(?:(\d+)\.(\d{6}) +\| *)?(\d+)\) +(?=\S.*-\d+ +=> +\S.*-\d+ *$)/;

function readGraph(head: string, from: number, line: TraceLine): boolean {
  const match = GRAPH.exec(head);
  if (match !== null && Number(match[3] ?? 0) < MOST_CPUS) {
    const [whole, seconds, micros, cpu, comm, pid, flags] = match;
    setGraphTime(seconds, micros, line);
    line.cpu = Number(cpu ?? 0);
    if (pid !== undefined) {
      line.pid = Number(pid);
      line.commFrom = from + whole.indexOf(comm as string);
      line.commTo = line.commFrom + (comm as string).length;
    }
    if (flags !== undefined) {
      line.flagsFrom = from + whole.lastIndexOf(flags);
      line.flagsTo = line.flagsFrom + flags.length;
    }
    line.bodyFrom = from + whole.length;
    return true;
  }
  const moved = GRAPH_SWITCH.exec(head);
  if (moved === null || Number(moved[3]) >= MOST_CPUS) return false;
  setGraphTime(moved[1], moved[2], line);
  line.cpu = Number(moved[3]);
  line.bodyFrom = from + moved[0].length;
  return true;
}

function setGraphTime(seconds: string | undefined, micros: string | undefined, line: TraceLine): void {
  line.seconds = Number(seconds ?? 0);
  line.nanoseconds = Number(micros ?? 0) * 1000;
  line.time = seconds === undefined ? 'none' : 'seconds';
}

/** comm pid cpu flags preempt-depth index [µs in hexadecimal] ms (+ms): or, of a clock not in ns, [ticks] ticks (+ticks): */
const VERBOSE =
  /^( *\S.{0,24}?) +(\d+) +(\d+) (\d+) [0-9a-f]{8} [0-9a-f]{8} \[([0-9a-f]{1,16})\] (?:-?\d+\.\d{3}ms \(\+-?\d+\.\d{3}(ms)\)|-?\d+ \(\+-?\d+\)): /;

function readVerbose(head: string, from: number, line: TraceLine): boolean {
  const match = VERBOSE.exec(head);
  if (match === null || Number(match[3]) >= MOST_CPUS) return false;
  const comm = match[1] as string;
  line.commFrom = from + comm.length - comm.trimStart().length;
  line.commTo = from + comm.length;
  line.pid = Number(match[2]);
  line.cpu = Number(match[3]);
  const stamp = BigInt(`0x${match[5]}`);
  if (match[6] === undefined) setTicks(stamp, line);
  else {
    setTicks(stamp * 1000n, line);
    line.time = 'seconds';
  }
  line.bodyFrom = from + match[0].length;
  return true;
}

function setTicks(ticks: bigint, line: TraceLine): void {
  line.seconds = Number(ticks / 1_000_000_000n);
  line.nanoseconds = Number(ticks % 1_000_000_000n);
  line.time = 'count';
}

const RAW = /^(\d{1,10}) (\d{1,5}) (\d{1,20}) (?=\S)/;
const HEX = /^([0-9a-f]{8}) ([0-9a-f]{8}) ([0-9a-f]{16}) (?=\S)/;

function readNumbers(pattern: RegExp, radix: 10 | 16, head: string, from: number, line: TraceLine): boolean {
  const match = pattern.exec(head);
  if (match === null) return false;
  const cpu = Number.parseInt(match[2] as string, radix);
  if (cpu >= MOST_CPUS) return false;
  line.pid = Number.parseInt(match[1] as string, radix) | 0;
  line.cpu = cpu;
  setTicks(BigInt(radix === 16 ? `0x${match[3]}` : (match[3] as string)), line);
  line.bodyFrom = from + match[0].length;
  return true;
}
