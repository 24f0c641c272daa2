import { open, realpath } from 'node:fs/promises';
import { extname, join, sep } from 'node:path';

/** Types of the files that a build of the window consists of. Everything else is served as bytes. */
const mimeTypes: Record<string, string> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.ttf': 'font/ttf',
  '.map': 'application/json; charset=utf-8',
};

export interface StaticFile {
  bytes: Buffer<ArrayBuffer>;
  mime: string;
}

/**
 * The file of `root` that a URL's path names (`/` is index.html), or null where there is none, or where the path leads
 * out of `root`, be it by its own text or through a symbolic link.
 */
export async function readStaticFile(root: string, urlPath: string): Promise<StaticFile | null> {
  let path: string;
  try {
    path = decodeURIComponent(urlPath);
  } catch {
    return null;
  }
  if (path === '/') path = '/index.html';
  const parts = path.split('/').slice(1);
  if (!path.startsWith('/') || parts.some((part) => part === '' || part.startsWith('.') || /[\\:\0]/.test(part)))
    return null;
  try {
    const file = await realpath(join(root, ...parts));
    if (!file.startsWith((await realpath(root)) + sep)) return null;
    const handle = await open(file, 'r');
    try {
      if (!(await handle.stat()).isFile()) return null;
      return {
        bytes: await handle.readFile(),
        mime: mimeTypes[extname(file).toLowerCase()] ?? 'application/octet-stream',
      };
    } finally {
      await handle.close();
    }
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'EISDIR', 'ENAMETOOLONG', 'ELOOP'].includes((error as NodeJS.ErrnoException).code ?? ''))
      return null;
    throw error;
  }
}

/**
 * Headers for every answer to the window: nothing but what the host itself serves may be loaded, run or talked to.
 * Inline style elements are allowed because the dialogs' scroll lock adds one; there is no remote content that a style
 * could reach. `connect` names what else the page may open connections to.
 */
export function contentSecurityHeaders(connect = ''): Record<string, string> {
  const policy = [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data: blob:",
    "font-src 'self'",
    `connect-src 'self'${connect && ` ${connect}`}`,
    "worker-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ];
  return {
    'Content-Security-Policy': policy.join('; '),
    'X-Content-Type-Options': 'nosniff',
    'Referrer-Policy': 'no-referrer',
    'Cross-Origin-Opener-Policy': 'same-origin',
    'Cross-Origin-Resource-Policy': 'same-origin',
  };
}
