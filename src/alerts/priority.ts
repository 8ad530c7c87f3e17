/** Falco's priorities, the gravest first; each one's place in the list is its rank. */
export const priorities = [
  'Emergency',
  'Alert',
  'Critical',
  'Error',
  'Warning',
  'Notice',
  'Informational',
  'Debug',
] as const;

export type Priority = (typeof priorities)[number];

const byLowerCase: ReadonlyMap<string, Priority> = new Map<string, Priority>([
  ...priorities.map((priority) => [priority.toLowerCase(), priority] as const),
  ['info', 'Informational'],
]);

/** 0 for Emergency to 7 for Debug: at least as grave means a rank at most as high. */
export const rankOf: Readonly<Record<Priority, number>> = Object.fromEntries(
  priorities.map((priority, rank) => [priority, rank]),
) as Record<Priority, number>;

/** A priority in any letter case, also `info`; undefined for anything else. */
export function parsePriority(text: string): Priority | undefined {
  return byLowerCase.get(text) ?? byLowerCase.get(text.toLowerCase());
}
