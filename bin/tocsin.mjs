#!/usr/bin/env -S node --max-semi-space-size=32
// The larger young generation is for the workers: with Node's default they spend a tenth of their time in collections.
// Starts the built command line; without a build it says how to make one.
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 19)) {
  console.error(`Tocsin needs Node 20.19 or newer; this is ${process.versions.node}.`);
  process.exit(2);
}
const main = new URL('../dist/cli/main.js', import.meta.url);
if (!existsSync(fileURLToPath(main))) {
  console.error('Tocsin is not built yet. Run: npm run build');
  process.exit(2);
}
await import(main.href);
