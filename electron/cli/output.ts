import type { Writable } from 'node:stream';

/** What is written in one go: enough to be quick, little enough that a closed pipe is noticed soon. */
const PIECE_CHARS = 1 << 16;

/**
 * Writes text to a stream, waiting until it was taken, so that a slow reader slows the command down instead of filling
 * memory. Rejects with the stream's error; a reader that has gone is `isClosedPipe`.
 */
export function writeOut(stream: Writable, text: string | Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    stream.write(text, (error) => (error ? reject(error) : resolve()));
  });
}

/** `remora … | head` ends the pipe early: that is the reader's right and no failure. */
export function isClosedPipe(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException | null)?.code;
  return code === 'EPIPE' || code === 'ERR_STREAM_DESTROYED';
}

/** Writes lines in large pieces. */
export async function writeLines(stream: Writable, lines: Iterable<string>): Promise<void> {
  let piece = '';
  for (const line of lines) {
    piece += `${line}\n`;
    if (piece.length < PIECE_CHARS) continue;
    await writeOut(stream, piece);
    piece = '';
  }
  if (piece !== '') await writeOut(stream, piece);
}

/** The same of lines that have to be waited for: many of them at a time, as waiting costs more than a line. */
export async function writeManyLines(stream: Writable, parts: AsyncIterable<Iterable<string>>): Promise<void> {
  for await (const lines of parts) await writeLines(stream, lines);
}

/** One JSON document, indented one level so that it can be read and still compares line by line. */
export function writeJson(stream: Writable, value: unknown): Promise<void> {
  return writeLines(stream, jsonLines(value));
}

/** The lines of a JSON document whose top-level arrays have an entry a line: large ones never become one string. */
function* jsonLines(value: unknown): Generator<string> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    yield JSON.stringify(value);
    return;
  }
  yield '{';
  const entries = Object.entries(value).filter(([, part]) => part !== undefined);
  for (const [index, [key, part]] of entries.entries()) {
    const end = index === entries.length - 1 ? '' : ',';
    if (!Array.isArray(part) || part.length === 0) {
      yield `  ${JSON.stringify(key)}: ${JSON.stringify(part)}${end}`;
      continue;
    }
    yield `  ${JSON.stringify(key)}: [`;
    for (let i = 0; i < part.length; i++) yield `    ${JSON.stringify(part[i])}${i === part.length - 1 ? '' : ','}`;
    yield `  ]${end}`;
  }
  yield '}';
}

type Cell = string | number | null;

/** Lines of CSV as RFC 4180 has it, header first. */
export function* csvLines(header: readonly string[], rows: Iterable<readonly Cell[]>): Generator<string> {
  yield* csvRows([header]);
  yield* csvRows(rows);
}

/** The same of rows alone. */
export function* csvRows(rows: Iterable<readonly Cell[]>): Generator<string> {
  const quote = (cell: Cell): string => {
    const text = cell === null ? '' : String(cell);
    return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  };
  for (const row of rows) yield row.map(quote).join(',');
}

/** Lines of a table for people: columns padded, numbers to the right. */
export function* tableLines(header: readonly string[], rows: readonly (readonly Cell[])[]): Generator<string> {
  const cells = rows.map((row) => row.map((cell) => (cell === null ? '–' : String(cell))));
  const widths = header.map((title, i) => Math.max(title.length, ...cells.map((row) => row[i]?.length ?? 0)));
  const right = header.map(
    (_title, i) => rows.length > 0 && rows.every((row) => row[i] === null || /^-?[\d.]+$/.test(String(row[i]))),
  );
  const line = (row: readonly string[]): string =>
    row
      .map((cell, i) => (right[i] ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd();
  yield line(header);
  for (const row of cells) yield line(row);
}
