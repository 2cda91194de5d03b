/** A yes-or-no model as it is shipped: calibration, thresholds, figures, card. */
import { asOften, type Other } from './as-often.ts';
import { writeCard } from './card.ts';
import { groupClaims, perClaim } from './claims.ts';
import { answersOf, bySubgroup, claimsOf, type Evaluation } from './evaluation.ts';
import { type Comparison, type Fitted, fitModel, type Judged } from './fit.ts';
import type { FitOn, JudgedArtefact, Judging } from './judging.ts';
import { chooseThresholds, measure } from './measure.ts';
import { pick, type Split, splitBy } from './splits.ts';
import { answerUnseen, type Settle, type Unseen } from './unseen.ts';

/** Share of `yes` and of `no` answers that must be right, on dev or on unseen events. */
const ANSWER_TARGET = 0.85;
/** Claims (or posts) of unseen events that such a share must rest on. */
const LEAST_CLAIMS = 20;

/** One run with all that follows from it; what is left out is run in the same way. */
interface Run {
  readonly fitted: Fitted;
  readonly unseen: Unseen | null;
  readonly calibration: Fitted['calibration'];
  readonly judged: Judged;
}

export async function judgeYesNo(fitOn: FitOn, judging: Judging): Promise<JudgedArtefact> {
  const { data, split, unseenFolds, asOftenAs, hashes, pictures } = judging;
  const trainOn = (on: Split): Promise<Fitted> => fitOn(fitModel, on);
  const run = async (on: Split): Promise<Run> => {
    const fitted = await trainOn(on);
    const settle = await settler(asOftenAs, fitted);
    const unseen =
      unseenFolds > 0
        ? await answerUnseen(
            { ...data, examples: pick(data, [...on.train, ...on.dev]) },
            { folds: unseenFolds, seed: on.seed, hashes },
            pictures,
            trainOn,
            settle,
          )
        : null;
    const calibration = unseen?.calibration ?? settle(fitted.calibration);
    return { fitted, unseen, calibration, judged: await fitted.judge(calibration) };
  };

  const { fitted, unseen, calibration, judged } = await run(split);
  const leftOut: Record<string, Comparison> = {};
  try {
    for (const event of judging.leaveOut) {
      const other = await run(splitBy(data, `event:${event}`, split.seed, hashes));
      leftOut[event] = other.judged.comparison;
      other.fitted.network.dispose();
    }
  } catch (thrown) {
    fitted.network.dispose();
    throw thrown;
  }
  const { dev, test, comparison } = judged;
  const { testExamples } = fitted;
  const thresholds = {
    name: `${unseen ? 'unseen' : 'dev'}-${100 * ANSWER_TARGET}`,
    ...(unseen
      ? chooseThresholds(unseen.claims, ANSWER_TARGET, LEAST_CLAIMS)
      : chooseThresholds(dev, ANSWER_TARGET)),
  };
  const claims = data.task === 'rumour' ? groupClaims(testExamples, hashes) : null;
  const evaluation: Evaluation = {
    test: comparison,
    dev: measure(dev),
    answers: answersOf(test, thresholds),
    byLanguage: bySubgroup(test, testExamples, ({ language }) => language),
    byEvent: bySubgroup(test, testExamples, ({ event }) => event),
    leftOut,
    claims: claims && {
      ...claimsOf(test, claims),
      answers: answersOf(perClaim(test, claims), thresholds),
    },
    unseen: unseen && {
      folds: unseenFolds,
      events: unseen.events,
      posts: unseen.posts,
      unit: unseen.unit,
      perClaim: measure(unseen.claims),
      byEvent: unseen.byEvent,
      robust: unseen.robust,
      answers: answersOf(unseen.claims, thresholds),
    },
  };
  return {
    fitted,
    answers: {
      calibration,
      thresholds,
      metrics: { dev: evaluation.dev, test: comparison.model },
    },
    evaluation,
    card: (manifest, source) => writeCard(manifest, evaluation, source),
  };
}

/** What becomes of a calibration before it serves. */
async function settler(other: Other | null, { dev }: Fitted): Promise<Settle> {
  if (!other) return (own) => own;
  const given = await other.score(dev.examples);
  const logits = dev.logits.filter((_, i) => given[i] !== null);
  const wanted = given.filter((probability) => probability !== null && probability >= 0.5).length;
  return ({ text, ...rest }) => ({ ...rest, text: text && asOften(text, logits, wanted) });
}
