import { Failure } from '#src/failure.ts';
import { largestQuantity } from '#src/fields/quantity.ts';

/** One metric and its target, both ways: KEDA before 2.17 reads only the integer. */
export interface WireSpec {
  readonly metricName: string;
  readonly targetSize: number;
  readonly targetSizeFloat: number;
}

/** One value, both ways. */
export interface WireValue {
  readonly metricName: string;
  readonly metricValue: number;
  readonly metricValueFloat: number;
}

/** The target rounded up is at least 1: an HPA refuses 0. */
export function wireSpec(metricName: string, target: number): WireSpec {
  return { metricName, targetSize: Math.max(1, Math.ceil(target)), targetSizeFloat: target };
}

/** `value` must have passed `requireRepresentable`. Adding 0 turns the -0 of a rounded -0.5 into 0. */
export function wireValue(metricName: string, value: number): WireValue {
  return { metricName, metricValue: Math.ceil(value) + 0, metricValueFloat: value };
}

/** Throws `invalid` for a number that no HPA could hold. */
export function requireRepresentable(value: number): void {
  if (Math.abs(value) <= largestQuantity) return;
  throw new Failure(
    'invalid',
    `value: expected a number between -9.2e15 and 9.2e15, the most that Kubernetes can hold, got ${value}; divide it in the query`,
  );
}
