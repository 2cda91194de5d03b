/**
 * The humanitarian label set: what a post tells of, several at once. One set for all collections; docs/models.md has the
 * table. "Not humanitarian" is no label but the empty set.
 */

export const HUMANITARIAN_LABELS = [
  /** People hurt, dead, missing, found, driven out or otherwise struck. */
  'affected_people',
  /** Houses, roads, power, water, vehicles. */
  'infrastructure_damage',
  /** Warnings and what to do. */
  'caution_and_advice',
  /** Needs, requests, offers, rescue, volunteers, donations. */
  'aid',
  'sympathy_and_support',
  /** About the disaster and useful, but none of the above. */
  'other_relevant',
] as const;
export type HumanitarianLabel = (typeof HUMANITARIAN_LABELS)[number];

type Mapping = Readonly<Record<string, readonly HumanitarianLabel[]>>;

/** CrisisMMD's eight classes, separately given for text and picture. It has no class for advice and sympathy. */
export const CRISISMMD_CLASSES: Mapping = {
  affected_individuals: ['affected_people'],
  injured_or_dead_people: ['affected_people'],
  missing_or_found_people: ['affected_people'],
  infrastructure_and_utility_damage: ['infrastructure_damage'],
  vehicle_damage: ['infrastructure_damage'],
  rescue_volunteering_or_donation_effort: ['aid'],
  other_relevant_information: ['other_relevant'],
  not_humanitarian: [],
};

/** HumAID's ten classes, one a tweet. */
export const HUMAID_CLASSES: Mapping = {
  caution_and_advice: ['caution_and_advice'],
  displaced_people_and_evacuations: ['affected_people'],
  infrastructure_and_utility_damage: ['infrastructure_damage'],
  injured_or_dead_people: ['affected_people'],
  missing_or_found_people: ['affected_people'],
  other_relevant_information: ['other_relevant'],
  requests_or_urgent_needs: ['aid'],
  rescue_volunteering_or_donation_effort: ['aid'],
  sympathy_and_support: ['sympathy_and_support'],
  not_humanitarian: [],
};

/** CrisisLexT26's information types, one a tweet. */
export const CRISISLEX_TYPES: Mapping = {
  'Affected individuals': ['affected_people'],
  'Caution and advice': ['caution_and_advice'],
  'Donations and volunteering': ['aid'],
  'Infrastructure and utilities': ['infrastructure_damage'],
  'Other Useful Information': ['other_relevant'],
  'Sympathy and support': ['sympathy_and_support'],
};

/** The classes of the humanitarian pairs of whuscity, several a pair. */
export const PAIRS_CLASSES: Mapping = {
  'Affected individuals': ['affected_people'],
  'Caution and advice': ['caution_and_advice'],
  'Infrastructure and utility damage': ['infrastructure_damage'],
  'Needs and offers': ['aid'],
  Response: ['aid'],
  Other: ['other_relevant'],
  'Not humanitarian': [],
};

/** The labels that a mapping can give, in the set's order; what it cannot give is unknown, not absent. */
export function labelsOf(mapping: Mapping): readonly HumanitarianLabel[] {
  const given = new Set(Object.values(mapping).flat());
  return HUMANITARIAN_LABELS.filter((label) => given.has(label));
}

/** The union of several classes in the set's order; null when one of them is no class of the mapping. */
export function mapped(mapping: Mapping, classes: readonly string[]): readonly HumanitarianLabel[] | null {
  const given = new Set<HumanitarianLabel>();
  for (const name of classes) {
    if (!Object.hasOwn(mapping, name)) return null;
    for (const label of mapping[name] ?? []) given.add(label);
  }
  return HUMANITARIAN_LABELS.filter((label) => given.has(label));
}
