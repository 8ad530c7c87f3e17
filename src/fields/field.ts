import { z } from 'zod';
import { formatDuration, parseDuration } from '#src/fields/duration.ts';
import { parseNumber } from '#src/fields/quantity.ts';

/**
 * KEDA gives strings, and so does the environment; each builder here makes a schema that reads one strictly. A problem
 * always says what was expected and what came.
 */

export interface NumberBounds {
  min?: number;
  max?: number;
  /** Whole numbers only. */
  whole?: boolean;
}

export interface DurationBounds {
  min: string;
  max: string;
}

/** How a text of the user's is shown in a message: quoted, on one line, cut. */
export function show(text: string | undefined): string {
  if (text === undefined) return 'nothing';
  const cut = text.length > 60 ? `${text.slice(0, 57)}...` : text;
  return JSON.stringify(cut);
}

/** Reads a string by `parse`, which answers undefined for what it does not accept; `shown` quotes what came. */
export function read<T>(expected: string, parse: (text: string) => T | undefined, shown = show) {
  return z
    .string({
      error: (issue) =>
        `expected ${expected}, got ${issue.input === undefined ? 'nothing' : typeof issue.input}`,
    })
    .transform((raw, context): T => {
      const value = parse(raw.trim());
      if (value !== undefined) return value;
      context.addIssue(`expected ${expected}, got ${shown(raw)}`);
      return z.NEVER;
    });
}

export function number({
  min = Number.NEGATIVE_INFINITY,
  max = Number.POSITIVE_INFINITY,
  whole = false,
}: NumberBounds = {}) {
  const noun = whole ? 'a whole number' : 'a number';
  return read(`${noun}${range(min, max)}`, (text) => {
    const value = parseNumber(text);
    if (value === undefined || value < min || value > max) return undefined;
    return whole && !Number.isInteger(value) ? undefined : value;
  });
}

export function duration({ min, max }: DurationBounds) {
  const minMs = parseDuration(min) ?? 0;
  const maxMs = parseDuration(max) ?? 0;
  return read(`${formatDuration(minMs)} to ${formatDuration(maxMs)}`, (text) => {
    const ms = parseDuration(text);
    return ms === undefined || ms < minMs || ms > maxMs ? undefined : ms;
  });
}

export function choice<const T extends readonly string[]>(choices: T) {
  return read(sentence(choices), (text) => choices.find((one) => one === text) as T[number] | undefined);
}

export function pattern(expected: string, form: RegExp) {
  return read(expected, (text) => (form.test(text) ? text : undefined));
}

/** Names divided by commas; empty places are dropped. */
export function list(expected: string) {
  return read(expected, (text) => {
    const items = text.split(',').map((item) => item.trim());
    const named = items.filter((item) => item !== '');
    return named.length > 0 ? named : undefined;
  });
}

export function flag() {
  return choice(['true', 'false']).transform((text) => text === 'true');
}

function range(min: number, max: number): string {
  if (min > Number.NEGATIVE_INFINITY && max < Number.POSITIVE_INFINITY) return ` from ${min} to ${max}`;
  if (min > Number.NEGATIVE_INFINITY) return ` of at least ${min}`;
  return max < Number.POSITIVE_INFINITY ? ` of at most ${max}` : '';
}

function sentence(choices: readonly string[]): string {
  const last = choices.at(-1) ?? '';
  return choices.length > 1 ? `${choices.slice(0, -1).join(', ')} or ${last}` : last;
}
