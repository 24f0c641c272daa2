import { writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { parseArgs } from 'node:util';
import { RemoraError, toErrorDetail } from '../../shared/errors.ts';
import { endProcess } from '../end-process.ts';
import { CaptureSession } from './capture-session.ts';
import { removeStaleInstances, staleInstances } from './instance.ts';
import { LocalMachine, type Owner } from './local-machine.ts';
import type { Machine } from './machine.ts';
import { machineOptions } from './machine-options.ts';
import { type CaptureMessage, captureRequest } from './protocol.ts';
import { RemoteMachine } from './remote-machine.ts';
import { findTracefs } from './tracefs.ts';

const WAIT_MS = 5;
const MOST_WAITS = 400;
/** How long whoever reads the recording while it grows may take for the rest. */
const READER_MS = 10_000;

/**
 * The capture process: the one part of Remora that may need root. Takes requests from standard input, says on standard output what
 * it does (protocol.ts), and ends by itself when nobody is left at the other end of its input.
 *
 *   --for UID,GID,GROUP…  it was started as root for this user, whose files it writes; --rights says how, in words
 *   --terminal            it shares a terminal with whoever started it, who gets the Ctrl+C that it does not heed
 *   --host HOST           the machine to trace
 */
const { values: given } = parseArgs({
  options: {
    for: { type: 'string' },
    rights: { type: 'string', default: '' },
    terminal: { type: 'boolean', default: false },
    host: { type: 'string' },
  },
});

function say(message: CaptureMessage): void {
  const line = Buffer.from(`${JSON.stringify(message)}\n`);
  let waits = 0;
  for (let done = 0; done < line.length; ) {
    try {
      done += writeSync(1, line, done);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      // Nobody listens any more: the end of the input will say so too.
      if (code === 'EPIPE') break;
      if (code !== 'EAGAIN') throw error;
      // The listener does not keep up. The next status says the same; the others must arrive, and none is cut in two.
      if ((message.type === 'status' && done === 0) || ++waits > MOST_WAITS) return;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, WAIT_MS);
    }
  }
  if (message.type === 'drained') completion = setTimeout(() => session?.complete(), READER_MS);
  if (message.type === 'stopped') {
    clearTimeout(completion);
    session = null;
  }
}

// The name that it has in traces and in `ps`.
process.title = 'remora-capture';
try {
  // On a machine with more to do than CPUs, a reader that waits for its turn loses events. Only root may.
  setPriority(constants.priority.PRIORITY_HIGH);
} catch {
  // As it is, then.
}

let session: CaptureSession | null = null;
let completion: NodeJS.Timeout | undefined;
let machine: Machine | null = null;
/** Requests are done one after the other. */
let doing: Promise<void> = Promise.resolve();

async function openMachine(): Promise<Machine> {
  if (given.host !== undefined) return RemoteMachine.connect(given.host);
  const [uid, gid, ...groups] = (given.for ?? '').split(',').map(Number);
  const owner: Owner | null = uid === undefined || gid === undefined ? null : { uid, gid, groups };
  return new LocalMachine(owner, given.rights);
}

async function take(line: string): Promise<void> {
  let request: unknown;
  try {
    request = JSON.parse(line);
  } catch {
    throw new RemoraError({ code: 'bad-request', message: 'a request to a capture is one line of JSON' });
  }
  const checked = captureRequest.safeParse(request);
  if (!checked.success) {
    throw new RemoraError({
      code: 'bad-request',
      message: `the order of a capture is not valid: ${checked.error.message}`,
    });
  }
  const { data } = checked;
  if (data.do === 'stop') return session?.stop('asked');
  if (data.do === 'complete') return session?.complete();
  if (session !== null) throw new RemoraError({ code: 'bad-request', message: 'a capture is running' });
  if (machine === null || machine.lost) machine = await openMachine();
  if (data.do === 'options') say({ type: 'options', options: await machineOptions(machine) });
  else if (data.do === 'stale') await tellStale(machine, data.remove);
  else session = await CaptureSession.start(machine, data.order, say);
}

async function tellStale(on: Machine, remove: boolean): Promise<void> {
  const root = await findTracefs(on);
  const stale = await staleInstances(on, root);
  const { removed, kept } = remove ? await removeStaleInstances(on, root) : { removed: [], kept: stale };
  say({ type: 'stale', stale, removed, kept });
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  // What concerns a running capture does not wait for anything.
  const now = session !== null;
  const work = (): Promise<void> => take(line).catch((error) => say({ type: 'failed', detail: toErrorDetail(error) }));
  if (now) void work();
  else doing = doing.then(work);
});
input.on('close', () => void end('parent'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    if (signal !== 'SIGINT' || !given.terminal) void end('signal');
  });
}
process.on('uncaughtException', (error) => void end('error', error.message));
process.on('unhandledRejection', (error) => void end('error', String(error)));

let ending = false;

/** Stops with nobody to wait for. The process ends when the recording is complete and the instance has been removed. */
async function end(reason: 'parent' | 'signal' | 'error', message = ''): Promise<void> {
  if (ending) return;
  ending = true;
  try {
    await doing;
    await session?.stop(reason, message);
    session?.complete();
    await machine?.close();
  } finally {
    clearTimeout(completion);
    input.close();
    process.stdin.destroy();
    endProcess(reason === 'error' ? 1 : 0);
  }
}
