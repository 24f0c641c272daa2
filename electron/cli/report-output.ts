import { constants, openSync, readlinkSync, writeSync } from 'node:fs';

/** Where a report's lines go. Pieces are borrowed for the call; `end` once after the last. */
interface ReportOutput {
  write(piece: Uint8Array): void;
  end(): void;
}

/** A report to a file descriptor: its lines as they are, or with `json` as one document. Writing waits for the reader. */
export function reportOutput(stream: number, json = false): ReportOutput {
  const fd = waiting(stream);
  return json ? new JsonLines(fd) : { write: (piece) => writeNow(fd, piece), end: () => undefined };
}

/** `{"lines":[…]}`: the same lines as strings, one a line. Bytes that are no UTF-8 become U+FFFD. */
class JsonLines implements ReportOutput {
  readonly #fd: number;
  readonly #decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  #begun = false;
  /** The beginning of a line whose end is in a later piece. */
  #rest = '';

  constructor(fd: number) {
    this.#fd = fd;
  }

  write(piece: Uint8Array): void {
    const lines = (this.#rest + this.#decoder.decode(piece, { stream: true })).split('\n');
    this.#rest = lines.pop() as string;
    this.#put(lines);
  }

  end(): void {
    this.#rest += this.#decoder.decode();
    if (this.#rest !== '') this.#put([this.#rest]);
    writeNow(this.#fd, Buffer.from(this.#begun ? '\n  ]\n}\n' : '{\n  "lines": []\n}\n'));
  }

  #put(lines: readonly string[]): void {
    if (lines.length === 0) return;
    const head = this.#begun ? ',\n' : '{\n  "lines": [\n';
    this.#begun = true;
    writeNow(this.#fd, Buffer.from(head + lines.map((line) => `    ${JSON.stringify(line)}`).join(',\n')));
  }
}

/**
 * The same pipe, but one that waits for its reader: Node makes those of its standard streams refuse instead, and then there is nothing to
 * do but to sleep for too long or too short. Anything else, and where the pipe cannot be opened again, is used as it is.
 */
function waiting(fd: number): number {
  const link = `/proc/self/fd/${fd}`;
  try {
    // One that has a name would be waited for, should its reader be gone.
    return readlinkSync(link).startsWith('pipe:') ? openSync(link, constants.O_WRONLY) : fd;
  } catch {
    return fd;
  }
}

const SHORTEST_SLEEP_MS = 0.05;
const LONGEST_SLEEP_MS = 2;

/** Writes all bytes, waiting while the reader of a pipe is slower. */
function writeNow(fd: number, bytes: Uint8Array): void {
  let sleepMs = SHORTEST_SLEEP_MS;
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
      sleepMs = SHORTEST_SLEEP_MS;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
      Atomics.wait(sleeper, 0, 0, sleepMs);
      sleepMs = Math.min(LONGEST_SLEEP_MS, sleepMs * 2);
    }
  }
}
const sleeper = new Int32Array(new SharedArrayBuffer(4));
