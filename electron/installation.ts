import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Where Remora itself lies. This file and the bundles of `dist` are both one folder below the root. */
export const installationFolder = fileURLToPath(new URL('..', import.meta.url));

const inFolder = (path: string): string => fileURLToPath(new URL(`../${path}`, import.meta.url));

export const enginePath = inFolder('dist/engine.js');
export const rendererFolder = inFolder('dist/renderer');
export const preloadPath = inFolder('dist/preload.cjs');
export const samplePath = inFolder('assets/samples/throttle.dat');

export const version: string = (JSON.parse(readFileSync(inFolder('package.json'), 'utf8')) as { version: string }).version;
