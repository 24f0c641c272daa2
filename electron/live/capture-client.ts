import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { type ErrorCode, RemoraError } from '../../shared/errors.ts';
import { removeStaleInstances, staleInstances } from './instance.ts';
import { type CaptureMessage, type CaptureOrder, type CaptureStatus, captureMessage } from './protocol.ts';
import { findTracefs } from './tracefs.ts';

type Started = Extract<CaptureMessage, { type: 'started' }>;
type Stopped = Extract<CaptureMessage, { type: 'stopped' }>;

/** A running capture process, as its parent sees it. */
export interface RunningCapture {
  pid: number;
  started: Started;
  /** Asks it to stop; what comes of it is `ended`. */
  stop(): void;
  /** How it ended. Rejects with RemoraError where the process died without completing the recording. */
  ended: Promise<Stopped>;
}

/**
 * Starts a capture process and waits until it captures. It has a session of its own, so that Ctrl+C in a terminal reaches it
 * through us alone; when we die, its input ends and it completes the recording by itself. `onStatus` is told now and then where the
 * data is by now; `onDrained` when it is all there, before it is moved to where it stays. Throws what it could not do.
 */
export async function startCapture(
  capturePath: string,
  order: CaptureOrder,
  onStatus: (status: CaptureStatus) => void,
  onDrained: (status: CaptureStatus) => void = () => {},
): Promise<RunningCapture> {
  const env = { ...process.env, ELECTRON_RUN_AS_NODE: '1' };
  const child = spawn(process.execPath, [capturePath], { env, detached: true, stdio: ['pipe', 'pipe', 'pipe'] });
  // It may be gone before it has read; how it ended says more than a broken pipe.
  child.stdin.on('error', () => {});
  child.stdin.write(`${JSON.stringify(order)}\n`);
  const complaint = lastLines(child);
  let resolveStarted: (started: Started) => void;
  let rejectStarted: (error: unknown) => void;
  const started = new Promise<Started>((resolve, reject) => {
    resolveStarted = resolve;
    rejectStarted = reject;
  });
  const ended = new Promise<Stopped>((resolve, reject) => {
    let last: Stopped | undefined;
    createInterface({ input: child.stdout }).on('line', (line) => {
      const message = parse(line);
      if (message?.type === 'started') resolveStarted(message);
      else if (message?.type === 'status') onStatus(message);
      else if (message?.type === 'drained') {
        onDrained(message.status);
        child.stdin.write('{"do":"complete"}\n');
      } else if (message?.type === 'stopped') last = message;
      else if (message?.type === 'failed') {
        const { code, ...detail } = message.detail;
        rejectStarted(
          new RemoraError({ ...withoutUndefined(detail), message: detail.message, code: code as ErrorCode }),
        );
      }
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (last !== undefined) resolve(last);
      else reject(gone(order.path, signal ?? `exit code ${code}`, complaint()));
    });
  });
  ended.catch((error: unknown) => rejectStarted(error));
  return {
    started: await started,
    pid: child.pid as number,
    stop: () => void child.stdin.write('{"do":"stop"}\n'),
    ended,
  };
}

function parse(line: string): CaptureMessage | undefined {
  try {
    return captureMessage.parse(JSON.parse(line));
  } catch {
    return undefined;
  }
}

function lastLines(child: ChildProcess): () => string {
  let text = '';
  child.stderr?.setEncoding('utf8').on('data', (piece: string) => {
    text = (text + piece).slice(-2000);
  });
  return () => text.trim().split('\n').at(-1) ?? '';
}

/** The process was killed: its instance is taken away here, as it could not. */
function gone(path: string, how: string, complaint: string): RemoraError {
  let left = '';
  try {
    const root = findTracefs();
    const { kept } = removeStaleInstances(root);
    if (kept.length > 0) left = `; left behind in tracefs: ${staleInstances(root).join(', ')}`;
  } catch {
    // Whoever may not look there could not have made one.
  }
  const why = complaint === '' ? how : `${how}: ${complaint}`;
  return new RemoraError({
    code: 'file',
    message: `the capture process ended unexpectedly (${why}); \`remora record --recover ${path}\` completes what it wrote${left}`,
  });
}

function withoutUndefined<T extends object>(value: T): { [K in keyof T]: Exclude<T[K], undefined> } {
  return Object.fromEntries(Object.entries(value).filter(([, part]) => part !== undefined)) as never;
}
