import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join, resolve } from 'node:path';
import {
  _electron,
  type Browser,
  test as base,
  chromium,
  type ElectronApplication,
  expect,
  type Page,
} from '@playwright/test';
import { BROWSER_ARGS } from '../runner/browser.ts';
import { EngineProcess } from './engine-process.ts';

export const projectRoot = resolve(import.meta.dirname, '../..');
export const samplePath = join(projectRoot, 'assets/samples/throttle.dat');

export interface HostOptions {
  hostKind: 'browser' | 'electron';
}

export interface SavedFile {
  name: string;
  bytes: Buffer;
}

/** Remora's window in one of its hosts, with a cache folder of its own. Specs use nothing else of either host. */
export interface App {
  readonly kind: HostOptions['hostKind'];
  /** The window. */
  readonly page: Page;
  /** An empty folder that lives as long as the test. */
  readonly folder: string;
  /** What the window wrote to its console as an error, and errors that nobody caught. */
  readonly complaints: string[];
  /** Starts the program with files, as a user would on a command line. */
  start(files?: string[], options?: StartOptions): Promise<Page>;
  /** Ends the program as closing it does. */
  quit(): Promise<void>;
  /** Ends its first process, the one that has the window or serves it, as nothing should. */
  kill(): Promise<void>;
  /** Chooses files (several: of one folder, to be merged) through whatever the host shows for `Open a recording…`. */
  openFiles(...paths: string[]): Promise<void>;
  /** Does something that saves a file, and returns that file. */
  saved(action: () => Promise<void>): Promise<SavedFile>;
  /** The window's engine, once it is started. */
  readonly engine: EngineProcess;
  /** The desktop's own menu; null where there is none. */
  readonly menu: NativeMenu | null;
}

/** Entries by the id of the command that they run. */
export interface NativeMenu {
  enabled(id: string): Promise<boolean>;
  choose(id: string): Promise<void>;
}

export interface StartOptions {
  colorScheme?: 'light' | 'dark';
  size?: { width: number; height: number };
}

const WINDOW_SIZE = { width: 1500, height: 950 };

abstract class BaseApp {
  readonly folder = mkdtempSync(join(tmpdir(), 'remora-e2e-'));
  readonly complaints: string[] = [];
  readonly engine = new EngineProcess(() => this.pid);
  #page: Page | null = null;

