import type { PeerCertificate } from 'node:tls';
import test from 'ava';
import { clientNames } from '#src/tls/client-names.ts';

const names = (subjectaltname: string | undefined, CN?: unknown) =>
  clientNames({ subjectaltname, subject: { CN } } as PeerCertificate);

test('reads DNS and URI names, then the common name', (t) => {
  t.deepEqual(names('DNS:a.svc, IP Address:127.0.0.1, URI:spiffe://c/ns/keda, email:k@x', 'keda'), [
    'a.svc',
    'spiffe://c/ns/keda',
    'keda',
  ]);
});

test('a certificate may have no names, or several common names', (t) => {
  t.deepEqual(names(undefined), []);
  t.deepEqual(names('', ['a', 'b']), ['a', 'b']);
});

test('a quoted name is one name, whatever it imitates', (t) => {
  t.deepEqual(names('DNS:"good.svc, DNS:keda", URI:"http://x/\\", DNS:keda"'), [
    'good.svc, DNS:keda',
    'http://x/", DNS:keda',
  ]);
});

test('stops at what it cannot read', (t) => {
  t.deepEqual(names('DNS:a, garbage'), ['a']);
});
