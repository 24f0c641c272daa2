import { protocol, session } from 'electron';
import { rendererFolder } from '../installation.ts';
import { contentSecurityHeaders, readStaticFile } from '../static-files.ts';

/** The window's page lives under a scheme of its own: no file access, a real origin, and headers as from a server. */
export const PAGE_ORIGIN = 'remora://app';
export const PAGE_URL = `${PAGE_ORIGIN}/`;

/** Before the app is ready. */
export function registerPageScheme(): void {
  const privileges = { standard: true, secure: true, supportFetchAPI: true };
  protocol.registerSchemesAsPrivileged([{ scheme: 'remora', privileges }]);
}

/** Once the app is ready: serves the window's files, and refuses every permission but copying text. */
export function servePage(): void {
  protocol.handle('remora', async (request) => {
    const url = new URL(request.url);
    const file =
      url.host === 'app' && request.method === 'GET' ? await readStaticFile(rendererFolder, url.pathname) : null;
    if (file === null) return new Response('There is nothing here.\n', { status: 404 });
    return new Response(file.bytes, { headers: { ...contentSecurityHeaders(), 'Content-Type': file.mime } });
  });
  const allowed = (permission: string): boolean => permission === 'clipboard-sanitized-write';
  session.defaultSession.setPermissionRequestHandler((_contents, permission, answer) => answer(allowed(permission)));
  session.defaultSession.setPermissionCheckHandler((_contents, permission) => allowed(permission));
}
