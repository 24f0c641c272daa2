import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Where Remora itself lies. This file and the bundles of `dist` are both one folder below the root. */
export const installationFolder = join(import.meta.dirname, '..');

export const enginePath = join(installationFolder, 'dist/engine.js');
/** The compiled inner loop of indexing: see kernel/. */
export const kernelPath = join(installationFolder, 'dist/slab-kernel.wasm');
/** That of `report`. */
export const reportKernelPath = join(installationFolder, 'dist/report-kernel.wasm');
export const capturePath = join(installationFolder, 'dist/capture.js');
export const rendererFolder = join(installationFolder, 'dist/renderer');
export const preloadPath = join(installationFolder, 'dist/preload.cjs');
export const samplePath = join(installationFolder, 'assets/samples/throttle.dat');

const manifest = JSON.parse(readFileSync(join(installationFolder, 'package.json'), 'utf8')) as { version: string };
export const version: string = manifest.version;
