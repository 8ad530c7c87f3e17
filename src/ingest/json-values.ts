import type { Reading } from '#src/ingest/reading.ts';

/** Below this a text is parsed before its depth is looked at: what it may cost in memory is small. */
const unscannedLength = 256 * 1024;
const deepest = 32;
/** Of one line: more values in a row than any sender batches. */
const mostValues = 20_000;

/**
 * The JSON values of a body: one, or one a line, or one after the other without anything between them. What is no JSON is
 * told to the reading, and does not cost its neighbours. Linear in the length of the text, whatever stands in it.
 */
export function jsonValues(text: string, reading: Reading): unknown[] {
  if (text.length > unscannedLength && isTooDeep(text)) {
    reading.refuseText(`expected JSON of at most ${deepest} levels, got more`);
    return [];
  }
  const whole = parsed(text);
  if (whole !== broken) return [whole];
  const values: unknown[] = [];
  for (const line of text.split('\n')) {
    if (isBlank(line)) continue;
    const value = parsed(line);
    if (value !== broken) values.push(value);
    else takeConcatenated(line, values, reading);
    if (values.length > mostValues) {
      reading.refuseText(`expected at most ${mostValues} values in a body, got more`);
      return values;
    }
  }
  return values;
}

const broken = Symbol('no JSON');
const notJson = 'expected JSON, got something else or a part of it';

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return broken;
  }
}

function isBlank(text: string): boolean {
  return text.trim() === '';
}

function takeConcatenated(line: string, values: unknown[], reading: Reading): void {
  let at = 0;
  while (at < line.length && values.length <= mostValues) {
    const code = line.charCodeAt(at);
    // White space, and the record separators of JSON text sequences (RFC 7464).
    if (code <= 0x20) {
      at += 1;
      continue;
    }
    const end = endOfValue(line, at);
    const value = end === undefined ? broken : parsed(line.slice(at, end));
    if (value === broken) reading.refuseText(notJson);
    else values.push(value);
    if (end === undefined) return;
    at = end;
  }
}

/** Where the object or array that begins here ends; undefined where none begins, or it does not end. */
function endOfValue(text: string, from: number): number | undefined {
  const first = text[from];
  if (first !== '{' && first !== '[') return undefined;
  let depth = 0;
  for (let at = from; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBrace || code === openBracket) depth += 1;
    else if ((code === closeBrace || code === closeBracket) && --depth === 0) return at + 1;
  }
  return undefined;
}

function isTooDeep(text: string): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    else if (code === openBrace || code === openBracket) {
      if (++depth > deepest) return true;
    } else if (code === closeBrace || code === closeBracket) depth -= 1;
  }
  return false;
}

const [quote, backslash, openBrace, closeBrace, openBracket, closeBracket] = [34, 92, 123, 125, 91, 93];

/** The closing quote of the string that opens here, or the end of the text. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let escapes = 0;
    while (text.charCodeAt(at - 1 - escapes) === backslash) escapes += 1;
    if (escapes % 2 === 0) return at;
  }
  return text.length;
}
