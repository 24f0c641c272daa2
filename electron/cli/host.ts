import { InvalidArgumentError } from 'commander';

/** What a command runs in: the process's streams, and the user's Ctrl+C as a signal. */
export interface CommandHost {
  stdout: typeof process.stdout;
  stderr: NodeJS.WriteStream;
  signal: AbortSignal;
  /** What the process will end with. */
  exitCode: number;
}

/** A commander action whose result is the exit code. */
export function action<Args extends unknown[]>(
  host: CommandHost,
  run: (...args: Args) => Promise<number>,
): (...args: Args) => Promise<void> {
  return async (...args) => {
    host.exitCode = await run(...args);
  };
}

/** Parses an option's value as a whole number from `least` to `most`. */
export function wholeNumber(least: number, most: number): (text: string) => number {
  return (text) => {
    const value = Number(text);
    if (!/^\d+$/.test(text) || value < least || value > most) {
      throw new InvalidArgumentError(`It is not a whole number from ${least} to ${most}.`);
    }
    return value;
  };
}

/** Parses an option's value as a number that is not negative. */
export function positiveNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === '' || !Number.isFinite(value) || value < 0)
    throw new InvalidArgumentError('It is not a positive number.');
  return value;
}

/** Collects the values of an option that may be repeated. */
export const repeated = (value: string, before: string[] | undefined): string[] => [...(before ?? []), value];
