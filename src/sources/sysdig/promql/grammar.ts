import type { SyntaxNode } from '@lezer/common';
import { parser } from '@prometheus-io/lezer-promql';
import { durationMs } from '#src/sources/sysdig/promql/duration.ts';
import { kindOf } from '#src/sources/sysdig/promql/kind.ts';
import { isSelfContained } from '#src/sources/sysdig/promql/self-contained.ts';

/** How far an instant selector looks back for its last sample (PromQL's default, and Sysdig's). */
export const lookbackMs = 300_000;

/** A place where an expression reads a metric. */
export interface Selector {
  /** As written, without range, offset or `@`. */
  readonly text: string;
  /** How old a sample may be and still decide the value: the ranges around it, and the look-back where it has none. */
  readonly reachMs: number;
  /** Whether it has a range of its own: then nothing is looked back for beyond it. */
  readonly ranged: boolean;
}

/** An expression that is certainly one complete instant vector. */
export interface Expression {
  /** Whether it may stand beside another's expression in one request: it cannot leave the parentheses around it. */
  readonly shareable: boolean;
  /** The distinct metrics that it reads; undefined where a selector does not name its metric. */
  readonly metrics: readonly string[] | undefined;
  /** Where the age of the data can be asked for: not those that `offset` or `@` move on purpose. */
  readonly selectors: readonly Selector[];
}

/**
 * Reads an expression with Prometheus' own grammar. Undefined unless every token of it belongs to one expression of
 * the type instant vector: no errors that the parser recovered from, no comments, no scalar, string or range.
 */
export function readExpression(text: string): Expression | undefined {
  const root = soundExpression(text);
  if (!root || kindOf(root, text) !== 'vector') return undefined;
  const found = selectorsUnder(root);
  const metrics = new Set<string>();
  let named = true;
  for (const node of found) {
    const name = node.getChild('Identifier');
    if (name) metrics.add(slice(name, text));
    else named = false;
  }
  return {
    shareable: isSelfContained(text),
    metrics: named && !readsUnnamed(root) ? [...metrics] : undefined,
    selectors: found.flatMap((node) => datable(node, text) ?? []),
  };
}

/** Beyond it reading takes a fraction of a second, in which nobody is answered. */
export const longestRead = 20_000;

/** The one expression that the text is, to its last token; undefined where there is anything else in it. */
export function soundExpression(text: string): SyntaxNode | undefined {
  if (text.length > longestRead) return undefined;
  const top = parser.parse(text).topNode;
  const root = top.firstChild;
  return root && !root.nextSibling && isSound(top, text) ? root : undefined;
}

/** Lezer recovers from errors, and lets a string end with the line instead of its quote. */
function isSound(top: SyntaxNode, text: string): boolean {
  let sound = true;
  top.cursor().iterate((node) => {
    if (node.type.isError || node.name === 'LineComment') sound = false;
    if (node.name === 'StringLiteral') {
      const written = text.slice(node.from, node.to);
      if (written.length < 2 || written.at(0) !== written.at(-1)) sound = false;
    }
    return sound;
  });
  return sound;
}

function selectorsUnder(root: SyntaxNode): SyntaxNode[] {
  const found: SyntaxNode[] = [];
  root.cursor().iterate((node) => {
    if (node.name === 'VectorSelector') found.push(node.node);
  });
  return found;
}

/** `info()` reads `target_info` beside what it is given. */
function readsUnnamed(root: SyntaxNode): boolean {
  let reads = false;
  root.cursor().iterate((node) => {
    if (node.name === 'Info') reads = true;
  });
  return reads;
}

function datable(selector: SyntaxNode, text: string): Selector | undefined {
  let rangesMs = 0;
  let ranged = false;
  for (let node = selector.parent; node; node = node.parent) {
    if (node.name === 'OffsetExpr' || node.name === 'StepInvariantExpr') return undefined;
    if (node.name !== 'MatrixSelector' && node.name !== 'SubqueryExpr') continue;
    const range = node.getChild('DurationExpr');
    const ms = range && durationMs(slice(range, text));
    if (!ms) return undefined;
    rangesMs += ms;
    if (node.name === 'MatrixSelector') ranged = true;
  }
  return { text: slice(selector, text), reachMs: ranged ? rangesMs : rangesMs + lookbackMs, ranged };
}

function slice(node: SyntaxNode, text: string): string {
  return text.slice(node.from, node.to);
}
