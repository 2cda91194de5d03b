/** How every answer that is not a success looks. */
import type { Problem } from '../wire.ts';

/** @param message one sentence that the caller can act on; never shows the inside of the server. */
export const problem = (code: string, message: string): Problem => ({ error: { code, message } });
