/** npm run build: packages where they are missing, then dist/. */
import { build, install, requireNode } from './lib/setup.mjs';

requireNode();
install();
build();
