/** Where the shipped models lie, from sources as well as from the build. */
import { fileURLToPath } from 'node:url';

/** The folder of the shipped model of a task. */
export const championDir = (task: string): string =>
  fileURLToPath(new URL(`../../models/${task}`, import.meta.url));

/** The `informative` model that serves when no other is asked for. */
export const CHAMPION_DIR: string = championDir('informative');

/** The `humanitarian` model likewise. */
export const HUMANITARIAN_CHAMPION_DIR: string = championDir('humanitarian');

/** The `rumour` model likewise. */
export const RUMOUR_CHAMPION_DIR: string = championDir('rumour');
