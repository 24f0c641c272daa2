import { Command, CommanderError } from 'commander';
import { version } from '../installation.ts';
import { errorLine, exitCode, exitCodeOf } from './exit-code.ts';
import type { CommandHost } from './host.ts';
import { isClosedPipe } from './output.ts';

/** `remora COMMAND`: the command line. Everything it prints is what the window shows, from the same engine. */

/** Adds a command to the program. */
export type AddCommand = (program: Command, host: CommandHost) => void;

/** What a library might still hold open shall not keep the user waiting for longer. */
const HELD_OPEN_MS = 300;

/** Runs what the process was started for, and ends it when nothing is left to do: for the reason see endProcess. */
export function runCommandLine(commands: readonly AddCommand[]): void {
  void run(commands).then((code) => {
    process.exitCode = code;
    setTimeout(() => process.exit(code), HELD_OPEN_MS).unref();
  });
}

/** Returns what the process ends with. */
async function run(commands: readonly AddCommand[]): Promise<number> {
  const host = commandHost();
  const program = new Command('remora')
    .description(
      'Workbench for Linux kernel traces: timelines, any event field as a plot, throttle episodes per cgroup.',
    )
    .version(version)
    .showHelpAfterError('(remora COMMAND --help says more)')
    .exitOverride();
  for (const add of commands) add(program, host);
  for (const command of program.commands) command.copyInheritedSettings(program);
  try {
    await program.parseAsync();
    return host.exitCode;
  } catch (error) {
    return codeOf(error);
  }
}

function commandHost(): CommandHost {
  const interrupt = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    process.on(signal, () => {
      if (interrupt.signal.aborted) {
        // The second time somebody means it: the signal does what it does where nobody hears it.
        process.removeAllListeners(signal);
        process.kill(process.pid, signal);
      }
      interrupt.abort();
    });
  }
  // A write tells its caller; without a listener the same error would end the process a second way.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  return { stdout: process.stdout, stderr: process.stderr, signal: interrupt.signal, exitCode: exitCode.done };
}

function codeOf(error: unknown): number {
  // Commander has printed its own complaint, or the help or version that was asked for.
  if (error instanceof CommanderError) return error.exitCode === 0 ? exitCode.done : exitCode.usage;
  if (isClosedPipe(error)) return exitCode.done;
  const code = exitCodeOf(error);
  if (code !== exitCode.interrupted) process.stderr.write(`${errorLine(error)}\n`);
  return code;
}
