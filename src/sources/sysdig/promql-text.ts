import { Failure } from '#src/failure.ts';
import type { LabelMatcher } from '#src/triggers/trigger.ts';

const labelName = /^[A-Za-z_][A-Za-z0-9_]*$/;
const named: Readonly<Record<string, string>> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/**
 * Any text as a PromQL string literal that stands for exactly that text (Prometheus: "PromQL basics", string literals
 * follow Go's escaping rules). Half a surrogate pair, which UTF-8 cannot carry, becomes U+FFFD.
 */
export function quote(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must be escaped
  const escaped = text.toWellFormed().replace(/["\\\u0000-\u001f\u007f]/g, (character) => {
    return named[character] ?? `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
  });
  return `"${escaped}"`;
}

/** `label="value"`, the value escaped. Throws `invalid` for what is no label name, as that part has no quotes to hold it. */
export function matcher({ label, operator, value }: LabelMatcher): string {
  if (!labelName.test(label)) {
    throw new Failure(
      'invalid',
      `filter: expected a PromQL label such as kube_pod_name, got ${JSON.stringify(label.slice(0, 80))}`,
    );
  }
  return `${label}${operator}${quote(value)}`;
}

/**
 * A matcher of exactly these names, whatever characters they hold: equality for one, escaped alternatives for several
 * (PromQL anchors them at both ends). Repeated names count once; no name at all is a defect of the caller.
 */
export function oneOf(label: string, names: readonly string[]): string {
  const distinct = [...new Set(names)];
  const [first] = distinct;
  if (first === undefined) throw new Failure('internal', `expected names to match ${label} with, got none`);
  if (distinct.length === 1) return matcher({ label, operator: '=', value: first });
  return matcher({ label, operator: '=~', value: distinct.map(literally).join('|') });
}

/** The text as a regular expression of itself: every metacharacter of RE2 is escaped. */
function literally(text: string): string {
  return text.replace(/[\\.+*?()|[\]{}^$]/g, '\\$&');
}
