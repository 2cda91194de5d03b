/** How likely a post or a claim is a rumour, from the scores of contents. */
import type { ModelRef, RumourScore } from '../event/records.ts';
import { hasBoth, shareCode, textShare } from '../event/shares.ts';
import type { Answer, Cluster, Content, Post } from './cluster.ts';

/** Log-odds are added up as whole numbers of this fraction, so that the order of posts makes no difference to the bit. */
const STEPS = 1e6;
/** Probabilities are kept away from 0 and 1 by this much: one content alone never decides a claim for good. */
const MARGIN = 1e-3;

const stepsOf = (probability: number): number => {
  const p = Math.min(1 - MARGIN, Math.max(MARGIN, probability));
  return Math.round(STEPS * Math.log(p / (1 - p)));
};

function notScored(why: string): RumourScore {
  return { status: 'not_scored', probability: null, decision: 'unsure', evidence: [why], model: null };
}

function decide(probability: number, { yes, no }: Answer): RumourScore['decision'] {
  if (probability >= yes) return 'yes';
  return probability <= no ? 'no' : 'unsure';
}

/** The post's own score: that of its content. */
export function rumourOfPost({ content }: Post): RumourScore {
  if (!content?.answer) return notScored('pending');
  const { answer } = content;
  if (answer.probability === null)
    return { ...notScored(answer.outcome === 'failed' ? 'failed' : 'no_content'), evidence: answer.evidence };
  const { probability, evidence, model } = answer;
  return { status: 'scored', probability, decision: decide(probability, answer), evidence, model };
}

/**
 * The claim's score: the mean log-odds over its distinct contents, so that a text that is copied a thousand times counts
 * once. Order-free: equal members and answers, equal score. The text's share is the mean over the same contents.
 */
export function rumourOfClaim(cluster: Cluster): RumourScore {
  const contents = new Set<Content>();
  for (const { content } of cluster.members) if (content) contents.add(content);
  let sum = 0;
  let scored = 0;
  let pending = 0;
  let failed = 0;
  let first: Content | null = null;
  const from = new Set<string>();
  const shares: number[] = [];
  let isShared = false;
  for (const content of contents) {
    const { answer } = content;
    if (!answer) pending += 1;
    else if (answer.probability === null) failed += 1;
    else {
      sum += stepsOf(answer.probability);
      scored += 1;
      for (const reason of answer.evidence) if (reason.startsWith('from:')) from.add(reason);
      const share = textShare(answer);
      if (share !== null) shares.push(Math.round(100 * share));
      isShared ||= hasBoth(answer);
      if (!first || content.id < first.id) first = content;
    }
  }
  if (!first?.answer) return notScored(pending > 0 ? 'pending' : 'no_content');
  // To five decimals, as a person reads it; the same on every machine.
  const probability = Math.round(1e5 / (1 + Math.exp(-sum / scored / STEPS))) / 1e5;
  const evidence = [`contents:${scored}`, ...[...from].sort()];
  if (pending > 0) evidence.push(`pending:${pending}`);
  if (failed > 0) evidence.push(`not_scored:${failed}`);
  const model: ModelRef | null = first.answer.model;
  const decision = decide(probability, first.answer);
  if (isShared && decision !== 'unsure' && shares.length > 0)
    evidence.push(shareCode(shares.reduce((all, share) => all + share, 0) / shares.length / 100));
  return { status: 'scored', probability, decision, evidence, model };
}
