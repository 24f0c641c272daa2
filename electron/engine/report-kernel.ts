import { readFileSync } from 'node:fs';
import { reportKernelPath } from '../installation.ts';

/** What `kernel/report-kernel.ts` exports: functions as they are, variables in boxes. Places are in bytes of `memory`. */
export interface ReportKernel {
  memory: { readonly buffer: ArrayBuffer; grow(pages: number): number };
  layout(type: number, pid: number, unit: number): void;
  flagFields(...offsetsAndSizes: number[]): void;
  setOut(at: number): void;
  setHandOver(on: boolean): void;
  start(first: number, count: number, order: number): void;
  run(from: number): number;
  scan(cursor: number): number;
  addTask(pid: number): number;
  taskAt(number: number): number;
  addText(table: number, value: bigint, length: number): number;
  readSymbols(from: number, to: number, last: boolean, high: number, low: number, name: number, base: number): number;
  symbolsEnd: Variable;
  symbolsStopped: Variable;
  out: Variable;
  outBytes: Variable;
  programs: Variable;
  free: Variable;
  outAt: Variable;
  current: Variable;
  lastBuffer: Variable;
  wantedId: Variable;
  wantedPid: Variable;
  wantedTable: Variable;
  wantedValue: { readonly value: bigint };
  lines: Variable;
  tasks: Variable;
}
interface Variable {
  readonly value: number;
}

/** What `run` returns, and where it goes on. */
export const WANTED = { nothing: 0, flush: 1, refill: 2, general: 3, program: 4, task: 5, text: 6 } as const;
export const FROM = { print: 0, advance: 1, sift: 2 } as const;

/** A cursor's words, by what they hold: see the kernel. */
export const CURSOR = {
  time: 0,
  next: 2,
  end: 3,
  entries: 4,
  stop: 5,
  page: 6,
  pagesEnd: 7,
  reach: 8,
  prefix: 9,
  prefixLength: 10,
  cpu: 11,
  cpuLength: 12,
  buffer: 13,
  subBuffer: 14,
  data: 15,
  origin: 16,
  offset: 18,
  count: 20,
  plain: 21,
  words: 22,
} as const;
export const ENTRY_BYTES = 16;
/** What the kernel keeps of a text, and of a task's column. */
export const MOST_TEXT = 2048;
export const MOST_TASK_COLUMN = 48;
/** A buffer's column that is longer than any that people give. */
export const MOST_PREFIX = 1024;

/** What is used of a global that TypeScript has among the browser's only. */
declare const WebAssembly: {
  Module: new (bytes: Uint8Array) => object;
  Instance: new (module: object, imports: object) => { exports: unknown };
};

let module: object | null = null;

/** A kernel with `bytes` of memory behind `free`; all of it is zero. */
export function newReportKernel(bytes: number): ReportKernel {
  module ??= new WebAssembly.Module(readFileSync(reportKernelPath));
  const kernel = new WebAssembly.Instance(module, {}).exports as ReportKernel;
  const missing = kernel.free.value + bytes - kernel.memory.buffer.byteLength;
  if (missing > 0) kernel.memory.grow(Math.ceil(missing / 65_536));
  return kernel;
}
