import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { RemoraError } from '../../shared/errors.ts';
import { firstOpeningEnv } from '../engine/first-opening.ts';
import { EngineHost } from '../engine/host.ts';
import { enginePath, rendererFolder, version } from '../installation.ts';
import { exitCode } from './exit-code.ts';
import { action, type CommandHost, wholeNumber } from './host.ts';
import { type OpeningOptions, openRequest, withOpening } from './input.ts';
import { writeOut } from './output.ts';

interface ServeCommandOptions extends OpeningOptions {
  port: number;
  open?: boolean;
}

export function addServe(program: Command, host: CommandHost): void {
  withOpening(program.command('serve'))
    .description('browser mode on this machine: prints one URL with a token')
    .argument('[file...]', 'recordings or a workspace to open at first')
    .addOption(
      new Option('--port <n>', 'port to listen on').argParser(wholeNumber(0, 65_535)).default(0, 'any free one'),
    )
    .option('--open', 'open the URL in the default browser')
    .action(action(host, (files: string[], options: ServeCommandOptions) => serveUntilStopped(files, options, host)));
}

/** Serves until Ctrl+C, which is how it is meant to end, then leaves nothing running. */
export async function serveUntilStopped(
  files: readonly string[],
  { port, open, ...opening }: ServeCommandOptions,
  host: CommandHost,
): Promise<number> {
  const env = openingEnv(files, opening);
  for (const built of [join(rendererFolder, 'index.html'), enginePath]) {
    if (existsSync(built)) continue;
    throw new RemoraError({ code: 'file', file: built, message: `${built} is missing: run \`npm run build\`.` });
  }
  // Loaded here: other commands need no web server.
  const { serve } = await import('../serve.ts');
  const engine = new EngineHost({ entry: enginePath, env: { ...process.env, ...env } });
  const stopped = new Promise<void>((done) => {
    if (host.signal.aborted) done();
    host.signal.addEventListener('abort', () => done(), { once: true });
  });
  try {
    const server = await serve({
      rendererFolder,
      join: (reply) => engine.join(reply),
      version,
      files: files.map((file) => resolve(file)),
      port,
    });
    try {
      await writeOut(host.stdout, `${server.url}\n`);
      host.stderr.write(
        `Serving this machine only; Ctrl+C ends it. From elsewhere: ssh -L ${server.port}:127.0.0.1:${server.port} …\n`,
      );
      if (open) openInBrowser(server.url, host);
      await stopped;
    } finally {
      await server.close();
    }
  } finally {
    await engine.close();
  }
  return exitCode.done;
}

/** Tells the engine's process how the files are to be opened. Options without a file to open are wrong usage. */
export function openingEnv(files: readonly string[], options: OpeningOptions): NodeJS.ProcessEnv {
  const env = firstOpeningEnv(openRequest(files, options));
  if (files.length === 0 && Object.keys(env).length > 0)
    throw new RemoraError({
      code: 'bad-request',
      message: '--workspace, --no-cache, --cgroups and --page-bytes say how FILE is opened: name one.',
    });
  return env;
}

function openInBrowser(url: string, host: CommandHost): void {
  const [command, ...args] =
    process.platform === 'darwin'
      ? ['open', url]
      : process.platform === 'win32'
        ? ['rundll32', 'url.dll,FileProtocolHandler', url]
        : ['xdg-open', url];
  const child = spawn(command as string, args, { stdio: 'ignore', detached: true });
  child.on('error', () =>
    host.stderr.write(`remora: no browser could be started (${command}): open the URL yourself.\n`),
  );
  child.unref();
}
