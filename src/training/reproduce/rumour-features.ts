/** What the rumour study knows of a post: its text and picture as frozen encoders see them, its style, the claim so far. */
import { seededRandom } from '../../base/random.ts';
import { encodeAll, pictureWriters, sizeOf, textWriters } from '../../models/encoders/columns.ts';
import type { Packed } from '../../models/encoders/contract.ts';
import { groupClaims } from '../claims.ts';
import { binaryLabel, type Dataset, type Example } from '../dataset.ts';
import type { Encoders } from '../encoders.ts';
import { membersOf, type PictureHashes } from '../groups.ts';
import type { Pictures } from '../pictures.ts';

/** Kinds of features. */
export type Block = 'text' | 'picture' | 'style' | 'evidence';

export interface StudyPost {
  readonly event: string;
  /** Equal number = one claim. */
  readonly claim: number;
  readonly label: 0 | 1;
  readonly text: string;
  readonly blocks: Readonly<Record<Block, Float32Array>>;
  /** Its place among the posts of its claim, the oldest being 0. */
  readonly place: number;
}

/** What it takes to see texts and pictures. */
export interface Eyes {
  readonly encoders: Encoders;
  readonly pictures: Pictures;
  readonly hashes: PictureHashes;
  /** Counts of how a text is written, by the claim worker's rule. */
  readonly styleOf: (text: string, flags: readonly string[]) => Readonly<Record<string, number>>;
}

export async function studyPosts(
  data: Dataset,
  { encoders, pictures, hashes, styleOf }: Eyes,
): Promise<StudyPost[]> {
  const { examples } = data;
  const claims = groupClaims(examples, hashes);
  const told = evidence(examples, claims);
  const texts = await sentences(examples, encoders);
  const seen = await pictureFeatures(examples, encoders, pictures);
  return examples.map((example, i) => ({
    event: example.event,
    claim: claims[i] as number,
    label: binaryLabel(example, 'rumour'),
    text: example.text,
    blocks: {
      text: texts[i] as Float32Array,
      picture: seen[i] as Float32Array,
      style: styleFeatures(styleOf, example.text),
      evidence: told[i]?.features as Float32Array,
    },
    place: told[i]?.place as number,
  }));
}

async function sentences(examples: readonly Example[], { text }: Encoders): Promise<Float32Array[]> {
  if (!text) return examples.map(() => new Float32Array(0));
  const write = textWriters(text);
  const rows = await encodeAll(
    text,
    examples.map((example) => example.text),
  );
  return rows.map((row) => {
    const out = new Float32Array(sizeOf(text, 'tokens'));
    write.sentence(row, out);
    return out;
  });
}

/** Random directions that the picture's features are seen from: their distances stay nearly what they were. */
const DIRECTIONS = 128;

/** Zeros where there is no picture; the last feature says whether there is. */
async function pictureFeatures(
  examples: readonly Example[],
  { image }: Encoders,
  pictures: Pictures,
): Promise<Float32Array[]> {
  const none = new Float32Array(DIRECTIONS + 1);
  if (!image) return examples.map(() => none);
  const size = sizeOf(image, 'features');
  const random = seededRandom(1);
  const project = Float32Array.from({ length: DIRECTIONS * size }, () => (random() < 0.5 ? -1 : 1));
  const write = pictureWriters(image);
  const known = new Map<string, Float32Array>();
  for (const { picture } of examples) {
    if (!picture?.file || known.has(picture.file)) continue;
    const pixels = await pictures.large(picture);
    const [row] = pixels ? await image.encode([pixels]) : [];
    if (row) known.set(picture.file, projected(row));
  }
  return examples.map(({ picture }) => known.get(picture?.file ?? '') ?? none);

  function projected(row: Packed): Float32Array {
    const features = new Float32Array(size);
    write.imageFeatures(row, features);
    const out = new Float32Array(DIRECTIONS + 1);
    for (let d = 0; d < DIRECTIONS; d += 1)
      out[d] = features.reduce((sum, value, k) => sum + value * (project[d * size + k] as number), 0);
    out[DIRECTIONS] = 1;
    return out;
  }
}

/** The counts on a log scale. */
const styleFeatures = (styleOf: Eyes['styleOf'], text: string): Float32Array =>
  Float32Array.from(Object.values(styleOf(text, /^rt\b/i.test(text) ? ['retweet'] : [])), Math.log1p);

/** Words by which people say that something is not true, in the languages of the corpus. */
const CORRECTION =
  /\b(fakes?|faked|hoax\w*|false|falso|falsa|faux|photoshop\w*|shopped|debunk\w*|snopes|untrue|not (real|true|legit)|isn['’]?t real|mentira|not? es real|bulo|fals[oa]s?)\b/iu;

/**
 * What the claim's posts up to each one say together: share with a word of correction, and whether this one has one; how
 * many posts, how many authors, posts per author; age of the claim.
 */
function evidence(
  examples: readonly Example[],
  claims: Int32Array,
): { readonly place: number; readonly features: Float32Array }[] {
  const told = new Array<{ place: number; features: Float32Array }>(examples.length);
  const time = (i: number): number => examples[i]?.createdAt ?? 0;
  for (const members of membersOf(claims)) {
    const order = [...members].sort((a, b) => time(a) - time(b) || a - b);
    const authors = new Set<string>();
    let corrections = 0;
    order.forEach((post, place) => {
      const { author, id, text } = examples[post] as Example;
      authors.add(author ?? id);
      const corrects = CORRECTION.test(text) ? 1 : 0;
      corrections += corrects;
      const posts = place + 1;
      const hours = (time(post) - time(order[0] as number)) / 3_600_000;
      const features = Float32Array.from([
        corrections / posts,
        corrects,
        Math.log1p(posts),
        Math.log1p(authors.size),
        Math.log(posts / authors.size),
        Math.log1p(hours),
      ]);
      told[post] = { place, features };
    });
  }
  return told;
}
