import test from 'ava';
import { maySeeStatus } from '#src/operations/status-access.ts';

const token = 'open-sesame';

function afar(authorization?: string, expected: string | undefined = token): boolean {
  return maySeeStatus({ remoteAddress: '10.1.2.3', authorization }, expected);
}

test('loopback may, in all its spellings', (t) => {
  for (const remoteAddress of ['127.0.0.1', '127.8.8.8', '::1', '::ffff:127.0.0.1']) {
    t.true(maySeeStatus({ remoteAddress, authorization: undefined }, undefined), remoteAddress);
  }
});

test('from afar only the bearer of the token may', (t) => {
  t.true(afar('Bearer open-sesame'));
  t.true(afar('bearer open-sesame'));
  for (const wrong of [
    undefined,
    '',
    'open-sesame',
    'Bearer',
    'Bearer wrong',
    'Basic open-sesame',
    'Bearer open-sesame2',
  ]) {
    t.false(afar(wrong), wrong);
  }
});

test('without a token nobody from afar may', (t) => {
  t.false(maySeeStatus({ remoteAddress: '10.1.2.3', authorization: 'Bearer ' }, ''));
  t.false(maySeeStatus({ remoteAddress: '10.1.2.3', authorization: 'Bearer undefined' }, undefined));
  t.false(maySeeStatus({ remoteAddress: undefined, authorization: undefined }, token));
});
