import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { Command, Option } from 'commander';
import type { SqlCell } from '../../shared/api.ts';
import { materialize, runSql } from '../engine/sql.ts';
import { action, type CommandHost, positiveNumber, wholeNumber } from './host.ts';
import { type InputOptions, readSession, withInput } from './input.ts';
import { Messages } from './messages.ts';
import { csvLines, tableLines, writeLines, writeOut } from './output.ts';

interface SqlOptions extends InputOptions {
  csv?: boolean;
  limit?: number;
  timeout?: number;
  materialize?: string;
}

export function addSql(program: Command, host: CommandHost): void {
  const command = new Command('sql').description(
    'answers one SQL query: tables event, "system:name", task, cgroup, episode, annotation, stream, recording; ' +
      'SELECT * FROM remora_tables lists them',
  );
  withInput(command, { window: false, filter: false })
    .usage('[options] <file...> <query>')
    .option('--csv', 'print CSV')
    .addOption(new Option('--limit <n>', 'print at most n rows').argParser(wholeNumber(1, 1e12)))
    .addOption(new Option('--timeout <s>', 'end the query when it takes longer').argParser(positiveNumber))
    .option('--materialize <out.db>', 'write all tables into a new SQLite file; the query may then be left out')
    .action(
      action(host, (words: string[], options: SqlOptions) => {
        const { files, query } = arguments_(command, words, options);
        return readSession(files, options, host, async (session) => {
          const messages = new Messages(host.stderr, options.quiet === true);
          const limits = { signal: host.signal, timeoutMs: (options.timeout ?? Number.POSITIVE_INFINITY) * 1000 };
          if (options.materialize !== undefined) {
            const path = resolve(options.materialize);
            await materialize(session, path, { ...limits, onProgress: (progress) => messages.progress(progress) });
            messages.clear();
            messages.say(`remora: wrote ${path}`);
          }
          if (query === null) return;
          const maxRows = options.limit ?? Number.POSITIVE_INFINITY;
          const output = options.json
            ? new JsonOutput(host)
            : options.csv
              ? new CsvOutput(host)
              : new TableOutput(host);
          const { truncated } = await runSql(session, {
            query,
            maxRows,
            ...limits,
            onColumns: (columns) => output.columns(columns),
            onRows: (rows) => output.rows(rows),
          });
          await output.end(truncated);
          if (truncated) messages.say(`remora: there are more than ${maxRows} rows: the rest is left out by --limit`);
        });
      }),
    );
  program.addCommand(command);
}

/** The query is the last word; with --materialize there may be files alone. */
function arguments_(command: Command, words: string[], options: SqlOptions): { files: string[]; query: string | null } {
  const last = words.at(-1) as string;
  if (options.materialize !== undefined && (words.length === 1 || existsSync(last)))
    return { files: words, query: null };
  if (words.length === 1)
    command.error(`error: missing query: remora sql ${last} 'SELECT name, rows FROM remora_tables'`);
  return { files: words.slice(0, -1), query: last };
}

type PrintedCell = string | number | null;

/** Bytes as hexadecimal digits; what JSON and people have no number for as its name. */
function printed(row: readonly SqlCell[]): PrintedCell[] {
  return row.map((cell) => {
    if (cell instanceof Uint8Array) return Buffer.from(cell).toString('hex');
    return typeof cell === 'number' && !Number.isFinite(cell) ? String(cell) : cell;
  });
}

interface Output {
  columns(names: string[]): Promise<void>;
  rows(rows: SqlCell[][]): Promise<void>;
  end(truncated: boolean): Promise<void>;
}

/** `{columns, rows, truncated}`, a row a line, written as the rows come. */
class JsonOutput implements Output {
  readonly #out: NodeJS.WriteStream;
  #first = true;

  constructor({ stdout }: CommandHost) {
    this.#out = stdout;
  }

  columns(names: string[]): Promise<void> {
    return writeOut(this.#out, `{\n  "columns": ${JSON.stringify(names)},\n  "rows": [`);
  }

  rows(rows: SqlCell[][]): Promise<void> {
    const text = rows.map((row) => `    ${JSON.stringify(printed(row))}`).join(',\n');
    const separator = this.#first ? '\n' : ',\n';
    this.#first = false;
    return writeOut(this.#out, separator + text);
  }

  end(truncated: boolean): Promise<void> {
    return writeOut(this.#out, `${this.#first ? '' : '\n  '}],\n  "truncated": ${truncated}\n}\n`);
  }
}

class CsvOutput implements Output {
  readonly #out: NodeJS.WriteStream;

  constructor({ stdout }: CommandHost) {
    this.#out = stdout;
  }

  columns(names: string[]): Promise<void> {
    return writeLines(this.#out, csvLines(names, []));
  }

  async rows(rows: SqlCell[][]): Promise<void> {
    const [, ...lines] = csvLines([], rows.map(printed));
    await writeLines(this.#out, lines);
  }

  async end(): Promise<void> {}
}

/** Rows by which the columns' widths are chosen; those behind them are printed as they come, wider where they must be. */
const MEASURED_ROWS = 2000;

class TableOutput implements Output {
  readonly #out: NodeJS.WriteStream;
  #names: string[] = [];
  #waiting: PrintedCell[][] = [];
  #started = false;

  constructor({ stdout }: CommandHost) {
    this.#out = stdout;
  }

  async columns(names: string[]): Promise<void> {
    this.#names = names;
  }

  async rows(rows: SqlCell[][]): Promise<void> {
    for (const row of rows) this.#waiting.push(printed(row));
    if (this.#waiting.length >= MEASURED_ROWS) await this.#write();
  }

  async end(): Promise<void> {
    await this.#write();
  }

  async #write(): Promise<void> {
    const lines = tableLines(this.#names, this.#waiting);
    this.#waiting = [];
    // One heading is enough.
    if (this.#started) lines.next();
    this.#started = true;
    await writeLines(this.#out, lines);
  }
}
