import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { hostSchema } from '../../shared/capture.ts';
import { RemoraError } from '../../shared/errors.ts';
import { capturePath, version } from '../installation.ts';
import { CaptureProcess, type RunningCapture, startCapture } from '../live/capture-client.ts';
import { type EventChoice, eventPresets } from '../live/event-choice.ts';
import type { CaptureMessage, CaptureOrder, CaptureStatus } from '../live/protocol.ts';
import { recoverRecording } from '../live/recover.ts';
import { ownRights, type Rights, rightsHere } from '../live/rights.ts';
import { exitCode } from './exit-code.ts';
import { action, type CommandHost, positiveNumber, repeated, wholeNumber } from './host.ts';
import { Messages } from './messages.ts';
import { writeJson, writeLines } from './output.ts';

interface RecordOptions {
  events: EventChoice[];
  host?: string;
  preset?: string[];
  output?: string;
  b?: number;
  C?: string;
  duration?: number;
  counters?: number | true;
  cgroup?: string;
  pid?: number[];
  cpus?: number[];
  stacks?: boolean;
  maxSize?: number;
  keep?: { ms?: number; bytes?: number };
  list?: boolean;
  stale?: boolean;
  clean?: boolean;
  recover?: string;
  json?: boolean;
  quiet?: boolean;
}

type Stopped = Extract<CaptureMessage, { type: 'stopped' }>;

const DEFAULT_COUNTERS_MS = 1000;

export function addRecord(program: Command, host: CommandHost): void {
  // A filter belongs to the event in front of it, so both write to one list, in the order they are given.
  const events: EventChoice[] = [];
  program
    .command('record')
    .description(
      'captures live from this machine, or over ssh from another, into a trace.dat that trace-cmd and KernelShark read too',
    )
    .argument('[command...]', 'capture while this runs on this machine (behind --); else until Ctrl+C or a limit')
    .option('-e <event>', 'SYSTEM:EVENT, SYSTEM, EVENT or all, with * ? []; may be repeated', (pattern: string) => {
      events.push({ pattern });
      return events;
    })
    .option('-F <filter>', "the kernel's filter for the event named before it", (filter: string) => {
      const last = events.at(-1);
      if (last === undefined) throw new InvalidArgumentError('It stands behind the -e whose events it filters.');
      last.filter = last.filter === undefined ? filter : `(${last.filter}) && (${filter})`;
      return filter;
    })
    .addOption(new Option('-H, --host <host>', 'the machine to capture from, as ssh names it').argParser(sshHost))
    .option('--preset <name>', `events for a question: ${Object.keys(eventPresets).join(', ')}`, repeated)
    .option('-o, --output <file>', 'the recording to write (default: trace.dat)')
    .addOption(
      new Option(
        '-b <KB>',
        'ring buffer of each CPU in KiB (default: 8192, less on machines with little memory)',
      ).argParser(wholeNumber(4, 1 << 30)),
    )
    .option('-C <clock>', "the ring buffer's clock: local, mono, boot, …")
    .addOption(new Option('--duration <s>', 'stop after this many seconds').argParser(positiveNumber))
    .addOption(
      new Option('--counters [ms]', 'sample vmstat, meminfo, pressure and cgroups into the trace').argParser(
        wholeNumber(10, 3_600_000),
      ),
    )
    .option('--cgroup <path>', 'only tasks in this folder of cgroupfs and below, and what they start')
    .addOption(new Option('--pid <pid>', 'only this process and what it starts; may be repeated').argParser(pids))
    .addOption(new Option('--cpus <list>', 'only these CPUs: 0-3,6').argParser(cpuList))
    .option('--stacks', 'a kernel stack trace behind every event')
    .addOption(new Option('--max-size <size>', 'stop at this size: 500M, 2G').argParser(byteSize))
    .addOption(
      new Option('--keep <amount>', 'flight recorder: keep only the last 30s, 10m, 500M or 2G').argParser(keepLast),
    )
    .option('--list', 'name the events that this kernel has')
    .option('--stale', 'name tracing instances that a killed capture left behind')
    .option('--clean', 'remove tracing instances that a killed capture left behind')
    .option('--recover <file>', 'complete a recording whose capture was killed')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress and no warnings')
    .action(
      action(host, async (command: string[], options: Omit<RecordOptions, 'events'>) => {
        const given: RecordOptions = { ...options, events };
        if (given.list) return listEvents(given, host);
        if (given.stale || given.clean) return instances(given, host);
        if (given.recover !== undefined) return recover(given.recover, given, host);
        return record(command, given, host);
      }),
    );
}

function pids(text: string, before: number[] | undefined): number[] {
  return [...(before ?? []), wholeNumber(1, 1 << 30)(text)];
}

/** `0-3,6`. */
function cpuList(text: string): number[] {
  return text.split(',').flatMap((part) => {
    const match = /^(\d+)(?:-(\d+))?$/.exec(part.trim());
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || last < first || last > 8191)
      throw new InvalidArgumentError('It is no list of CPUs like 0-3,6.');
    return Array.from({ length: last - first + 1 }, (_unused, i) => first + i);
  });
}

