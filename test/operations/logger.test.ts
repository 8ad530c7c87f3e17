import test from 'ava';
import { createLogger } from '#src/operations/logger.ts';

function written(level: string) {
  const lines: string[] = [];
  return { lines, log: createLogger(level, { write: (line: string) => void lines.push(line) }) };
}

test('an event is one line of JSON, with its level as a word', (t) => {
  const { lines, log } = written('info');
  log.info({ trigger: 'shop/checkout' }, 'answers again');
  t.is(lines.length, 1);
  t.like(JSON.parse(lines[0] ?? ''), { level: 'info', trigger: 'shop/checkout', msg: 'answers again' });
});

test('what is below the level is left out', (t) => {
  const { lines, log } = written('warn');
  log.debug({}, 'a');
  log.info({}, 'b');
  log.error({}, 'c');
  t.is(lines.length, 1);
});

test('a field that could hold a secret does not show it', (t) => {
  const { lines, log } = written('info');
  log.info({ token: 'very-secret', headers: { authorization: 'Bearer very-secret' } }, 'asked');
  t.notRegex(lines.join(), /very-secret/);
});

test('newlines and terminal escapes in texts stay within their line, escaped', (t) => {
  const { lines, log } = written('info');
  log.info({ reason: 'a\n{"level":"fatal"}\u001b[2J\u0000' }, 'x\ny');
  t.is(lines.join('').split('\n').length, 2);
  // biome-ignore lint/suspicious/noControlCharactersInRegex: that none is there is what is asked
  t.notRegex(lines.join('').trimEnd(), /[\u0000-\u001f]/);
});
