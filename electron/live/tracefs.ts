import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';

/**
 * Where the kernel's tracing files are: Documentation/trace/ftrace.rst, "The File System". tracefs has its own mount point
 * since 4.1; before that, and where only debugfs is mounted, it lies below that.
 */
const MOUNT_POINT = '/sys/kernel/tracing';

export interface Mount {
  type: string;
  path: string;
  readOnly: boolean;
}

/** Lines of /proc/mounts: `device path type options …`; spaces in a path are written `\040`. */
export function parseMounts(text: string): Mount[] {
  return text.split('\n').flatMap((line) => {
    const [, path, type, options] = line.split(' ');
    if (path === undefined || type === undefined) return [];
    const unescaped = path.replace(/\\([0-7]{3})/g, (_all, octal: string) => String.fromCharCode(parseInt(octal, 8)));
    return [{ type, path: unescaped, readOnly: (options ?? '').split(',').includes('ro') }];
  });
}

/** The folder with `events` and `instances` among the mounts: the usual place first, another tracefs, below a debugfs. */
export function tracefsAmong(mounts: readonly Mount[]): { root: string; readOnly: boolean } | null {
  const own = mounts.filter(({ type }) => type === 'tracefs');
  const chosen = own.find(({ path }) => path === MOUNT_POINT) ?? own[0];
  if (chosen !== undefined) return { root: chosen.path, readOnly: chosen.readOnly };
  const debug = mounts.find(({ type, path }) => type === 'debugfs' && existsSync(join(path, 'tracing/events')));
  return debug === undefined ? null : { root: join(debug.path, 'tracing'), readOnly: debug.readOnly };
}

const mounts = (): Mount[] => parseMounts(readFileSync('/proc/self/mounts', 'utf8'));

/** For tests and for looking only: the tracefs that is mounted and that this process may write to, or null. */
export function usableTracefs(): string | null {
  if (process.platform !== 'linux') return null;
  const found = tracefsAmong(mounts());
  if (found === null || found.readOnly) return null;
  try {
    accessSync(join(found.root, 'instances'), constants.W_OK | constants.X_OK);
    return found.root;
  } catch {
    return null;
  }
}

/**
 * The tracefs to work with, mounted if it is not yet and this process may. Throws RemoraError `file` that says what is
 * missing and which command would help.
 */
export function findTracefs(): string {
  if (process.platform !== 'linux') throw missing('live capture needs a Linux kernel; recordings open everywhere');
  let found = tracefsAmong(mounts());
  if (found === null) {
    mountTracefs();
    found = tracefsAmong(mounts());
  }
  if (found === null) throw missing(`tracefs is not mounted: run \`sudo mount -t tracefs nodev ${MOUNT_POINT}\``);
  const { root, readOnly } = found;
  if (readOnly) throw missing(`${root} is mounted read-only: run \`sudo mount -o remount,rw ${root}\``, root);
  try {
    accessSync(join(root, 'instances'), constants.W_OK | constants.X_OK);
    readdirSync(join(root, 'events'));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') {
      throw missing(`${root} has no instances: this kernel is older than 3.10 or was built without them`, root);
    }
    throw missing(`no permission to trace: ${root} belongs to root: run this command with sudo`, root);
  }
  return root;
}

function mountTracefs(): void {
  const known = readFileSync('/proc/filesystems', 'utf8');
  if (!/\t(tracefs|debugfs)$/m.test(known) || !existsSync(MOUNT_POINT)) {
    throw missing('this kernel was built without tracing (CONFIG_FTRACE): events can not be captured on it');
  }
  if (process.getuid?.() !== 0) {
    throw missing(`tracefs is not mounted: run \`sudo mount -t tracefs nodev ${MOUNT_POINT}\`, then this with sudo`);
  }
  const { status, stderr, error } = spawnSync('mount', ['-t', 'tracefs', 'nodev', MOUNT_POINT], { encoding: 'utf8' });
  if (status !== 0) {
    throw missing(`tracefs could not be mounted at ${MOUNT_POINT}: ${(error?.message ?? stderr).trim()}`);
  }
}

function missing(message: string, file?: string): RemoraError {
  return new RemoraError({ code: 'file', message, ...(file === undefined ? {} : { file }) });
}

/** Text of a tracing file; an error says which file and why. */
export function readControl(root: string, name: string): string {
  try {
    return readFileSync(join(root, name), 'utf8');
  } catch (error) {
    throw controlError(root, name, 'read', error);
  }
}

/** Writes a tracing file in one call, as the kernel parses every write by itself. */
export function writeControl(root: string, name: string, value: string): void {
  try {
    writeFileSync(join(root, name), value, { flag: 'r+' });
  } catch (error) {
    throw controlError(root, name, `set to "${value.trim().slice(0, 60)}"`, error);
  }
}

const reasons: Record<string, string> = {
  EINVAL: 'the kernel does not take this value',
  ENOENT: 'it does not exist on this kernel',
  EACCES: 'no permission: run this command with sudo',
  EPERM: 'no permission: run this command with sudo',
  EROFS: 'tracefs is mounted read-only: remount it with `sudo mount -o remount,rw …`',
  ENOMEM: 'the kernel has not enough memory for it',
  EBUSY: 'it is in use',
  ENODEV: 'the kernel can not do this here',
};

export function controlError(root: string, name: string, what: string, error: unknown): RemoraError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const path = join(root, name);
  const detail = {
    code: 'file' as const,
    message: `${path} could not be ${what}: ${reasons[code] ?? message}`,
    file: path,
  };
  return new RemoraError(detail, { cause: error });
}

/** The clocks that this kernel offers, and the one that is chosen. */
export function clocks(root: string): { all: string[]; chosen: string } {
  const words = readControl(root, 'trace_clock').trim().split(/\s+/);
  const chosen = words.find((word) => word.startsWith('[')) ?? '';
  return { all: words.map((word) => word.replace(/[[\]]/g, '')), chosen: chosen.slice(1, -1) };
}
