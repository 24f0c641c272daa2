import { resolve } from 'node:path';

/**
 * The files named on Electron's command line, as absolute paths. Everything that begins with `-` is a switch of
 * Chromium's, whose value, if any, is part of it. `appPath` is the folder that a development run (`electron . FILE`)
 * was started with, and what lies before it is Electron's own; null in an installed app, which has none.
 */
export function filesOfArguments(argv: readonly string[], appPath: string | null, cwd = process.cwd()): string[] {
  let first = 1;
  if (appPath !== null) {
    const app = argv.findIndex((argument, index) => index > 0 && resolve(cwd, argument) === appPath);
    first = app === -1 ? argv.length : app + 1;
  }
  return argv
    .slice(first)
    .filter((argument) => !argument.startsWith('-'))
    .map((argument) => resolve(cwd, argument));
}
