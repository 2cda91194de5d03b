/** Where the shipped models lie, from sources as well as from the build. */
import { fileURLToPath } from 'node:url';

/** The `informative` model that serves when no other is asked for. */
export const CHAMPION_DIR: string = fileURLToPath(new URL('../../models/informative', import.meta.url));
