import type { Source } from '#src/sources/source.ts';
import type { Trigger } from '#src/triggers/trigger.ts';

/** One source for every name that a trigger may carry: a new one is a folder and a line here. */
export type Sources = { readonly [T in Trigger as T['source']]: Source<T> };
