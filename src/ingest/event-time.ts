/**
 * An RFC 3339 time as epoch ms; undefined for anything else. Falco gives nine digits of a second, Alertmanager an
 * offset, ISO time formats an offset without its colon; a wrong date, or what follows a complete time, makes it none.
 *
 * Date.parse is not used: what is not in its own form it guesses at, differently in each engine.
 */
export function parseTime(text: string): number | undefined {
  const length = text.length;
  if (length < 20 || length > 40) return undefined;
  const [year, month, day] = [digits(text, 0, 4), digits(text, 5, 2), digits(text, 8, 2)];
  const [hour, minute, second] = [digits(text, 11, 2), digits(text, 14, 2), digits(text, 17, 2)];
  if (!(year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month))) return undefined;
  // A leap second is the last moment of its minute.
  if (!(hour <= 23 && minute <= 59 && second <= 60)) return undefined;
  if (text[4] !== '-' || text[7] !== '-' || text[13] !== ':' || text[16] !== ':') return undefined;
  if (text[10] !== 'T' && text[10] !== 't' && text[10] !== ' ') return undefined;
  let at = 19;
  let ms = 0;
  if (text[at] === '.') {
    const from = at + 1;
    for (at = from; at < length && isDigit(text.charCodeAt(at)); at++) {
      if (at - from < 3) ms = ms * 10 + text.charCodeAt(at) - zero;
    }
    const places = at - from;
    if (places === 0) return undefined;
    if (places < 3) ms *= 10 ** (3 - places);
  }
  const offset = offsetMs(text, at);
  if (offset === undefined) return undefined;
  // Go's zero time: its sender had none to give.
  if (year === 1) return undefined;
  return Date.UTC(year, month - 1, day, hour, minute, Math.min(second, 59), ms) - offset;
}

/** A number of s, ms, µs or ns since 1970, told apart by its size, as epoch ms; undefined for anything else. */
export function timeFromNumber(value: number): number | undefined {
  if (!(value >= 1e9 && value < 1e19)) return undefined;
  if (value < 1e11) return value * 1e3;
  if (value < 1e14) return value;
  return value < 1e17 ? value / 1e3 : value / 1e6;
}

const zero = 48;

function isDigit(code: number): boolean {
  return code >= zero && code <= zero + 9;
}

/** NaN where something else stands, which no comparison lets through. */
function digits(text: string, from: number, count: number): number {
  let value = 0;
  for (let at = from; at < from + count; at++) {
    const code = text.charCodeAt(at);
    if (!isDigit(code)) return Number.NaN;
    value = value * 10 + code - zero;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month !== 2) return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
  return (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 29 : 28;
}

/** `Z`, `+02:00` or `+0200` at the end. */
function offsetMs(text: string, at: number): number | undefined {
  const sign = text[at];
  if (sign === 'Z' || sign === 'z') return text.length === at + 1 ? 0 : undefined;
  if (sign !== '+' && sign !== '-') return undefined;
  const minutesAt = text[at + 3] === ':' ? at + 4 : at + 3;
  if (text.length !== minutesAt + 2) return undefined;
  const [hours, minutes] = [digits(text, at + 1, 2), digits(text, minutesAt, 2)];
  if (!(hours <= 23 && minutes <= 59)) return undefined;
  return (sign === '-' ? -1 : 1) * (hours * 3_600_000 + minutes * 60_000);
}
