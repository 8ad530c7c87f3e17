import type { SyntaxNode } from '@lezer/common';

/** The types that PromQL knows. */
export type Kind = 'vector' | 'matrix' | 'scalar' | 'string';

const scalarFunctions = new Set(['scalar', 'time', 'pi', 'start', 'end', 'range', 'step']);
const overRange =
  /^(\w+_over_time|rate|irate|increase|delta|idelta|deriv|predict_linear|changes|resets|double_exponential_smoothing)$/;
const comparisons = new Set(['Eql', 'Neq', 'Lte', 'Lss', 'Gte', 'Gtr']);
const setOperators = new Set(['And', 'Or', 'Unless']);
const arithmetic = new Set(['Add', 'Sub', 'Mul', 'Div', 'Mod', 'Pow', 'Atan2']);

/**
 * The type of an expression. Undefined where the parts do not fit together, and for whatever only the newest
 * Prometheus knows (`smoothed`, `fill`, computed ranges): Sysdig's may refuse it.
 */
export function kindOf(node: SyntaxNode, text: string): Kind | undefined {
  switch (node.name) {
    case 'NumberDurationLiteral':
      return 'scalar';
    case 'StringLiteral':
      return 'string';
    case 'VectorSelector':
      return 'vector';
    case 'MatrixSelector':
      return node.firstChild?.name === 'VectorSelector' ? 'matrix' : undefined;
    case 'SubqueryExpr':
      return inner(node, text) === 'vector' ? 'matrix' : undefined;
    case 'ParenExpr':
    case 'OffsetExpr':
    case 'StepInvariantExpr':
      return inner(node, text);
    case 'UnaryExpr':
      return numeric(node.lastChild && kindOf(node.lastChild, text));
    case 'AggregateExpr':
      return argumentKinds(node, text).at(-1) === 'vector' ? 'vector' : undefined;
    case 'FunctionCall':
      return kindOfCall(node, text);
    case 'BinaryExpr':
      return kindOfBinary(node, text);
    default:
      return undefined;
  }
}

function inner(node: SyntaxNode, text: string): Kind | undefined {
  return node.firstChild ? kindOf(node.firstChild, text) : undefined;
}

function numeric(kind: Kind | undefined | null): Kind | undefined {
  return kind === 'vector' || kind === 'scalar' ? kind : undefined;
}

function argumentKinds(node: SyntaxNode, text: string): (Kind | undefined)[] {
  const kinds: (Kind | undefined)[] = [];
  const body = node.getChild('FunctionCallBody');
  for (let child = body?.firstChild; child; child = child.nextSibling) kinds.push(kindOf(child, text));
  return kinds;
}

function kindOfCall(node: SyntaxNode, text: string): Kind | undefined {
  const identifier = node.getChild('FunctionIdentifier');
  if (!identifier) return undefined;
  const name = text.slice(identifier.from, identifier.to);
  const kinds = argumentKinds(node, text);
  if (kinds.includes(undefined)) return undefined;
  if (kinds.includes('matrix') !== overRange.test(name)) return undefined;
  return scalarFunctions.has(name) ? 'scalar' : 'vector';
}

function kindOfBinary(node: SyntaxNode, text: string): Kind | undefined {
  const { firstChild: left, lastChild: right } = node;
  if (!left || !right || node.getChild('FillModifier')) return undefined;
  const kinds = [numeric(kindOf(left, text)), numeric(kindOf(right, text))];
  if (kinds.includes(undefined)) return undefined;
  const operator = left.nextSibling?.name ?? '';
  const vector = kinds.includes('vector');
  if (arithmetic.has(operator)) return vector ? 'vector' : 'scalar';
  if (comparisons.has(operator)) {
    if (vector) return 'vector';
    return node.getChild('BoolModifier') ? 'scalar' : undefined;
  }
  if (setOperators.has(operator)) return kinds.includes('scalar') ? undefined : 'vector';
  return undefined;
}
