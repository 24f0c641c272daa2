import { spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { installationFolder } from '../installation.ts';
import { type ElectronRuntime, findElectron } from './electron-runtime.ts';
import { action, type CommandHost } from './host.ts';
import { type OpeningOptions, withOpening } from './input.ts';
import { openingEnv, serveUntilStopped } from './serve.ts';
import { printFindings } from './summary.ts';

/** An Electron that fails within this time has shown no window worth keeping. */
const STARTUP_MS = 20_000;
/** What a line of Chromium's log begins with: `[process:date/time:level:source(line)]`. */
const CHROMIUM_LOG = /^\[\d+:\d+\/\d+\.\d+:[^\]]*\]\s*/;

export function addOpen(program: Command, host: CommandHost): void {
  withOpening(program.command('open'))
    .description('the workbench: Electron where it can be had, else browser mode, saying why')
    .argument('[file...]', 'recordings or a workspace to open')
    .option('--summary', 'first print what the files hold')
    .action(
      action(host, async (files: string[], { summary, ...opening }: OpeningOptions & { summary?: boolean }) => {
        const env = openingEnv(files, opening);
        let code = 0;
        if (summary && files.length > 0) code = await printFindings(files, opening, host);
        await openWorkbench(files, opening, env, host);
        return code;
      }),
    );
}

async function openWorkbench(
  files: readonly string[],
  opening: OpeningOptions,
  env: NodeJS.ProcessEnv,
  host: CommandHost,
): Promise<void> {
  const say = (line: string): void => void host.stderr.write(`${line}\n`);
  const runtime: ElectronRuntime = await findElectron(say, host.signal);
  if (host.signal.aborted) return;
  if ('executable' in runtime) say('Opening the workbench; this command ends when its window is closed.');
  const failure = 'missing' in runtime ? runtime.missing : await runElectron(runtime.executable, files, env, host);
  if (failure === null || host.signal.aborted) return;
  say(`Opening in the browser instead of Electron: ${failure}.`);
  await serveUntilStopped(files, { ...opening, port: 0 }, host);
}

/** Runs the desktop shell until its last window is closed. Returns why it could not start, or null. */
async function runElectron(
  executable: string,
  files: readonly string[],
  opening: NodeJS.ProcessEnv,
  host: CommandHost,
): Promise<string | null> {
  const { ELECTRON_RUN_AS_NODE: _unwanted, ...env } = { ...process.env, ...opening };
  // Chromium refuses to run sandboxed as root; the switch must be there before its first process starts.
  const switches = process.getuid?.() === 0 ? ['--no-sandbox'] : [];
  const args = [...switches, installationFolder, ...files.map((file) => resolve(file))];
  const startedMs = Date.now();
  const child = spawn(executable, args, { env, stdio: ['ignore', 'ignore', 'pipe'] });
  let lastLine = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    for (const line of text.split('\n')) {
      if (line.trim() === '') continue;
      // Chromium's own log is of no use to the user; what the shell and the engine say is.
      lastLine = line.trim().replace(CHROMIUM_LOG, '');
      if (!CHROMIUM_LOG.test(line)) host.stderr.write(`${line}\n`);
    }
  });
  const stop = (): void => void child.kill('SIGTERM');
  host.signal.addEventListener('abort', stop, { once: true });
  const [code, problem] = await new Promise<[number | null, string]>((done) => {
    child.once('error', (error) => done([null, error.message]));
    child.once('close', (exit, signal) => done([exit, signal === null ? `exit code ${exit}` : `signal ${signal}`]));
  });
  host.signal.removeEventListener('abort', stop);
  if (code === 0 || Date.now() - startedMs > STARTUP_MS) return null;
  return `Electron could not start (${lastLine === '' ? problem : lastLine.slice(0, 300)})`;
}
