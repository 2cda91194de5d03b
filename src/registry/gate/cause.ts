/** The request that a state or an audit entry answers, at the end of its `why`: so a gate that was killed knows what is done. */

const REQUEST = / \[request ([^\]\s]+)\]$/;

export const withRequest = (why: string, id: string | null): string =>
  id === null ? why : `${why} [request ${id}]`;

/** Null for what no request asked for. */
export const requestOf = (why: string): string | null => REQUEST.exec(why)?.[1] ?? null;
