/** What people say of the models' answers: their rulings on posts, held against what champion and challenger answered. */
import type { Feedback, TaskScore } from '../../event/records.ts';
import { INFORMATIVE, isLater, standing } from '../../event/standing.ts';

export type Role = 'champion' | 'challenger';

/** Posts that a model answered with yes or no and people ruled on, and those of which they said the contrary. */
export interface Heard {
  readonly ruled: number;
  readonly contrary: number;
}

export interface Rulings {
  /** The newest answer to a post counts; unsure contradicts nobody. */
  answered(postId: string, by: Role, decision: TaskScore['decision']): void;
  see(feedback: Feedback): void;
  of(role: Role): Heard;
}

/** @param memory newest posts of which the answer is remembered */
export function createRulings(memory: number): Rulings {
  const answers = new Map<string, { readonly by: Role; readonly yes: 0 | 1 }>();
  const rulings = new Map<string, Feedback>();
  /** The last standing word on each post. */
  const words = (): ReadonlyMap<string, Feedback> => {
    const last = new Map<string, Feedback>();
    for (const ruling of standing(rulings.values()))
      for (const id of ruling.postIds) {
        const before = last.get(id);
        if (!before || isLater(ruling, before)) last.set(id, ruling);
      }
    return last;
  };
  return {
    answered(postId, by, decision) {
      answers.delete(postId);
      if (decision === 'unsure') return;
      answers.set(postId, { by, yes: decision === 'yes' ? 1 : 0 });
      const [oldest] = answers.keys();
      if (answers.size > memory && oldest !== undefined) answers.delete(oldest);
    },
    see(feedback) {
      if (feedback.task === 'informative') rulings.set(feedback.rulingId, feedback);
    },
    of(role) {
      const heard = { ruled: 0, contrary: 0 };
      for (const [id, { ruling }] of words()) {
        const answer = answers.get(id);
        const said = INFORMATIVE[ruling];
        if (answer?.by !== role || said === undefined) continue;
        heard.ruled += 1;
        if (said !== answer.yes) heard.contrary += 1;
      }
      return heard;
    },
  };
}