function sshHost(text: string): string {
  if (!hostSchema.safeParse(text).success) throw new InvalidArgumentError('It is no host that ssh could connect to.');
  return text;
}

const SIZES: Record<string, number> = { K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const TIMES: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000 };

function byteSize(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT])(?:i?B)?$/.exec(text);
  const size = Math.floor(Number(match?.[1]) * (SIZES[match?.[2] ?? ''] ?? Number.NaN));
  if (!(size > 0)) throw new InvalidArgumentError('It is no size like 500M or 2G.');
  return size;
}

/** A lower-case letter is a time, an upper-case one a size. */
function keepLast(text: string): { ms?: number; bytes?: number } {
  const match = /^(\d+(?:\.\d+)?)(s|m|h)$/.exec(text);
  if (match === null) return { bytes: byteSize(text) };
  const ms = Number(match[1]) * (TIMES[match[2] as string] as number);
  if (!(ms > 0)) throw new InvalidArgumentError('It is no time like 30s or 10m.');
  return { ms };
}

/** Lets a capture process do something that is no capture. */
async function asking<T>(options: RecordOptions, question: (process: CaptureProcess) => Promise<T>): Promise<T> {
  const process = new CaptureProcess(capturePath, { host: options.host, rights: rights(options) });
  try {
    return await question(process);
  } finally {
    await process.close();
  }
}

/** Whoever sits at a terminal can be asked for a password. On another machine a capture has the rights of who connects. */
function rights({ host }: RecordOptions): Rights {
  return host === undefined ? rightsHere(process.stdin.isTTY && process.stderr.isTTY) : ownRights;
}

async function listEvents(options: RecordOptions, host: CommandHost): Promise<number> {
  const { systems } = await asking(options, (process) => process.options());
  const events = systems.flatMap(({ name: system, events: names }) => names.map((name) => ({ system, name })));
  if (options.json) await writeJson(host.stdout, { events });
  else
    await writeLines(
      host.stdout,
      events.map(({ system, name }) => `${system}:${name}`),
    );
  return exitCode.done;
}

async function instances(options: RecordOptions, host: CommandHost): Promise<number> {
  const { stale, removed, kept } = await asking(options, (process) => process.stale(options.clean === true));
  if (options.json) await writeJson(host.stdout, { stale, removed, kept });
  else {
    await writeLines(
      host.stdout,
      removed.map((name) => `removed ${name}`),
    );
    await writeLines(
      host.stdout,
      kept.map((name) => (options.clean ? `in use by another program: ${name}` : name)),
    );
  }
  return options.clean && kept.length > 0 ? exitCode.failed : exitCode.done;
}

async function recover(file: string, options: RecordOptions, host: CommandHost): Promise<number> {
  const path = resolve(file);
  if (!existsSync(path)) throw new RemoraError({ code: 'file', message: `${file} does not exist`, file: path });
  const recovered = recoverRecording(path);
  if (options.json) await writeJson(host.stdout, { path, recovered });
  else if (recovered === null) await writeLines(host.stdout, [`${file} is complete: there is nothing to recover`]);
  else
    await writeLines(host.stdout, [
      `${file}: completed, ${bytesText(recovered.bytes)} of events`,
      ...sparseNote(recovered),
    ]);
  return exitCode.done;
}

const sparseNote = ({ sparse }: { sparse: boolean }): string[] =>
  sparse ? ['It has holes that take no room on this disk; copy it with `cp --sparse=always`.'] : [];

async function record(command: string[], options: RecordOptions, host: CommandHost): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  const order = orderOf(options);
  const capture = await start(order, options, messages, host);
  if (capture.started.rights !== '') messages.say(`remora: the capture runs ${capture.started.rights}`);
  for (const note of capture.started.notes) messages.say(`remora: warning: ${note}`);
  if (command.length === 0) messages.say(`Recording into ${options.output ?? 'trace.dat'}; Ctrl+C stops.`);
  const ended = command.length === 0 ? untilStopped(capture, host) : whileRunning(command, capture, messages, host);
  let stopped: Stopped;
  try {
    stopped = await ended;
  } finally {
    messages.clear();
  }
  return report(stopped, order, capture, options, messages, host);
}

function orderOf(options: RecordOptions): CaptureOrder {
  const { events, preset: presets = [] } = options;
  if (events.length + presets.length === 0) {
    throw new RemoraError({
      code: 'bad-request',
      message: 'say what to record: -e EVENT, or --preset NAME; --list names the events',
    });
  }
  const { counters, cgroup } = options;
  return {
    path: resolve(options.output ?? 'trace.dat'),
    host: options.host,
    events,
    presets,
    bufferKiB: options.b,
    clock: options.C,
    durationMs: options.duration === undefined ? undefined : Math.max(1, options.duration * 1000),
    countersMs: counters === true ? DEFAULT_COUNTERS_MS : counters,
    cgroup: cgroup === undefined || options.host !== undefined ? cgroup : resolve(cgroup),
    pids: options.pid,
    cpus: options.cpus,
    stacks: options.stacks,
    maxBytes: options.maxSize,
    keep: options.keep,
    program: `remora ${version}`,
  };
}

