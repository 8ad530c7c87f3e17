import jStat from 'jstat';

export interface Outlook {
  /** New infections that were seen. */
  readonly infections: number;
  /** In how long, ms. */
  readonly exposureMs: number;
  /** How long a pod is out: from its first alert until its replacement is Ready, ms. */
  readonly outageMs: number;
  /** How sure it must be that the surplus is enough, from 0 to 1. */
  readonly confidence: number;
  readonly most: number;
}

/**
 * How many replicas more than are needed: the smallest m with P(X ≤ m) ≥ `confidence`, at most `most`.
 *
 * X is how many pods will be out at once. Infections that come at an unknown, constant rate (Jeffreys' prior), of which n
 * were seen in a time E, and of which each takes a pod out for a time T, make X negative binomial with n + ½ successes and
 * p = E / (E + T). Worked: n = 12, E = 60 s, T = 5 s gives m = 4.
 */
export function surplus({ infections, exposureMs, outageMs, confidence, most }: Outlook): number {
  const successes = infections + 0.5;
  const p = exposureMs / (exposureMs + outageMs);
  let [tooFew, enough] = [-1, most];
  while (enough - tooFew > 1) {
    const middle = (tooFew + enough) >> 1;
    // The negative binomial's cumulative distribution, as a regularised incomplete beta function.
    if (jStat.ibeta(p, successes, middle + 1) >= confidence) enough = middle;
    else tooFew = middle;
  }
  return enough;
}
