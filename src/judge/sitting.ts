/** The posts that judge, and what each model says of them. */
import { TocsinError } from '../base/errors.ts';
import { ARTEFACT_FILES, type Artefact } from '../models/artefact.ts';
import { groupClaims } from '../training/claims.ts';
import type { Dataset, Example } from '../training/dataset.ts';
import { hashesOf, openPictures } from '../training/pictures.ts';
import { parseSplit } from '../training/splits.ts';
import { type Answers, answersOf } from '../training/statistics.ts';
import { targetOf } from '../training/tasks.ts';
import type { JudgeOptions } from './options.ts';
import type { Scores, Served } from './served.ts';

export interface Examined {
  readonly served: Served;
  readonly scores: Scores;
  /** Of the judged classes. */
  readonly answers: Answers;
}

export interface Sitting {
  readonly examples: readonly Example[];
  /** Classes that the vault tells apart and has enough posts of. */
  readonly classes: readonly string[];
  /** [n, classes] */
  readonly targets: readonly (readonly number[])[];
  /** Whether every post has exactly one of the classes. */
  readonly exclusive: boolean;
  readonly candidate: Examined;
  readonly champion: Examined;
  readonly reference: Examined | null;
  /** Posts that are right and wrong together: the claims of rumours. */
  readonly clusters: Int32Array | undefined;
  readonly options: JudgeOptions;
  readonly seed: number;
}

/** The vault without what a model was trained or tuned on, as far as the artefacts name it. */
export function unseenBy(vault: Dataset, artefacts: readonly Artefact[]): Example[] {
  const seen = new Set<string>();
  for (const artefact of artefacts) {
    if (!artefact.manifest.files[ARTEFACT_FILES.split]) continue;
    const { train, dev } = parseSplit(artefact.bytes(ARTEFACT_FILES.split));
    for (const id of [...train, ...dev]) seen.add(id);
  }
  return vault.examples.filter(({ id }) => !seen.has(id));
}

/** Columns of the model's classes that are judged. */
export const columnsOf = (served: Served, classes: readonly string[]): number[] =>
  classes.map((name) => served.classes.indexOf(name));

/** Asks all models about the posts. Throws BAD_USAGE when the vault tells none of their classes apart. */
export async function openSitting(
  vault: Dataset,
  examples: readonly Example[],
  models: { readonly candidate: Served; readonly champion: Served; readonly reference: Served | null },
  options: JudgeOptions,
  seed: number,
): Promise<Sitting> {
  const { task } = vault;
  const rows = (classes: readonly string[]): number[][] =>
    examples.map(({ labels }) => targetOf(labels, task, classes) as number[]);
  const told = models.champion.classes.filter((name) => vault.classes.includes(name));
  const all = rows(told);
  const classes = told.filter((_, k) => all.filter((row) => row[k] === 1).length >= options.classLeast);
  if (classes.length === 0)
    throw new TocsinError(
      'BAD_USAGE',
      `Judging a model for ${task}: ${vault.name} has no class with ${options.classLeast} posts.`,
    );
  const targets = rows(classes);
  const examine = async (served: Served): Promise<Examined> => {
    const scores = await served.score(examples);
    const columns = columnsOf(served, classes);
    const answers = scores.answers.map((row) => columns.map((k) => row[k] as number));
    return { served, scores, answers: answersOf(targets, answers) };
  };
  return {
    examples,
    classes,
    targets,
    exclusive: targets.every((row) => row.reduce((sum, value) => sum + value, 0) === 1),
    candidate: await examine(models.candidate),
    champion: await examine(models.champion),
    reference: models.reference && (await examine(models.reference)),
    clusters: task === 'rumour' ? groupClaims(examples, await hashesOf(examples, openPictures())) : undefined,
    options,
    seed,
  };
}
