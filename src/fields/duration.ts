const unitsMs = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
const whole = /^(?:\d+(?:ms|[smhd]))+$/;
const part = /(\d+)(ms|[smhd])/g;

/**
 * A duration as people write it, `90s`, `5m`, `1h30m`, in ms; undefined for anything else: no blanks, no signs, no
 * bare numbers.
 */
export function parseDuration(text: string): number | undefined {
  if (!whole.test(text)) return undefined;
  let ms = 0;
  for (const [, count, unit] of text.matchAll(part)) {
    ms += Number(count) * unitsMs[unit as keyof typeof unitsMs];
  }
  return Number.isSafeInteger(ms) ? ms : undefined;
}

/** The shortest way to write `ms` that reads back the same: 90,000 is `90s`, 300,000 is `5m`. */
export function formatDuration(ms: number): string {
  for (const unit of ['h', 'm', 's'] as const) {
    if (ms !== 0 && ms % unitsMs[unit] === 0) return `${ms / unitsMs[unit]}${unit}`;
  }
  return `${ms}ms`;
}
