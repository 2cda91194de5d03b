/**
 * The claim worker's memory as state entries, and back. One small JSON entry per post, per claim that was told, per ruling
 * and per collection, so that a slice writes only what it changed; the index is rebuilt from them at open.
 */
import { createHash } from 'node:crypto';
import type { RestoredState } from '../bus/port.ts';
import type { Ruling } from '../event/records.ts';
import type { Answer, Firing } from './cluster.ts';

/** Counts of one partition, written with every slice. received = posts + revisions + known + late + rulings + scores + dead. */
export interface ClaimLedger {
  readonly received: number;
  readonly posts: number;
  readonly revisions: number;
  /** Evidence or rulings that said nothing new. */
  readonly known: number;
  /** Later revisions of posts that the index has let go, and scores that nobody waits for. */
  readonly late: number;
  readonly rulings: number;
  readonly scores: number;
  readonly dead: number;
  /** Posts that the index has let go so far. */
  readonly letGo: number;
  /** Number of the next cluster. */
  readonly nextCluster: number;
  /** Slices that told of claims: the revision of their snapshots. */
  readonly tellings: number;
}

export const EMPTY_LEDGER: ClaimLedger = {
  received: 0,
  posts: 0,
  revisions: 0,
  known: 0,
  late: 0,
  rulings: 0,
  scores: 0,
  dead: 0,
  letGo: 0,
  nextCluster: 1,
  tellings: 0,
};

/** Names are short here: there is one of these for every post. */
export interface PostEntry {
  /** Collection, id, event time, author number, text. */
  readonly c: string;
  readonly i: string;
  readonly t: number;
  readonly a: number | null;
  readonly x: string;
  /** SimHash, picture hashes (as is, mirrored), previews. */
  readonly s: string;
  readonly p: readonly (readonly [string, string])[];
  readonly k: readonly string[];
  /** Cluster number when it was written; a ClaimForward may lead on. */
  readonly n: number;
  /** Received count when it was written. */
  readonly q: number;
  /** Judged informative. */
  readonly f?: true;
}

export interface ClaimForward {
  readonly into: number;
}

export interface ClaimEntry {
  readonly emitted: string | null;
  readonly aliases: readonly string[];
  readonly firing: Firing | null;
  readonly touched: number;
}

export interface RulingEntry {
  readonly ruling: Ruling;
  readonly target: string | null;
  readonly seq: number;
  readonly applied: boolean;
}

/** A content that was asked for, or answered. */
export type ScoreEntry = { readonly askedAt: number } | { readonly answer: Answer };

export interface CollectionEntry {
  readonly name: string;
  readonly watermark: number;
  readonly usual: readonly (readonly [number, number, number])[];
}

/** 32 hex digits that stand for the parts. */
export function nameOf(...parts: readonly string[]): string {
  return createHash('sha256').update(parts.join('\u0000')).digest('hex').slice(0, 32);
}

export const LEDGER_ENTRY = 'ledger';
export const postEntry = (name: string): string => `post/${name}`;
export const claimEntry = (n: number): string => `claim/${n}`;
export const rulingEntry = (collection: string, id: string): string => `ruling/${nameOf(collection, id)}`;
export const scoreEntry = (contentId: string): string => `score/${contentId}`;
export const collectionEntry = (collection: string): string => `collection/${nameOf(collection)}`;

/** Everything that was remembered, sorted by kind. */
export interface Remembered {
  readonly ledger: ClaimLedger;
  readonly posts: readonly (readonly [string, PostEntry])[];
  readonly claims: ReadonlyMap<number, ClaimEntry>;
  readonly forwards: ReadonlyMap<number, number>;
  readonly rulings: readonly RulingEntry[];
  readonly collections: readonly CollectionEntry[];
  readonly scores: readonly (readonly [string, ScoreEntry])[];
}

const decoder = new TextDecoder();
const encoder = new TextEncoder();

export function encodeEntry(value: object): Uint8Array {
  return encoder.encode(JSON.stringify(value));
}

/** Reads the entries of a partition; entries of unknown kinds are passed over. */
export function readState(restored: RestoredState): Remembered {
  const posts: [string, PostEntry][] = [];
  const claims = new Map<number, ClaimEntry>();
  const forwards = new Map<number, number>();
  const rulings: RulingEntry[] = [];
  const collections: CollectionEntry[] = [];
  const scores: [string, ScoreEntry][] = [];
  let ledger = EMPTY_LEDGER;
  for (const [entry, bytes] of restored.entries) {
    const value: unknown = JSON.parse(decoder.decode(bytes));
    const [kind, name = ''] = entry.split('/');
    if (kind === LEDGER_ENTRY) ledger = { ...EMPTY_LEDGER, ...(value as ClaimLedger) };
    else if (kind === 'post') posts.push([name, value as PostEntry]);
    else if (kind === 'score') scores.push([name, value as ScoreEntry]);
    else if (kind === 'ruling') rulings.push(value as RulingEntry);
    else if (kind === 'collection') collections.push(value as CollectionEntry);
    else if (kind === 'claim') {
      const claim = value as ClaimEntry | ClaimForward;
      if ('into' in claim) forwards.set(Number(name), claim.into);
      else claims.set(Number(name), claim);
    }
  }
  rulings.sort((a, b) => a.seq - b.seq);
  return { ledger, posts, claims, forwards, rulings, collections, scores };
}
