const closing: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Whether an expression stays inside parentheses put around it, whatever parser reads it. It holds only what every
 * tokenizer of PromQL reads alike: printable ASCII and line breaks, strings that end on their line, no escapes, no
 * raw strings, no comments; and in it every bracket closes what it opened. A parser that sees the same strings and
 * the same balanced brackets cannot take a part of it for something outside.
 */
export function isSelfContained(text: string): boolean {
  if (/[^\x20-\x7e\n]|[\\`]/.test(text)) return false;
  const open: string[] = [];
  for (let at = 0; at < text.length; at++) {
    const character = text.charAt(at);
    if (character === '#') return false;
    if (character === '"' || character === "'") {
      const end = text.indexOf(character, at + 1);
      if (end < 0 || text.slice(at, end).includes('\n')) return false;
      at = end;
    } else if (character in closing) {
      open.push(closing[character] ?? '');
    } else if (')]}'.includes(character) && open.pop() !== character) {
      return false;
    }
  }
  return open.length === 0;
}
