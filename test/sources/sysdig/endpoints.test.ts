import test from 'ava';
import { Failure } from '#src/failure.ts';
import { ownUrl, regions, regionUrl } from '#src/sources/sysdig/endpoints.ts';

test('every region has its https address', (t) => {
  t.is(regionUrl('us1'), 'https://app.sysdigcloud.com');
  t.is(regionUrl('eu1'), 'https://eu1.app.sysdig.com');
  t.is(regionUrl('me2'), 'https://app.me2.sysdig.com');
  for (const region of regions) t.regex(regionUrl(region), /^https:\/\/[a-z0-9.]+\.com$/);
});

test('IBM Cloud regions are public or private', (t) => {
  t.is(regionUrl('ibm:us-south'), 'https://us-south.monitoring.cloud.ibm.com');
  t.is(regionUrl('ibm-private:eu-de'), 'https://private.eu-de.monitoring.cloud.ibm.com');
});

for (const region of [
  'eu9',
  'EU1',
  '',
  'constructor',
  'ibm:',
  'ibm:evil.com/',
  'ibm:us-south.evil.com',
  'ibm:us-south\n',
]) {
  test(`no region: ${JSON.stringify(region)}`, (t) => {
    t.is(t.throws(() => regionUrl(region), { instanceOf: Failure }).code, 'invalid');
  });
}

test('a wrong region is told what there is', (t) => {
  t.throws(() => regionUrl('eu11'), {
    message: /expected one of us1, .*ibm:REGION.*got "eu11"; did you mean eu1\?/,
  });
});

test('keeps an own address and its path, without the trailing slash', (t) => {
  t.is(ownUrl('https://sysdig.example.com/', { allowHttp: false }), 'https://sysdig.example.com');
  t.is(
    ownUrl('https://sysdig.example.com:8443/monitor//', { allowHttp: false }),
    'https://sysdig.example.com:8443/monitor',
  );
});

test('plain http is for loopback, or allowed in so many words', (t) => {
  for (const url of ['http://127.0.0.1:9090', 'http://localhost:9090', 'http://[::1]:9090']) {
    t.is(ownUrl(url, { allowHttp: false }), url);
  }
  t.is(ownUrl('http://sysdig.internal', { allowHttp: true }), 'http://sysdig.internal');
  for (const url of ['http://sysdig.internal', 'http://127.0.0.1.evil.com', 'http://localhost.evil.com']) {
    t.throws(() => ownUrl(url, { allowHttp: false }), { message: /plain http.*SYSDIG_ALLOW_HTTP=true/ });
  }
});

const wrong: [string, RegExp][] = [
  ['sysdig.example.com', /got "sysdig\.example\.com"/],
  ['ftp://sysdig.example.com', /got "ftp:/],
  [
    'https://me:hunter2@sysdig.example.com',
    /with credentials for sysdig\.example\.com; they belong in the token file/,
  ],
  ['https://sysdig.example.com?token=hunter2', /with a query/],
  ['https://sysdig.example.com/?', /with a query/],
  ['https://sysdig.example.com/prometheus/', /leave off \/api or \/prometheus/],
  ['https://sysdig.example.com/api/v2', /leave off \/api or \/prometheus/],
  ['me:hunter2@sysdig', /got/],
  ['file://me:hunter2@sysdig?hunter2', /got/],
];
for (const [url, message] of wrong) {
  test(`no address of Sysdig: ${url}`, (t) => {
    const failure = t.throws(() => ownUrl(url, { allowHttp: true }), { instanceOf: Failure, message });
    t.is(failure.code, 'invalid');
    t.notRegex(failure.message, /hunter2/);
  });
}
