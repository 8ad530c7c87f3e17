import test from 'ava';
import { ingestAddress } from '#src/configuration/ingest-rules.ts';
import { ConfigurationError, readConfiguration } from '#src/configuration/read-configuration.ts';

function read(environment: Record<string, string>, file = '') {
  return readConfiguration(
    file === '' ? environment : { ...environment, CONFIG_FILE: 'scaler.yaml' },
    () => file,
  );
}

function problems(environment: Record<string, string>, file = ''): readonly string[] {
  try {
    read(environment, file);
  } catch (error) {
    if (error instanceof ConfigurationError) return error.problems;
    throw error;
  }
  return [];
}

test('is sensible without any setting', (t) => {
  const { settings, accounts } = read({});
  t.is(settings['grpc.address'], '0.0.0.0:6000');
  t.is(settings['operations.address'], '0.0.0.0:6002');
  t.is(settings['grpc.answerTimeout'], 2_000);
  t.is(settings.upstreamTimeout, 30_000);
  t.is(settings.logLevel, 'info');
  t.is(accounts.size, 0);
});

test('the environment wins over the file', (t) => {
  const { settings } = read(
    { GRPC_ADDRESS: '[::1]:7000' },
    'grpc:\n  address: 0.0.0.0:1\n  answerTimeout: 1s\n',
  );
  t.is(settings['grpc.address'], '[::1]:7000');
  t.is(settings['grpc.answerTimeout'], 1_000);
});

test('an empty variable is one that is not set', (t) => {
  t.is(read({ LOG_LEVEL: '' }).settings.logLevel, 'info');
});

test('the unnamed account comes from sysdig, others from accounts', (t) => {
  const file = `
sysdig: { region: eu1, tokenFile: /token }
accounts:
  team-a: { url: "https://sysdig.example", tokenFile: /a, namespaces: [shop, cart], queries: own, concurrency: 2 }
`;
  const { accounts } = read({}, file);
  t.like(accounts.get('default'), { region: 'eu1', tokenFile: '/token', queries: 'any', concurrency: 8 });
  t.is(accounts.get('default')?.namespaces, undefined);
  t.like(accounts.get('team-a'), { namespaces: ['shop', 'cart'], queries: 'own', concurrency: 2 });
});

test('the environment can hold named accounts too', (t) => {
  const { accounts } = read({ ACCOUNTS: '{team-a: {region: us2, tokenFile: /a}}' });
  t.is(accounts.get('team-a')?.region, 'us2');
});

test('three mistakes in a file are three problems', (t) => {
  t.deepEqual(problems({}, 'grpc:\n  adress: x:1\n  answerTimeout: 2 s\nlogLevel: verbose\n'), [
    'grpc.adress: unknown setting; did you mean grpc.address?',
    'grpc.answerTimeout (GRPC_ANSWER_TIMEOUT): expected 100ms to 50s, got "2 s"',
    'logLevel (LOG_LEVEL): expected debug, info, warn or error, got "verbose"',
  ]);
});

test('an account needs one address and one secret', (t) => {
  t.deepEqual(
    problems({ SYSDIG_REGION: 'us1', SYSDIG_URL: 'https://a.example', SYSDIG_IBM_API_KEY_FILE: '/key' }),
    [
      'sysdig.url, sysdig.region: expected one of the two, got both',
      'sysdig.ibmInstanceId: expected the GUID of the instance beside ibmApiKeyFile, got nothing',
    ],
  );
  t.deepEqual(problems({ SYSDIG_CONCURRENCY: '3' }), [
    'sysdig.url, sysdig.region: expected one of the two, got neither',
    'sysdig.tokenFile, sysdig.ibmApiKeyFile: expected one of the two, got neither',
  ]);
});

test('a secret in the environment is refused', (t) => {
  t.deepEqual(problems({ SYSDIG_TOKEN: 'abc' }), [
    'SYSDIG_TOKEN: a secret in the environment is refused; write it to a file and name that, as SYSDIG_TOKEN_FILE does',
  ]);
});

test('a secret never shows in a problem', (t) => {
  const told = [
    { SYSDIG_TOKEN: 'hunter2' },
    { IBM_API_KEY: 'hunter2' },
    { SYSDIG_URL: 'user:hunter2@host', SYSDIG_TOKEN_FILE: '/t' },
    { SYSDIG_URL: 'https://user:hunter2@host', SYSDIG_TOKEN_FILE: '/t' },
    { SYSDIG_URL: 'https://host?token=hunter2', SYSDIG_TOKEN_FILE: '/t' },
    { SYSDIG_PROXY: 'socks5://user:hunter2@proxy:1080', SYSDIG_REGION: 'eu1', SYSDIG_TOKEN_FILE: '/t' },
  ].map((environment) => problems(environment as unknown as Record<string, string>).join());
  for (const text of told) {
    t.not(text, '');
    t.notRegex(text, /hunter2/);
  }
});

test('an empty variable holds no secret', (t) => {
  t.deepEqual(problems({ SYSDIG_TOKEN: '' }), []);
});

test('addresses are judged with everything else', (t) => {
  t.deepEqual(problems({ SYSDIG_REGION: 'eu11', SYSDIG_TOKEN_FILE: '/t', LOG_LEVEL: 'x' }).length, 2);
  t.regex(
    problems({ SYSDIG_URL: 'http://sysdig.example', SYSDIG_TOKEN_FILE: '/t' }).join(),
    /^sysdig\.url: expected .*plain http/,
  );
});

