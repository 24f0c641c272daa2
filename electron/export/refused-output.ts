import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { RemoraError } from '../../shared/errors.ts';

/** What the operating system's refusals mean for somebody who wanted to have a file written. */
const reasons: Record<string, (path: string) => string> = {
  // Where the folder is there, it is of a kind in which nothing can be made, as /proc.
  ENOENT: (path) => (existsSync(dirname(path)) ? 'nothing can be made there' : `there is no folder ${dirname(path)}`),
  EACCES: () => 'permission denied',
  EROFS: () => 'the file system is read-only',
  ENOSPC: () => 'the disk is full',
  EISDIR: () => 'it is a folder',
};

/** An output that cannot be written: its name and the reason, not that of the unfinished file beside it. */
export function refusedOutput(path: string, error: unknown): RemoraError {
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? '']?.(path) ?? (error as Error).message;
  return new RemoraError(
    { code: 'file', file: path, message: `${path} cannot be written: ${reason}.` },
    { cause: error },
  );
}
