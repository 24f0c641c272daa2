import { execFileSync } from 'node:child_process';
import { join } from 'node:path';

/** Before vitest: the compiled kernel, which the sources load too. Takes no time where it is as it was built. */
export function setup(): void {
  execFileSync(process.execPath, [join(import.meta.dirname, '../../build.mjs'), 'kernel'], { stdio: 'inherit' });
}