test('half a key pair is refused, and what hangs on it', (t) => {
  t.deepEqual(problems({ GRPC_TLS_CERT_FILE: '/c', GRPC_TLS_ALLOWED_NAMES: 'keda' }), [
    'grpc.tls.certFile, grpc.tls.keyFile: expected both or neither, got one',
    'grpc.tls.allowedNames: goes with grpc.tls.clientCaFile, which is missing',
  ]);
});

test('a file that is no YAML mapping is told in one line', (t) => {
  t.is(problems({}, '- a\n- b\n').length, 1);
  t.regex(problems({}, 'a: [1\nb: }').join(), /^CONFIG_FILE scaler\.yaml: expected readable YAML, got: /);
});

test('a file that cannot be read is told with its path', (t) => {
  const failing = () => {
    throw new Error("ENOENT: no such file or directory, open 'scaler.yaml'");
  };
  const error = t.throws(() => readConfiguration({ CONFIG_FILE: 'scaler.yaml' }, failing));
  t.regex(error?.message ?? '', /^CONFIG_FILE scaler\.yaml: expected readable YAML, got: ENOENT/);
});

test('account names and settings are checked like all others', (t) => {
  t.deepEqual(problems({}, 'accounts: { "Team A": {}, b: { region: us1, tokenFile: /b, querys: own } }'), [
    'accounts: expected names such as team-a (not default), each with its settings, got "Team A"',
    'accounts.b.querys: unknown setting; did you mean queries?',
  ]);
});

test('an address has a host and a port that exists', (t) => {
  for (const wrong of ['6000', ':6000', 'localhost', '0.0.0.0:66000', '::1:6000', 'a b:1']) {
    t.deepEqual(problems({ GRPC_ADDRESS: wrong }), [
      `grpc.address (GRPC_ADDRESS): expected an address such as 0.0.0.0:6000 or [::]:6000, got ${JSON.stringify(wrong)}`,
    ]);
  }
});

test('the ingest is for this machine alone until a credential is set', (t) => {
  const { settings, credentials } = read({});
  t.is(ingestAddress(settings, credentials.size), '127.0.0.1:6001');
  const withToken = read({ INGEST_TOKEN_FILE: '/token' });
  t.is(ingestAddress(withToken.settings, withToken.credentials.size), '0.0.0.0:6001');
  t.is(withToken.credentials.get('default')?.tokenFile, '/token');
});

test('an ingest that others reach needs a credential, or the word that it needs none', (t) => {
  const [problem] = problems({ INGEST_ADDRESS: '0.0.0.0:6001' });
  t.regex(
    problem ?? '',
    /expected a credential for 0\.0\.0\.0:6001.*INGEST_TOKEN_FILE.*INGEST_ALLOW_ANONYMOUS=true/,
  );
  t.deepEqual(problems({ INGEST_ADDRESS: '0.0.0.0:6001', INGEST_ALLOW_ANONYMOUS: 'true' }), []);
  t.deepEqual(problems({ INGEST_ADDRESS: '[::1]:7001' }), []);
});

test('named credentials stand in the file or, as YAML, in the environment', (t) => {
  const file = `
ingest:
  tokenFile: /token
  credentials:
    shop: { tokenFile: /shop, namespaces: [shop, cart], senders: [falco, fluentbit] }
`;
  const { credentials } = read({}, file);
  t.deepEqual([...credentials.keys()], ['default', 'shop']);
  t.like(credentials.get('shop'), { namespaces: ['shop', 'cart'], senders: ['falco', 'fluentbit'] });
  t.is(read({ INGEST_CREDENTIALS: '{a: {tokenFile: /a}}' }).credentials.get('a')?.tokenFile, '/a');
});

test('a credential needs a token or client names, and client names a CA', (t) => {
  t.regex(
    problems({ INGEST_CREDENTIALS: '{a: {namespaces: shop}}' })[0] ?? '',
    /^ingest\.credentials\.a\.tokenFile, .*got neither$/,
  );
  t.regex(
    problems({ INGEST_CLIENT_NAMES: 'falco' })[0] ?? '',
    /^ingest\.clientNames: goes with ingest\.tls\.clientCaFile/,
  );
  const tls = { INGEST_TLS_CERT_FILE: '/c', INGEST_TLS_KEY_FILE: '/k', INGEST_TLS_CLIENT_CA_FILE: '/ca' };
  t.regex(problems(tls)[0] ?? '', /^ingest\.tls\.clientCaFile: expected ingest\.clientNames/);
  t.deepEqual(problems({ ...tls, INGEST_CLIENT_NAMES: 'falco' }), []);
  t.regex(
    problems({ INGEST_TOKEN_FILE: '/t', INGEST_SENDERS: 'falco,prometheus' })[0] ?? '',
    /^ingest\.senders \(INGEST_SENDERS\): expected names out of falco, sysdig, alertmanager, fluentbit/,
  );
});

test('the journal is a file or memory, and a password in another address never shows', (t) => {
  t.is(read({}).settings.journal, 'sqlite:data/journal.db');
  t.is(read({ JOURNAL: 'memory:' }).settings.journal, 'memory:');
  const [problem = ''] = problems({ JOURNAL: 'redis://:s3cret@redis:6379' });
  t.regex(problem, /^journal \(JOURNAL\): expected memory: or sqlite:PATH, got "redis:…"$/);
});
