/** Why a picture was refused: a closed list of codes, each with one sentence for people. */

/** Code → what a person is told. A code is never reused for another meaning. */
export const REFUSALS = {
  unsupported_ref: 'The post refers to its picture in a way that is not supported.',
  not_in_store: 'The picture was to be in the media store but is not there.',
  too_many_pictures: 'The post has more pictures than are looked at.',
  bad_request: 'The request for the picture was malformed.',
  host_not_allowed: 'The picture lies on a host that is not on the list of allowed hosts.',
  url_userinfo: 'The address of the picture carries a user name or password.',
  url_port: 'The address of the picture names a port other than 80 and 443.',
  private_address: 'The address of the picture leads into a private network.',
  host_unknown: 'The host of the picture has no address.',
  host_unreachable: 'The host of the picture could not be reached.',
  host_busy: 'Too many pictures of the same host were asked for at once.',
  host_paused: 'The host of the picture failed several times in a row and is left alone for a while.',
  http_status: 'The host answered that it has no such picture.',
  too_many_redirects: 'The host sent us on more than three times.',
  fetch_timeout: 'The host took too long to send the picture.',
  fetch_broken: 'The connection broke before the picture was complete.',
  too_large: 'The picture is larger than 8 MB.',
  empty: 'The picture has no bytes.',
  not_a_picture: 'What was sent is not a picture.',
  unsupported_format: 'The picture is of a kind that is not looked at; JPEG, PNG and WebP are.',
  too_many_pixels: 'The picture has more than 20 million pixels.',
  broken_picture: 'The picture is damaged or incomplete.',
  decoder_timeout: 'Decoding the picture took too long.',
  decoder_crashed: 'The picture made the decoder stop.',
} as const;

export type RefusalCode = keyof typeof REFUSALS;

export const REFUSAL_CODES: readonly RefusalCode[] = Object.keys(REFUSALS) as RefusalCode[];

/** The sentence for a code; an unknown one (of a newer writer) gets a general sentence. */
export function explainRefusal(code: string): string {
  return (REFUSALS as Readonly<Record<string, string>>)[code] ?? 'The picture could not be used.';
}

/** A picture that will not be had. `detail` is for logs, never for a page. */
export interface Refused {
  readonly refused: RefusalCode;
  readonly detail: string;
}

export const refuse = (refused: RefusalCode, detail = ''): Refused => ({
  refused,
  detail: detail.slice(0, 300),
});

/** Thrown inside the fetch and the check, where a refusal has to cross a library's callbacks. */
export class RefusalError extends Error {
  readonly refusal: Refused;

  constructor(code: RefusalCode, detail = '') {
    super(`${code}: ${detail}`);
    this.name = 'RefusalError';
    this.refusal = refuse(code, detail);
  }
}

/** Codes that say something of the moment or of the host, not of the picture: worth asking again soon. */
export const PASSING: ReadonlySet<RefusalCode> = new Set([
  'not_in_store',
  'host_unknown',
  'host_unreachable',
  'host_busy',
  'host_paused',
  'http_status',
  'fetch_timeout',
  'fetch_broken',
] as const);
