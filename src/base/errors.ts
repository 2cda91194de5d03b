/** Every code, and whether it is worth trying the same thing again. */
const CODES = {
  BAD_CONFIG: false,
  BAD_USAGE: false,
  BAD_RECORD: false,
  UNKNOWN_SCHEMA: false,
  UNKNOWN_TOPIC: false,
  BUS_CLOSED: false,
  BUS_FULL: true,
  BUS_FENCED: false,
  BUS_COMMIT_FAILED: true,
  BUS_STATE_MISMATCH: false,
  BUS_UNREACHABLE: true,
  BUS_TOPIC_MISMATCH: false,
  DATA_DIR_LOCKED: false,
  LIVE_ENVIRONMENT: false,
  MEDIA_REFUSED: false,
  MODEL_INVALID: false,
  MODEL_FORGED: false,
  MODEL_UNAVAILABLE: true,
  MODELS_BEHIND: true,
  STATE_MALFORMED: false,
  STATE_UNKNOWN_KEY: false,
  STATE_FORGED: false,
  STATE_FOREIGN: false,
  STATE_REPLAYED: false,
  STATE_EXPIRED: false,
  ARCHIVE_UNREADABLE: false,
  DEPENDENCY_MISSING: false,
  INTERNAL: false,
} as const;

/** The closed list of error codes. A code is never reused for another meaning. */
export type ErrorCode = keyof typeof CODES;

export const ERROR_CODES: readonly ErrorCode[] = Object.keys(CODES) as ErrorCode[];

/** Every error that Tocsin throws on purpose. Branch on `code`, never on the message. */
export class TocsinError extends Error {
  readonly code: ErrorCode;

  /** @param message says what was being done, and to which id. */
  constructor(code: ErrorCode, message: string, options?: { readonly cause?: unknown }) {
    super(message, options);
    this.name = 'TocsinError';
    this.code = code;
  }

  /** Whether the same call may succeed later without anybody changing anything. */
  get retryable(): boolean {
    return CODES[this.code];
  }
}

/** The error itself, or an INTERNAL one around whatever was thrown. */
export function asTocsinError(thrown: unknown, doing: string): TocsinError {
  if (thrown instanceof TocsinError) return thrown;
  const detail = thrown instanceof Error ? thrown.message : String(thrown);
  return new TocsinError('INTERNAL', `${doing}: ${detail}`, { cause: thrown });
}

/** Compile-time proof that a union was handled in full. */
export function assertNever(value: never): never {
  throw new TocsinError('INTERNAL', `Unhandled case: ${JSON.stringify(value)}`);
}
