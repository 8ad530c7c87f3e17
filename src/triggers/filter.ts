import type { LabelMatcher } from '#src/triggers/trigger.ts';

const matcher =
  /\s*([A-Za-z_][A-Za-z0-9_.]*)\s*(=~|!~|!=|=)\s*("(?:[^"\\\n]|\\["\\])*"|'(?:[^'\\\n]|\\['\\])*')\s*(,|$)/y;

/**
 * The conditions of `filter`, written as PromQL writes label matchers: `status="500", host.name!~"canary.*"`. Labels
 * may be in either notation (`kube_pod_name`, `kubernetes.pod.name`). In a value a backslash stands only before a
 * quote or another backslash. Undefined when the text is anything else.
 */
export function parseFilter(text: string): LabelMatcher[] | undefined {
  const matchers: LabelMatcher[] = [];
  matcher.lastIndex = 0;
  for (let separator = ','; separator === ','; ) {
    const found = matcher.exec(text);
    if (found === null) return undefined;
    const [, label = '', operator, quoted = '', next = ''] = found;
    matchers.push({ label, operator: operator as LabelMatcher['operator'], value: unquote(quoted) });
    separator = next;
    if (next === '' && matcher.lastIndex < text.length) return undefined;
  }
  return matchers;
}

function unquote(quoted: string): string {
  return quoted.slice(1, -1).replace(/\\(.)/g, '$1');
}
