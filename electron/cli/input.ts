import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import type { Params, Progress } from '../../shared/api.ts';
import { EngineClient } from '../../shared/engine-client.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { defaultCacheFolder } from '../cache-folder.ts';
import type { Session } from '../engine/sessions.ts';
import { version } from '../installation.ts';
import { exitCode } from './exit-code.ts';
import { type CommandHost, wholeNumber } from './host.ts';
import { Messages } from './messages.ts';

/** How recordings are opened. */
export interface OpeningOptions {
  workspace?: string;
  cache: boolean;
  cgroups?: string;
  pageBytes?: number;
}

/** Options of every command that reads recordings. */
export interface InputOptions extends OpeningOptions {
  json?: boolean;
  quiet?: boolean;
  from?: string;
  to?: string;
  filter?: string;
}

/** Adds the options that say how recordings are opened. */
export function withOpening(command: Command): Command {
  return command
    .option('--workspace <path>', 'keep the index and what you add in this *.remora file')
    .option('--no-cache', 'neither look for an index in the cache nor leave one there')
    .option('--cgroups <file>', 'names of cgroups: lines `inode path` (default: FILE.cgroups beside the recording)')
    .addOption(new Option('--page-bytes <n>', 'page size of the traced machine').argParser(wholeNumber(512, 1 << 30)));
}

/** Adds the arguments and options of reading recordings; those that narrow what is read only where a command heeds them. */
export function withInput(command: Command, { json = true, window = true, filter = true } = {}): Command {
  command
    .argument('<file...>', 'recordings (several are merged), or one *.remora workspace')
    .option('--quiet', 'no progress and no warnings');
  withOpening(command);
  if (json) command.option('--json', 'print one JSON document');
  if (window) {
    command
      .option('--from <time>', 'start: 123.456 (as the trace prints it), +1.5s (from the start), or ns')
      .option('--to <time>', 'end, in the same forms');
  }
  return filter ? command.option('--filter <expr>', 'only events that this filter lets through') : command;
}

/** A workspace that is open for the length of a command. */
export interface OpenInput {
  engine: EngineClient;
  summary: WorkspaceSummary;
  messages: Messages;
}

/**
 * Opens the files in an engine in this process, runs `work`, and closes everything again, also when the user stops it.
 * Returns the exit code: damage in the input is told apart from success.
 */
export async function readInput(
  files: readonly string[],
  options: InputOptions,
  host: CommandHost,
  work: (input: OpenInput) => Promise<void>,
): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  // Here, so that a command that needs no engine does not wait for it to load.
  const { createEngine } = await import('../engine/engine.ts');
  const core = createEngine({ version });
  const engine: EngineClient = new EngineClient((message) =>
    core.dispatch(message, (answer) => engine.receive(answer)),
  );
  try {
    const onProgress = (progress: Progress): void => messages.progress(progress);
    const summary = await engine.call('open', openRequest(files, options), { signal: host.signal, onProgress });
    messages.clear();
    messages.warnings(summary.warnings);
    await work({ engine, summary, messages });
    return endOf(summary);
  } finally {
    messages.clear();
    await core.close();
  }
}

/** The same, for a command that needs more of the recording than the engine's contract tells. */
export async function readSession(
  files: readonly string[],
  options: InputOptions,
  host: CommandHost,
  work: (session: Session) => Promise<void>,
): Promise<number> {
  const messages = new Messages(host.stderr, options.quiet === true);
  const { Sessions } = await import('../engine/sessions.ts');
  const sessions = new Sessions(defaultCacheFolder());
  try {
    const onProgress = (progress: Progress): void => messages.progress(progress);
    const session = await sessions.open({ ...openRequest(files, options), signal: host.signal, onProgress });
    messages.clear();
    messages.warnings(session.summary.warnings);
    await work(session);
    return endOf(session.summary);
  } finally {
    messages.clear();
    await sessions.closeAll();
  }
}

/** What is said of the workspace is no damage of the input. */
const endOf = ({ warnings }: WorkspaceSummary): number =>
  warnings.some(({ section }) => section !== 'workspace') ? exitCode.damaged : exitCode.done;

export function openRequest(files: readonly string[], options: OpeningOptions): Params<'open'> {
  return {
    paths: files.map((file) => resolve(file)),
    workspace: options.workspace === undefined ? undefined : resolve(options.workspace),
    noCache: options.cache ? undefined : true,
    cgroups: options.cgroups === undefined ? undefined : resolve(options.cgroups),
    memoryPageBytes: options.pageBytes,
  };
}
