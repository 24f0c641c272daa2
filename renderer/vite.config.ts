import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

export default defineConfig({
  root: import.meta.dirname,
  // The same files are served from remora://app/ and from http://127.0.0.1:PORT/.
  base: './',
  plugins: [react()],
  build: {
    outDir: '../dist/renderer',
    emptyOutDir: true,
    target: 'es2023',
    // Images and fonts stay files: the content policy is easier to keep strict.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 2000,
    reportCompressedSize: false,
    // Its small script for old browsers would be an inline one.
    modulePreload: { polyfill: false },
  },
});
