import type { AlertSubject } from '#src/alerts/alert.ts';
import { compileGlobs } from '#src/alerts/globs.ts';
import { type Priority, rankOf } from '#src/alerts/priority.ts';

/** Which alerts are meant. Empty lists mean all. */
export interface AlertFilter {
  /** At least as grave as this. */
  readonly minimumPriority: Priority;
  /** Patterns of rule names (`globs.ts`). */
  readonly rules: readonly string[];
  /** Patterns of tags: one tag must be meant by the positive ones, and none may be by a negated one. */
  readonly tags: readonly string[];
  /** Patterns of event sources. */
  readonly sources: readonly string[];
  /** Only those that something may be done about. */
  readonly acting?: boolean;
}

/** What a filter looks at. */
export interface Signature extends Pick<AlertSubject, 'rule' | 'priority' | 'source' | 'tags'> {
  /** Whether anything may be done about such an alert (`mayAct`). */
  readonly mayAct: boolean;
}

export function compileFilter({
  minimumPriority,
  rules,
  tags,
  sources,
  acting = false,
}: AlertFilter): (alert: Signature) => boolean {
  const mostRank = rankOf[minimumPriority];
  const isRule = compileGlobs(rules);
  const isSource = compileGlobs(sources);
  const isTag = compileGlobs(tags.filter((pattern) => !pattern.startsWith('!')));
  const excluded = tags.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
  const isExcluded = compileGlobs(excluded);
  const needsTag = excluded.length < tags.length;
  return (alert) =>
    (!acting || alert.mayAct) &&
    rankOf[alert.priority] <= mostRank &&
    isRule(alert.rule) &&
    isSource(alert.source) &&
    (!needsTag || alert.tags.some(isTag)) &&
    (excluded.length === 0 || !alert.tags.some(isExcluded));
}
