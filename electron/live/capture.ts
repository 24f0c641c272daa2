import { writeSync } from 'node:fs';
import { constants, setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { RemoraError, toErrorDetail } from '../../shared/errors.ts';
import { CaptureSession } from './capture-session.ts';
import { type CaptureMessage, captureOrder } from './protocol.ts';

const WAIT_MS = 5;
const MOST_WAITS = 400;
/** How long whoever reads the recording while it grows may take for the rest. */
const READER_MS = 10_000;

/**
 * The capture process: the one part of Remora that may need root. Reads its order from standard input, says on standard output what
 * it does (protocol.ts), and ends by itself when nobody is left at the other end of its input.
 */
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
  if (message.type === 'drained') setTimeout(() => session?.complete(), READER_MS);
  if (message.type === 'stopped') process.exit(0);
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

function begin(line: string): void {
  let order: unknown;
  try {
    order = JSON.parse(line);
  } catch {
    throw new RemoraError({ code: 'bad-request', message: 'the order of a capture is one line of JSON' });
  }
  const checked = captureOrder.safeParse(order);
  if (!checked.success) {
    throw new RemoraError({
      code: 'bad-request',
      message: `the order of a capture is not valid: ${checked.error.message}`,
    });
  }
  session = new CaptureSession(checked.data, say);
}

const input = createInterface({ input: process.stdin });
input.on('line', (line) => {
  if (session !== null) {
    if (/"complete"/.test(line)) session.complete();
    else if (/"stop"/.test(line)) session.stop('asked');
    return;
  }
  try {
    begin(line);
  } catch (error) {
    say({ type: 'failed', detail: toErrorDetail(error) });
    process.exit(1);
  }
});
input.on('close', () => end('parent'));
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => end('signal'));
process.on('uncaughtException', (error) => end('error', error.message));

/** Stops with nobody to wait for. */
function end(reason: 'parent' | 'signal' | 'error', message = ''): void {
  session?.stop(reason, message);
  session?.complete();
  process.exit(reason === 'error' ? 1 : 0);
}
