import { parser } from '@prometheus-io/lezer-promql';
import { longestRead, soundExpression } from '#src/sources/sysdig/promql/grammar.ts';
import { kindOf } from '#src/sources/sysdig/promql/kind.ts';

/**
 * The query in the form that can be reasoned about: without comments, and a scalar as a vector, which has the same
 * value. Otherwise `sum(dead) # a note` and `scalar(sum(dead))` would be beyond what the age of data is asked for.
 * What the grammar does not accept stays as it is: Sysdig says what is wrong with it.
 */
export function canonicalQuery(written: string): string {
  if (written.length > longestRead) return written;
  const text = written.includes('#') ? withoutComments(written) : written;
  const root = soundExpression(text);
  return root && kindOf(root, text) === 'scalar' ? `vector(${text})` : text;
}

/** Only where the parser took every part for what it is: what looks like a comment may stand in a broken string. */
function withoutComments(text: string): string {
  let kept = '';
  let at = 0;
  let broken = false;
  parser
    .parse(text)
    .cursor()
    .iterate((node) => {
      if (node.type.isError) broken = true;
      if (node.name !== 'LineComment') return;
      kept += text.slice(at, node.from);
      at = node.to;
    });
  return broken ? text : (kept + text.slice(at)).trim();
}