async function start(
  order: CaptureOrder,
  options: RecordOptions,
  messages: Messages,
  host: CommandHost,
): Promise<RunningCapture> {
  try {
    const onStatus = (status: CaptureStatus): void => {
      const { events } = status;
      messages.progress({ stage: statusText(status), unit: 'bytes', done: 0, total: 0, events });
    };
    return await startCapture(capturePath, order, onStatus, () => {}, rights(options));
  } catch (error) {
    if (error instanceof RemoraError && error.detail.position !== undefined) {
      const filter = options.events.find(
        (choice) => choice.filter !== undefined && error.message.includes(`"${choice.filter}"`),
      )?.filter;
      if (filter !== undefined) host.stderr.write(`${filter}\n${' '.repeat(error.detail.position)}^\n`);
    }
    throw error;
  }
}

/** Until it ends by itself, or the user stops it. */
function untilStopped(capture: RunningCapture, host: CommandHost): Promise<Stopped> {
  if (host.signal.aborted) capture.stop();
  else host.signal.addEventListener('abort', () => capture.stop(), { once: true });
  return capture.ended;
}

/** While a command runs. Ctrl+C is the command's: it gets the terminal's signal itself, and its end is the end. */
async function whileRunning(
  [program, ...args]: string[],
  capture: RunningCapture,
  messages: Messages,
  host: CommandHost,
): Promise<Stopped> {
  const child = spawn(program as string, args, { stdio: 'inherit' });
  const over = new Promise<Error | string | null>((done) => {
    child.once('error', done);
    child.once('close', (code, signal) =>
      done(code === 0 ? null : signal === null ? `exit code ${code}` : `signal ${signal}`),
    );
  });
  const stop = (): void => void child.kill('SIGTERM');
  host.signal.addEventListener('abort', stop, { once: true });
  const first = await Promise.race([over.then((problem) => ({ problem })), capture.ended.then(() => null)]);
  host.signal.removeEventListener('abort', stop);
  if (first === null) {
    messages.say(`remora: the capture ended before ${program}, which goes on`);
    child.unref();
    return capture.ended;
  }
  capture.stop();
  const stopped = await capture.ended;
  if (first.problem instanceof Error) {
    throw new RemoraError({ code: 'file', message: `${program} could not be run: ${first.problem.message}` });
  }
  if (first.problem !== null) messages.say(`remora: ${program} ended with ${first.problem}`);
  return stopped;
}

async function report(
  { status, reason, message, notes, sparse }: Stopped,
  order: CaptureOrder,
  { started }: RunningCapture,
  options: RecordOptions,
  messages: Messages,
  host: CommandHost,
): Promise<number> {
  const { events, lost, bytes, elapsedMs, cpus } = status;
  if (options.json) {
    const { clock, events: types, bufferKiB } = started;
    const perCpu = cpus.map((cpu) => ({ cpu: cpu.cpu, events: cpu.events, lost: cpu.lost, bytes: cpu.bytes }));
    const what = { path: order.path, host: started.host, events, lost, bytes, elapsedMs, reason, clock, bufferKiB };
    await writeJson(host.stdout, { ...what, sparse, cpus: perCpu, eventTypes: types, notes });
  } else {
    const size = order.keep === undefined ? bytesText(bytes) : `the last ${bytesText(bytes)} kept`;
    const text = `${events.toLocaleString('en')} events in ${(elapsedMs / 1000).toFixed(1)} s, ${size}`;
    await writeLines(host.stdout, [`${order.path}: ${text}`, ...sparseNote({ sparse })]);
  }
  for (const note of notes) messages.say(`remora: warning: ${note}`);
  if (message !== '') messages.say(`remora: ${message}`);
  if (lost > 0) {
    const hint = `a larger buffer (-b, now ${Math.round(started.bufferKiB)} KiB a CPU) or fewer events lose less`;
    messages.say(`remora: warning: the kernel lost ${lost.toLocaleString('en')} events: ${hint}`);
  }
  if (reason === 'error' || reason === 'disk-full') return exitCode.failed;
  return lost > 0 ? exitCode.damaged : exitCode.done;
}

function statusText({ elapsedMs, eventsPerSecond, bytes, lost, cpus }: CaptureStatus): string {
  const fill = Math.max(0, ...cpus.map((cpu) => cpu.fill));
  const parts = [
    `${(elapsedMs / 1000).toFixed(0)} s`,
    `${Math.round(eventsPerSecond).toLocaleString('en')} events/s`,
    bytesText(bytes),
    `buffer ${Math.round(fill * 100)} %`,
  ];
  if (lost > 0) parts.push(`${lost.toLocaleString('en')} lost`);
  return parts.join('  ');
}

function bytesText(bytes: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB'];
  const step = bytes < 1024 ? 0 : Math.min(4, Math.floor(Math.log2(bytes) / 10));
  return `${step === 0 ? bytes : (bytes / 1024 ** step).toFixed(1)} ${units[step]}`;
}
