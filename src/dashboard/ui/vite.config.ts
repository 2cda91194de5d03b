/** Builds the page into dist/dashboard/ui: hashed files, nothing inline, nothing from elsewhere. */
import { fileURLToPath } from 'node:url';
import { defineConfig, type UserConfig } from 'vite';

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url));

const config: UserConfig = defineConfig({
  root: here('.'),
  base: '/',
  build: {
    outDir: here('../../../dist/dashboard/ui'),
    emptyOutDir: true,
    target: 'es2022',
    // The polyfill and data: URLs would both need holes in the content security policy.
    modulePreload: { polyfill: false },
    assetsInlineLimit: 0,
    reportCompressedSize: false,
  },
});

export default config;
