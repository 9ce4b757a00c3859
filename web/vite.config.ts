import { defineConfig } from 'vite';

/**
 * Everything that the page needs is a file of its own origin: no inlined assets and no inline script, so that the
 * server can forbid both (`Content-Security-Policy: default-src 'self'`).
 */
export default defineConfig({
  root: import.meta.dirname,
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  build: {
    outDir: 'dist',
    emptyOutDir: true,
    target: 'es2022',
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  // `npx vite web` for work on the screen, beside `web/dev/preview.ts` or a real server.
  server: { proxy: { '/api': process.env['DAVYLAMP_API'] ?? 'http://127.0.0.1:4180' } },
});
