import { Command, CommanderError } from 'commander';
import { errorLine, exitCode, exitCodeOf } from './cli/exit-code.ts';
import type { CommandHost } from './cli/host.ts';
import { isClosedPipe } from './cli/output.ts';
import { version } from './installation.ts';

/** `remora COMMAND`: the command line. Everything it prints is what the window shows, from the same engine. */

const interrupt = new AbortController();
const host: CommandHost = {
  stdout: process.stdout,
  stderr: process.stderr,
  signal: interrupt.signal,
  exitCode: exitCode.done,
};

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.on(signal, () => {
    // The second time somebody means it.
    if (interrupt.signal.aborted) process.exit(exitCode.interrupted);
    interrupt.abort();
  });
}
// A write tells its caller; without a listener the same error would end the process a second way.
process.stdout.on('error', () => {});
process.stderr.on('error', () => {});

const program = new Command('remora')
  .description('Workbench for Linux kernel traces: timelines, any event field as a plot, throttle episodes per cgroup.')
  .version(version)
  .showHelpAfterError('(remora COMMAND --help says more)')
  .exitOverride();
/** In the order of the help. */
const commands: Record<string, () => Promise<(program: Command, host: CommandHost) => void>> = {
  info: async () => (await import('./cli/info.ts')).addInfo,
  report: async () => (await import('./cli/report.ts')).addReport,
  series: async () => (await import('./cli/series.ts')).addSeries,
  episodes: async () => (await import('./cli/episodes.ts')).addEpisodes,
  sql: async () => (await import('./cli/sql.ts')).addSql,
  chart: async () => (await import('./cli/chart.ts')).addChart,
  convert: async () => (await import('./cli/convert.ts')).addConvert,
  check: async () => (await import('./cli/check.ts')).addCheck,
  record: async () => (await import('./cli/record.ts')).addRecord,
  serve: async () => (await import('./cli/serve.ts')).addServe,
  open: async () => (await import('./cli/open.ts')).addOpen,
};
void run().then((code) => {
  // Nothing is left to do; what a library might still hold open shall not keep the user waiting.
  process.exit(code);
});

/** Returns what the process ends with. */
async function run(): Promise<number> {
  // A command that is named is all that is loaded; help and what is mistyped need to know of every one.
  const named = process.argv[2] ?? '';
  const wanted = Object.hasOwn(commands, named) ? [named] : Object.keys(commands);
  for (const name of wanted) (await commands[name]?.())?.(program, host);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync();
    return host.exitCode;
  } catch (error) {
    return codeOf(error);
  }
}

function codeOf(error: unknown): number {
  // Commander has printed its own complaint, or the help or version that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (isClosedPipe(error)) return exitCode.done;
  const code = exitCodeOf(error);
  if (code !== exitCode.interrupted) process.stderr.write(`${errorLine(error)}\n`);
  return code;
}
