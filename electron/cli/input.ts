import { resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { EngineClient } from '../../shared/engine-client.ts';
import type { WorkspaceSummary } from '../../shared/model.ts';
import { createEngine } from '../engine/engine.ts';
import { version } from '../installation.ts';
import { exitCode } from './exit-code.ts';
import { type CommandHost, wholeNumber } from './host.ts';
import { Report } from './progress.ts';

/** Options of every command that reads recordings. */
export interface InputOptions {
  json?: boolean;
  quiet?: boolean;
  from?: string;
  to?: string;
  filter?: string;
  workspace?: string;
  cache: boolean;
  cgroups?: string;
  pageBytes?: number;
}

/** Adds the arguments and options of reading recordings; those that narrow what is read only where a command heeds them. */
export function withInput(command: Command, { window = true, filter = true } = {}): Command {
  command
    .argument('<file...>', 'recordings (several are merged), or one *.remora workspace')
    .option('--json', 'print one JSON document')
    .option('--quiet', 'no progress and no warnings')
    .option('--workspace <path>', 'keep the index and what you add in this *.remora file')
    .option('--no-cache', 'neither look for an index in the cache nor leave one there')
    .option('--cgroups <file>', 'names of cgroups: lines `inode path` (default: FILE.cgroups beside the recording)')
    .addOption(new Option('--page-bytes <n>', 'page size of the traced machine').argParser(wholeNumber(512, 1 << 30)));
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
  report: Report;
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
  const report = new Report(host.stderr, options.quiet === true);
  const core = createEngine({ version });
  const engine: EngineClient = new EngineClient((message) =>
    core.dispatch(message, (answer) => engine.receive(answer)),
  );
  try {
    const summary = await engine.call(
      'open',
      {
        paths: files.map((file) => resolve(file)),
        workspace: options.workspace === undefined ? undefined : resolve(options.workspace),
        noCache: !options.cache,
        cgroups: options.cgroups === undefined ? undefined : resolve(options.cgroups),
        memoryPageBytes: options.pageBytes,
      },
      { signal: host.signal, onProgress: (progress) => report.progress(progress) },
    );
    report.clear();
    report.warnings(summary.warnings);
    await work({ engine, summary, report });
    return summary.warnings.length > 0 ? exitCode.damaged : exitCode.done;
  } finally {
    report.clear();
    await core.close();
  }
}
