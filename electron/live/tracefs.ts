import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';
import { mayWriteTo } from './local-machine.ts';
import type { Machine } from './machine.ts';

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
export function tracefsAmong(mounts: readonly Mount[]): { root: string; readOnly: boolean; below?: string } | null {
  const own = mounts.filter(({ type }) => type === 'tracefs');
  const chosen = own.find(({ path }) => path === MOUNT_POINT) ?? own[0];
  if (chosen !== undefined) return { root: chosen.path, readOnly: chosen.readOnly };
  const debug = mounts.find(({ type }) => type === 'debugfs');
  return debug === undefined
    ? null
    : { root: join(debug.path, 'tracing'), readOnly: debug.readOnly, below: join(debug.path, 'tracing/events') };
}

const MOUNTS = '/proc/self/mounts';

/** Whether this process may trace the machine that it runs on without further rights. Only looks. */
export function mayTrace(): boolean {
  return process.getuid?.() === 0 || usableTracefs() !== null;
}

/** For tests and for looking only: the tracefs of this machine that is mounted and that this process may write to, or null. */
export function usableTracefs(): string | null {
  if (process.platform !== 'linux') return null;
  const found = tracefsAmong(parseMounts(readFileSync(MOUNTS, 'utf8')));
  if (found === null || found.readOnly || (found.below !== undefined && !existsSync(found.below))) return null;
  return mayWriteTo(join(found.root, 'instances')) ? found.root : null;
}

/**
 * The tracefs to work with, mounted if it is not yet and that is allowed. Throws RemoraError `file` that says what is missing
 * and which command would help.
 */
export async function findTracefs(machine: Machine): Promise<string> {
  if (machine.host === null && process.platform !== 'linux')
    throw missing(machine, 'live capture needs a Linux kernel; recordings open everywhere');
  let found = await mountedTracefs(machine);
  if (found === null) {
    await mountTracefs(machine);
    found = await mountedTracefs(machine);
  }
  if (found === null)
    throw missing(machine, `tracefs is not mounted: run \`sudo mount -t tracefs nodev ${MOUNT_POINT}\``);
  const { root, readOnly } = found;
  if (readOnly) throw missing(machine, `${root} is mounted read-only: run \`sudo mount -o remount,rw ${root}\``, root);
  const instances = join(root, 'instances');
  if (await machine.mayWriteTo(instances)) {
    await readFolder(machine, join(root, 'events'));
    return root;
  }
  // Whoever may not look into the folder does not see what is in it either.
  if ((await machine.exists(join(root, 'events'))) && !(await machine.exists(instances)))
    throw missing(machine, `${root} has no instances: this kernel is older than 3.10 or was built without them`, root);
  throw missing(machine, `no permission to trace: ${root} belongs to root: ${rootHint(machine)}`, root);
}

const rootHint = ({ host }: Machine): string =>
  host === null ? 'run this command with sudo' : 'connect as root, or as one who may use sudo without a password';

async function mountedTracefs(machine: Machine): Promise<ReturnType<typeof tracefsAmong>> {
  const found = tracefsAmong(parseMounts((await machine.read(MOUNTS)).toString('utf8')));
  return found?.below !== undefined && !(await machine.exists(found.below)) ? null : found;
}

async function readFolder(machine: Machine, path: string): Promise<void> {
  try {
    await machine.list(path);
  } catch (error) {
    throw controlError(machine, path, 'read', error);
  }
}

async function mountTracefs(machine: Machine): Promise<void> {
  const known = (await machine.read('/proc/filesystems')).toString('utf8');
  if (!/\t(tracefs|debugfs)$/m.test(known) || !(await machine.exists(MOUNT_POINT))) {
    throw missing(machine, 'this kernel was built without tracing (CONFIG_FTRACE): events can not be captured on it');
  }
  if (!(await machine.isRoot())) {
    throw missing(
      machine,
      `tracefs is not mounted: run \`sudo mount -t tracefs nodev ${MOUNT_POINT}\`, then ${rootHint(machine)}`,
    );
  }
  const problem = await machine.mountTracefs(MOUNT_POINT);
  if (problem !== null) throw missing(machine, `tracefs could not be mounted at ${MOUNT_POINT}: ${problem}`);
}

/** Of a remote machine, the message begins with its name. */
function missing({ host }: Machine, message: string, file?: string): RemoraError {
  const where = host === null ? '' : `${host}: `;
  return new RemoraError({ code: 'file', message: `${where}${message}`, ...(file === undefined ? {} : { file }) });
}

/** Text of a tracing file; an error says which file and why. */
export async function readControl(machine: Machine, path: string): Promise<string> {
  try {
    return (await machine.read(path)).toString('utf8');
  } catch (error) {
    throw controlError(machine, path, 'read', error);
  }
}

export async function writeControl(machine: Machine, path: string, value: string): Promise<void> {
  try {
    await machine.write(path, value);
  } catch (error) {
    throw controlError(machine, path, `set to "${value.trim().slice(0, 60)}"`, error);
  }
}

const reasons: Record<string, string> = {
  EINVAL: 'the kernel does not take this value',
  ENOENT: 'it does not exist on this kernel',
  EROFS: 'tracefs is mounted read-only: remount it with `sudo mount -o remount,rw …`',
  ENOMEM: 'the kernel has not enough memory for it',
  EBUSY: 'it is in use',
  ENODEV: 'the kernel can not do this here',
};

/** What an operation on a tracing file says; an error that says it already stays as it is. */
export function controlError(machine: Machine, path: string, what: string, error: unknown): RemoraError {
  if (error instanceof RemoraError) return error;
  const { code = '', message } = error as NodeJS.ErrnoException;
  const refused = code === 'EACCES' || code === 'EPERM';
  const reason = refused ? `no permission: ${rootHint(machine)}` : (reasons[code] ?? message);
  const where = machine.host === null ? '' : `${machine.host}: `;
  const detail = { code: 'file' as const, message: `${where}${path} could not be ${what}: ${reason}`, file: path };
  return new RemoraError(detail, { cause: error });
}

/** The clocks that this kernel offers, and the one that is chosen. */
export async function clocks(machine: Machine, root: string): Promise<{ all: string[]; chosen: string }> {
  const words = (await readControl(machine, join(root, 'trace_clock'))).trim().split(/\s+/);
  const chosen = words.find((word) => word.startsWith('[')) ?? '';
  return { all: words.map((word) => word.replace(/[[\]]/g, '')), chosen: chosen.slice(1, -1) };
}
