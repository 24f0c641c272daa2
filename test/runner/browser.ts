import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { chromium } from '@playwright/test';

/** What every browser of the tests is started with: it must work as root, without a GPU and without a network. */
export const BROWSER_ARGS = ['--no-sandbox', '--disable-gpu', '--disable-background-networking'];

const INSTALLED = [
  '/usr/bin/google-chrome-stable',
  '/usr/bin/google-chrome',
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/chromium-headless-shell',
  '/snap/bin/chromium',
  '/Applications/Google Chrome.app/Contents/MacOS/Google Chrome',
  '/Applications/Chromium.app/Contents/MacOS/Chromium',
  'C:\\Program Files\\Google\\Chrome\\Application\\chrome.exe',
  'C:\\Program Files (x86)\\Microsoft\\Edge\\Application\\msedge.exe',
];

const DOWNLOAD_LIMIT_MS = 180_000;
const APT_LIMIT_MS = 600_000;

/** Whether the browser at `path` (empty: Playwright's own) really starts and shows a page. */
async function starts(path: string): Promise<boolean> {
  if (path !== '' && !existsSync(path)) return false;
  try {
    const browser = await chromium.launch({ executablePath: path || undefined, args: BROWSER_ARGS, timeout: 30_000 });
    try {
      const page = await browser.newPage();
      return (await page.evaluate(() => 6 * 7)) === 42;
    } finally {
      await browser.close();
    }
  } catch {
    return false;
  }
}

async function firstInstalled(): Promise<string | null> {
  for (const path of INSTALLED) if (await starts(path)) return path;
  return null;
}

/** A browser that is here already: its path, empty for Playwright's own; null where there is none. */
export async function installedBrowser(): Promise<string | null> {
  return (await starts('')) ? '' : firstInstalled();
}

/** Playwright's own headless Chromium, which lands in the user's cache folder. */
function download(playwrightCli: string): boolean {
  const run = spawnSync(process.execPath, [playwrightCli, 'install', '--only-shell', 'chromium'], {
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
    timeout: DOWNLOAD_LIMIT_MS,
    env: { ...process.env, PLAYWRIGHT_DOWNLOAD_CONNECTION_TIMEOUT: '8000' },
  });
  return run.status === 0;
}

/** Why apt cannot be used here, or null where it can. */
function whyNotApt(): string | null {
  if (process.platform !== 'linux' || !existsSync('/etc/os-release')) return 'not Debian or Ubuntu';
  if (!/^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(readFileSync('/etc/os-release', 'utf8')))
    return 'not Debian or Ubuntu';
  if (process.getuid?.() !== 0) return 'not root';
  return null;
}

function aptInstall(): boolean {
  const aptGet = (...args: string[]): boolean => {
    const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
    return spawnSync('apt-get', args, { stdio: 'ignore', timeout: APT_LIMIT_MS, env }).status === 0;
  };
  return aptGet('update', '-qq') && aptGet('install', '-y', '-qq', '--no-install-recommends', 'chromium');
}

/** What the tests of a host can be run with, or why not. */
export type Found =
  | {
      /** The executable; empty for Playwright's own browser. */
      path: string;
      /** A command to put before the runner's own: a virtual display. */
      prefix: string[];
    }
  | { path: null; reason: string };

const withPath = (path: string): Found => ({ path, prefix: [] });

/**
 * The browser for the tests. In this order: Playwright's own, downloaded where that is possible; an installed Chrome
 * or Chromium; Debian's, by apt as root. `playwrightCli` is the path of Playwright's command line.
 */
export async function findBrowser(playwrightCli: string, say: (text: string) => void): Promise<Found> {
  if (await starts('')) return withPath('');
  say("browser: trying to download Playwright's own Chromium");
  const downloaded = download(playwrightCli);
  if (downloaded && (await starts(''))) return withPath('');
  const installed = await firstInstalled();
  if (installed !== null) return withPath(installed);
  const noApt = whyNotApt();
  if (noApt === null) {
    say('browser: installing Chromium with apt-get');
    if (aptInstall()) {
      if (downloaded && (await starts(''))) return withPath('');
      const fromApt = await firstInstalled();
      if (fromApt !== null) return withPath(fromApt);
    }
  }
  const own = downloaded ? "Playwright's own does not start" : "Playwright's own cannot be downloaded";
  const apt = noApt === null ? 'apt-get install chromium failed' : `apt cannot be used (${noApt})`;
  return { path: null, reason: `no browser: ${own}, no Chrome or Chromium that starts is installed, ${apt}` };
}