  get page(): Page {
    if (this.#page === null) throw new Error('start the app first');
    return this.#page;
  }

  protected adopt(page: Page): Page {
    this.#page = page;
    page.on('console', (message) => {
      if (message.type() === 'error') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(error.stack ?? error.message));
    return page;
  }

  /** All that the program keeps goes below the test's folder. */
  protected get env(): Record<string, string> {
    const own = { REMORA_CACHE: join(this.folder, 'cache'), XDG_CONFIG_HOME: join(this.folder, 'config') };
    return { ...(process.env as Record<string, string>), ...own };
  }

  /** Of the program's first process. */
  protected abstract get pid(): number | undefined;

  /** For a failed test's report; null where there is no window to look at. */
  async screenshot(): Promise<Buffer | null> {
    return (await this.#page?.screenshot().catch(() => null)) ?? null;
  }

  abstract quit(): Promise<void>;

  async remove(): Promise<void> {
    this.engine.release();
    await this.quit();
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** `remora serve` and a browser tab. */
class BrowserApp extends BaseApp implements App {
  readonly kind = 'browser';
  readonly menu = null;
  readonly #browser: Browser;
  #server: ChildProcess | null = null;

  constructor(browser: Browser) {
    super();
    this.#browser = browser;
  }

  async start(files: string[] = [], { colorScheme = 'light', size = WINDOW_SIZE }: StartOptions = {}): Promise<Page> {
    const url = await this.#serve(files);
    const context = await this.#browser.newContext({ viewport: size, colorScheme, acceptDownloads: true });
    const page = this.adopt(await context.newPage());
    await page.goto(url);
    await settled(page);
    return page;
  }

  protected get pid(): number | undefined {
    return this.#server?.pid;
  }

  #serve(files: string[]): Promise<string> {
    const server = spawn(process.execPath, [join(projectRoot, 'dist/cli.js'), 'serve', '--port', '0', ...files], {
      env: this.env,
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    this.#server = server;
    return new Promise((done, fail) => {
      let said = '';
      const hear = (chunk: Buffer): void => {
        said += String(chunk);
        const url = /http:\/\/127\.0\.0\.1:\d+\/\S*token=\S+/.exec(said)?.[0];
        if (url) done(url);
      };
      server.stdout.on('data', hear);
      server.stderr.on('data', hear);
      server.once('exit', (code) => fail(new Error(`remora serve ended with ${code}: ${said}`)));
    });
  }

  async quit(): Promise<void> {
    for (const context of this.#browser.contexts()) await context.close();
    const server = this.#server;
    this.#server = null;
    if (server === null || server.exitCode !== null) return;
    const ended = new Promise((done) => server.once('exit', done));
    server.kill('SIGINT');
    await ended;
  }

  async kill(): Promise<void> {
    const server = this.#server;
    this.#server = null;
    if (server === null) return;
    const ended = new Promise((done) => server.once('exit', done));
    server.kill('SIGKILL');
    await ended;
  }

  async openFiles(...paths: string[]): Promise<void> {
    await this.page.keyboard.press('ControlOrMeta+o');
    const dialog = this.page.getByRole('dialog', { name: 'Open a recording' });
    // The dialog starts with a listing, whose path then stands in the field.
    await expect(dialog.getByRole('option').first()).toBeVisible();
    const [first, ...others] = paths;
    if (first === undefined) return;
    await dialog.getByLabel('Path').fill(others.length === 0 ? first : dirname(first));
    await dialog.getByRole('button', { name: 'Open', exact: true }).click();
    if (others.length === 0) return;
    for (const [index, path] of paths.entries()) {
      const option = dialog.getByRole('option').filter({ hasText: basename(path) });
      await option.click({ modifiers: index === 0 ? [] : ['ControlOrMeta'] });
    }
    await dialog.getByRole('button', { name: `Open ${paths.length} files` }).click();
  }

  async saved(action: () => Promise<void>): Promise<SavedFile> {
    const [download] = await Promise.all([this.page.waitForEvent('download'), action()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  }
}

/** A real Electron window; the system's file dialogs, which no test can click, answer what the test says. */
class ElectronApp extends BaseApp implements App {
  readonly kind = 'electron';
  readonly menu: NativeMenu = {
    enabled: async (id) =>
      (await this.#app?.evaluate(
        ({ Menu }, wanted) => Menu.getApplicationMenu()?.getMenuItemById(wanted)?.enabled,
        id,
      )) ?? false,
    choose: async (id) => {
      await this.#app?.evaluate(({ Menu, BrowserWindow }, wanted) => {
        Menu.getApplicationMenu()?.getMenuItemById(wanted)?.click(undefined, BrowserWindow.getAllWindows()[0]);
      }, id);
    },
  };
  #app: ElectronApplication | null = null;

  async start(files: string[] = [], { colorScheme = 'light', size = WINDOW_SIZE }: StartOptions = {}): Promise<Page> {
    // Playwright asks the electron package for the executable, which knows ELECTRON_OVERRIDE_DIST_PATH. To name it here
    // would leave out the script that Playwright loads first, and then one start in some thirty hangs.
    const app = await _electron.launch({
      args: [...BROWSER_ARGS, `--user-data-dir=${join(this.folder, 'user-data')}`, projectRoot, ...files],
      env: this.env,
      colorScheme,
    });
    this.#app = app;
    const page = this.adopt(await app.firstWindow());
    const shell = await app.browserWindow(page);
    await shell.evaluate((shown, { width, height }) => shown.setContentSize(width, height), size);
    await page.waitForFunction(({ width }) => window.innerWidth === width, size);
    await settled(page);
    return page;
  }

  protected get pid(): number | undefined {
    return this.#app?.process().pid;
  }

  async quit(): Promise<void> {
    const app = this.#app;
    this.#app = null;
    await app?.close();
  }

  async kill(): Promise<void> {
    const app = this.#app;
    this.#app = null;
    if (app === null) return;
    const ended = new Promise((done) => app.process().once('exit', done));
    app.process().kill('SIGKILL');
    await ended;
  }

  async openFiles(...paths: string[]): Promise<void> {
    await this.#app?.evaluate(({ dialog }, filePaths) => {
      dialog.showOpenDialog = async () => ({ canceled: false, filePaths });
    }, paths);
    await this.page.keyboard.press('ControlOrMeta+o');
  }

  async saved(action: () => Promise<void>): Promise<SavedFile> {
    const folder = mkdtempSync(join(this.folder, 'saved-'));
    await this.#app?.evaluate(async ({ dialog }, target) => {
      dialog.showSaveDialog = async (...given: unknown[]) => {
        const { defaultPath } = given.at(-1) as { defaultPath: string };
        return { canceled: false, filePath: `${target}/${defaultPath.split(/[\\/]/).at(-1)}` };
      };
    }, folder);
    await action();
    // A name with a dot in front is still being written.
    const written = (): string | undefined => readdirSync(folder).find((name) => !name.startsWith('.'));
    await expect.poll(written).toBeDefined();
    const name = written() as string;
    return { name, bytes: readFileSync(join(folder, name)) };
  }
}

/** Waits until the window has nothing left to fetch or draw. */
export async function settled(page: Page): Promise<void> {
  await page.locator('html[data-idle="true"]').waitFor({ state: 'attached' });
  // What was asked for by the last action may only start with the next frame.
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
  await page.locator('html[data-idle="true"]').waitFor({ state: 'attached' });
}

export const test = base.extend<{ app: App }, HostOptions & { testBrowser: Browser | null }>({
  hostKind: ['browser', { option: true, scope: 'worker' }],
  testBrowser: [
    async ({ hostKind }, use) => {
      if (hostKind === 'electron') return use(null);
      const executablePath = process.env.REMORA_TEST_BROWSER || undefined;
      const browser = await chromium.launch({ executablePath, args: BROWSER_ARGS });
      await use(browser);
      await browser.close();
    },
    { scope: 'worker' },
  ],
  app: async ({ testBrowser }, use, info) => {
    const app = testBrowser === null ? new ElectronApp() : new BrowserApp(testBrowser);
    await use(app);
    if (info.status !== info.expectedStatus) {
      const screenshot = await app.screenshot();
      if (screenshot) await info.attach('window', { body: screenshot, contentType: 'image/png' });
      await info.attach('complaints', { body: app.complaints.join('\n'), contentType: 'text/plain' });
    }
    await app.remove();
  },
});

export { expect };
