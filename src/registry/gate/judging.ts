/** The gate's candidates: which is next, what the judge says of it, and how one that passed becomes a signed version. */
import { asTocsinError, TocsinError } from '../../base/errors.ts';
import type { Log } from '../../base/log.ts';
import type { DesiredState, DesiredTask, ModelVersion } from '../../event/records.ts';
import type { Artefact } from '../../models/artefact.ts';
import type { RegistryPaths } from '../layout.ts';
import { openCandidate, openVersion, versionOf } from '../open-version.ts';
import { type PublishDeps, publishVersion } from '../publish.ts';
import { findSigned } from '../versions.ts';
import { shippedVersions } from './announce.ts';
import { type CandidatePlace, listCandidates } from './candidates.ts';
import { championsOf, referenceOf, sameVersion, tasksInForce, wasNamed } from './lineage.ts';
import type { FiledVerdict, VerdictFiles } from './verdicts.ts';

/** What the judge said. Each check may carry more. */
export interface Judgement {
  readonly passed: boolean;
  readonly checks: readonly { readonly name: string; readonly passed: boolean; readonly why?: string }[];
}

/**
 * Judges in a process of its own: it takes minutes, and a candidate may kill it. Folders are absolute. Throws
 * DEPENDENCY_MISSING where it could not judge for a reason that lies elsewhere; any other error is the candidate's.
 */
export type Judge = (given: {
  readonly task: string;
  readonly candidate: string;
  readonly champion: string;
  readonly reference: string | null;
  readonly signal: AbortSignal;
}) => Promise<Judgement>;

export interface JudgingDeps extends PublishDeps {
  readonly paths: RegistryPaths;
  /** Null without a vault: candidates wait. */
  readonly judge: Judge | null;
  readonly verdicts: VerdictFiles;
  /** As the gate knows it; grows. */
  readonly history: readonly DesiredState[];
  readonly shipped: readonly Artefact[];
  readonly now: () => number;
  readonly log: Log;
}

export interface Judging {
  /**
   * Judges the next candidate that waits; null when none does. A candidate that cannot be read or judged is refused.
   * Throws DEPENDENCY_MISSING where no candidate can be judged now.
   */
  next(signal: AbortSignal): Promise<FiledVerdict | null>;
  /** Whether what was judged may be tried now: held against the champion of today, and never tried before. */
  isUsable(verdict: FiledVerdict, task: DesiredTask): boolean;
  /** The signed version, published where that was not yet done; null where the candidate is no longer what was judged. */
  openAccepted(verdict: FiledVerdict): Promise<Artefact | null>;
}

export function createJudging(deps: JudgingDeps): Judging {
  const { paths, judge, verdicts, history, keys, now, log } = deps;
  const shipped = shippedVersions(deps.shipped);

  const isUsable = (verdict: FiledVerdict, task: DesiredTask): boolean =>
    verdict.passed && verdict.champion === task.champion.digest && !wasTried(verdict);
  const wasTried = ({ task, digest }: FiledVerdict): boolean => wasNamed(history, task, digest ?? '');

  const openNamed = async (task: string, version: ModelVersion): Promise<Artefact> =>
    deps.shipped.find((own) => own.manifest.task === task && sameVersion(versionOf(own), version)) ??
    openVersion(paths.models, task, version, keys);

  /** Nothing filed yet, or passed beside a champion that is gone. */
  const waiting = async (): Promise<(CandidatePlace & { readonly champion: ModelVersion }) | null> => {
    const tasks = tasksInForce(history, shipped);
    for (const place of await listCandidates(paths.candidates)) {
      const task = tasks.find((other) => other.task === place.task);
      if (!task || task.pinned) continue;
      const filed = await verdicts.get(place.task, place.version);
      const isStale = filed?.passed === true && !isUsable(filed, task) && !wasTried(filed);
      if (!filed || isStale) return { ...place, champion: task.champion };
    }
    return null;
  };

  return {
    isUsable,
    async next(signal) {
      const place = judge && (await waiting());
      if (!place) return null;
      const { task, version, champion } = place;
      const base = { task, version, champion: champion.digest, at: now() };
      let digest: string | null = null;
      try {
        const candidate = await openCandidate(paths.candidates, task, version);
        digest = candidate.digest;
        const reference = referenceOf(championsOf(history, shipped, task));
        const { passed, checks } = await judge({
          task,
          candidate: candidate.dir,
          champion: (await openNamed(task, champion)).dir,
          reference: reference && (await openNamed(task, reference)).dir,
          signal,
        });
        const bad = checks.filter((check) => !check.passed);
        const why = bad.map((check) => `${check.name}${check.why ? ` (${check.why})` : ''}`).join('; ');
        if (passed && bad.length === 0)
          return { ...base, digest, passed: true, why: `All ${checks.length} checks passed.`, checks };
        return {
          ...base,
          digest,
          passed: false,
          why: why || 'The judge said no and named no check.',
          checks,
        };
      } catch (thrown) {
        const { code, message } = asTocsinError(thrown, `Judging ${task} ${version}`);
        if (code === 'DEPENDENCY_MISSING') throw thrown;
        return { ...base, digest, passed: false, why: message, checks: [] };
      }
    },
    async openAccepted({ task, version, digest }) {
      const published = await findSigned(paths.models, task, version, keys).catch(() => null);
      if (published) return published.digest === digest ? published : null;
      try {
        const artefact = await openCandidate(paths.candidates, task, version);
        if (artefact.digest === digest) return await publishVersion(artefact, deps);
        log.warn({ task, version }, 'A candidate is no longer what was judged.');
      } catch (thrown) {
        if (!(thrown instanceof TocsinError)) throw thrown;
        log.warn({ task, version, error: thrown.message }, 'An accepted candidate cannot be published.');
      }
      return null;
    },
  };
}
