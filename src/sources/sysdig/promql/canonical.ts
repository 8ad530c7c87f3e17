import { parser } from '@prometheus-io/lezer-promql';
import { kindOf } from '#src/sources/sysdig/promql/kind.ts';

/**
 * The query in the form that can be reasoned about: without comments, and a scalar as a vector, which has the same
 * value. Otherwise `sum(dead) # a note` and `scalar(sum(dead))` would be beyond what the age of data is asked for.
 * What the grammar does not accept stays as it is: Sysdig says what is wrong with it.
 */
export function canonicalQuery(written: string): string {
  const text = withoutComments(written);
  const top = parser.parse(text).topNode;
  const root = top.firstChild;
  if (root === null || root.nextSibling !== null || hasErrors(text)) return text;
  return kindOf(root, text) === 'scalar' ? `vector(${text})` : text;
}

/** Only where the parser took every part for what it is: what looks like a comment may stand in a broken string. */
function withoutComments(text: string): string {
  const comments: { from: number; to: number }[] = [];
  if (hasErrors(text)) return text;
  parser
    .parse(text)
    .cursor()
    .iterate((node) => {
      if (node.name === 'LineComment') comments.push({ from: node.from, to: node.to });
    });
  let kept = '';
  let at = 0;
  for (const { from, to } of comments) {
    kept += text.slice(at, from);
    at = to;
  }
  return (kept + text.slice(at)).trim();
}

function hasErrors(text: string): boolean {
  let found = false;
  parser
    .parse(text)
    .cursor()
    .iterate((node) => {
      if (node.type.isError) found = true;
      return !found;
    });
  return found;
}
