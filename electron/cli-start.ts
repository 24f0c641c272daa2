import * as module from 'node:module';
import { join } from 'node:path';
import { defaultCacheFolder } from './engine/identity.ts';

/**
 * What `remora` runs: turns on the cache of compiled code, which saves a third of the start, and hands over. The rest is a
 * bundle of its own because code is cached from then on only. Node 20 has no such cache and does without.
 */
const { enableCompileCache } = module as { enableCompileCache?: (folder: string) => unknown };
enableCompileCache?.(join(defaultCacheFolder(), 'code'));
// A bundle beside this one: the name is put together so that no checker looks for it among the sources.
await import(new URL('./cli-main.js', import.meta.url).href);
