/** Whether a text is meant by a list of patterns. */
export type Globs = (text: string) => boolean;

/**
 * Patterns with `*` (any text) and `?` (any one character); a leading `!` excludes. A text is meant when one of the
 * positive patterns fits, or there are none, and no negated one does. Compared by letter case.
 */
export function compileGlobs(patterns: readonly string[]): Globs {
  const negated = patterns
    .filter((pattern) => pattern.startsWith('!'))
    .map((pattern) => compile(pattern.slice(1)));
  const positive = patterns.filter((pattern) => !pattern.startsWith('!')).map(compile);
  return (text) =>
    (positive.length === 0 || positive.some((fits) => fits(text))) && !negated.some((fits) => fits(text));
}

/** A pattern that means one text only. */
export function isExact(pattern: string): boolean {
  return !/^!|[*?]/.test(pattern);
}

/** Steps back only to the last star, so that no pattern takes longer than pattern times text. */
function compile(pattern: string): Globs {
  if (isExact(pattern)) return (text) => text === pattern;
  return (text) => {
    let [at, place, star, retry] = [0, 0, -1, 0];
    while (at < text.length) {
      const wanted = pattern[place];
      if (wanted === '*') {
        star = place++;
        retry = at;
      } else if (wanted === '?' || wanted === text[at]) {
        at++;
        place++;
      } else if (star >= 0) {
        place = star + 1;
        at = ++retry;
      } else {
        return false;
      }
    }
    while (pattern[place] === '*') place++;
    return place === pattern.length;
  };
}
