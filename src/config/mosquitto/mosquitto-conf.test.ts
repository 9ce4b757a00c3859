import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { DavylampError } from '#base';
import { readMosquittoConf, readToml, type Config } from '../index.ts';
import type { ConfSource } from './conf-file.ts';
import { findKeyword, keywordGroups, keywordNames } from './keywords.ts';

/**
 * Each golden file: a mosquitto.conf, further files behind lines `=== <path>`, a line of dashes, and what comes of it:
 * `error: …` lines, or `warning: …` lines and the configuration as JSON: of the whole and of each listener what is
 * different from the configuration of an empty file. A first line `# davylamp broker …` has options.
 */
const folder = new URL('golden/', import.meta.url);
const separator = '\n----------\n';
const workingFolder = '/srv/broker';
const mainFile = 'mosquitto.conf';
const goldenNames = readdirSync(folder).sort();
const inputs = goldenNames.map((name) => readFileSync(new URL(name, folder), 'utf8').split(separator));

for (const [index, name] of goldenNames.entries()) {
  test(`mosquitto.conf: ${name}`, async () => {
    const [input = '', expected] = inputs[index] ?? [];
    assert.equal(await outcomeOf(input), expected);
  });
}

test('there are golden files for every keyword, by each of its names', () => {
  assert.ok(goldenNames.length >= 80);
  const used = new Set(
    inputs.flatMap(([input = '']) => input.split('\n').map((line) => line.trim().split(/\s/, 1)[0] ?? '')),
  );
  const missing = keywordNames.filter((name) => !used.has(name));
  assert.deepEqual(missing, []);
  for (const prefix of ['plugin_opt_', 'auth_opt_'])
    assert.ok([...used].some((name) => name.startsWith(prefix)));
});

/** Names that src/conf.c of Mosquitto knows: a name must not get lost. */
const namesOfMosquitto =
  `accept_protocol_versions acl_file address addresses allow_anonymous allow_duplicate_messages
  allow_zero_length_clientid auth_plugin auth_plugin_deny_special_chars auth_opt_x plugin_opt_x auto_id_prefix
  autosave_interval autosave_on_changes bind_address bind_interface bridge_alpn bridge_attempt_unsubscribe
  bridge_bind_address bridge_cafile bridge_capath bridge_certfile bridge_ciphers bridge_ciphers_tls1.3 bridge_identity
  bridge_insecure bridge_keyfile bridge_max_packet_size bridge_max_topic_alias bridge_outgoing_retain
  bridge_protocol_version bridge_psk bridge_receive_maximum bridge_reload_type bridge_require_ocsp
  bridge_session_expiry_interval bridge_tcp_keepalive bridge_tcp_user_timeout bridge_tls_use_os_certs
  bridge_tls_version cafile capath certfile check_retain_source ciphers ciphers_tls1.3 cleansession clientid
  clientid_prefixes connection connection_messages crlfile dhparamfile disable_client_cert_date_checks
  enable_control_api enable_proxy_protocol global_max_clients global_max_connections global_plugin http_dir
  idle_timeout include_dir keepalive_interval keyfile listener listener_allow_anonymous listener_auto_id_prefix
  local_cleansession local_clientid local_password local_username log_dest log_facility log_timestamp
  log_timestamp_format log_type max_connections max_inflight_bytes max_inflight_messages max_keepalive
  max_packet_size max_qos maximum_qos max_queued_bytes max_queued_messages max_topic_alias max_topic_alias_broker
  memory_limit message_size_limit mount_point notification_topic notifications notifications_local_only
  packet_buffer_size password password_file per_listener_settings persistence persistence_file persistence_location
  persistent_client_expiration pid_file plugin plugin_load plugin_use port protocol proxy_protocol_v2_require_tls
  psk_file psk_hint queue_qos0_messages remote_clientid remote_password remote_username require_certificate
  restart_timeout retain_available retain_expiry_interval retained_persistence retry_interval round_robin
  set_tcp_nodelay socket_domain start_type sys_interval threshold tls_engine tls_engine_kpass_sha1 tls_keyform
  tls_version topic try_private upgrade_outgoing_qos use_identity_as_username use_subject_as_username
  use_username_as_clientid user username websockets_headers_size websockets_log_level websockets_origin`.split(
    /\s+/,
  );

test('every name that Mosquitto knows is in the table', () => {
  for (const name of namesOfMosquitto) assert.ok(findKeyword(name), name);
});

test('no name is in the table twice, and what is not honoured says what to do', () => {
  const keywords = keywordGroups.flatMap((group) => group.keywords);
  const names = keywords.flatMap(({ name, aliases = [] }) => [name, ...aliases]);
  assert.equal(new Set(names).size, names.length);
  for (const { name, status, advice } of keywords)
    assert.ok(status === 'honoured' || advice !== undefined, `${name} is ${status} without advice`);
});

test('every keyword without a value is told by file and line', async () => {
  for (const name of keywordNames) {
    const bridge = findKeyword(name)?.scope === 'bridge' && name !== 'connection';
    const before = bridge ? 'connection x\n' : 'listener 1\n';
    assert.match(await outcomeOf(`${before}${name}\n`), /^error: mosquitto\.conf:2: \S/m, name);
  }
});

test('what a file does not say is as in Mosquitto 2.1', async () => {
  const { config, warnings } = await readMosquittoConf(null, sourceOf(new Map()));
  assert.deepEqual(warnings, []);
  const { limits, listeners, ...rest } = config;
  assert.deepEqual(rest, {
    role: 'broker',
    name: 'gateway',
    tenant: 'default',
    logLevel: 'info',
    bridges: [],
    platform: null,
    commands: null,
    persistence: null,
    mosquittoLog: {
      destinations: [{ kind: 'stderr' }],
      types: new Set(['error', 'warning', 'notice', 'information']),
      connectionMessages: true,
      timestamp: true,
      timestampFormat: null,
      facility: 3,
    },
    runAs: 'mosquitto',
    sysIntervalSeconds: 10,
  });
  const of2_1: Partial<Config['limits']> = {
    maximumPacketSize: 2_000_000,
    receiveMaximum: 20,
    maximumInflight: 20,
    maximumQueuedMessages: 1000,
    topicAliasMaximum: 10,
    topicAliasMaximumOutgoing: 10,
    maximumKeepAliveSeconds: 0,
    maximumSessionExpirySeconds: 0xffff_ffff,
    maximumTopicLevels: 200,
    maximumTopicLength: 65_535,
    overlappingCopies: 'each',
    checkRetainSource: true,
    retainAvailable: true,
    queueQos0: false,
    upgradeOutgoingQos: false,
    allowEmptyClientId: true,
    assignedClientIdPrefix: 'auto-',
  };
  assert.partialDeepStrictEqual(limits, of2_1);
  assert.deepEqual(
    listeners.map(({ address, port, allowAnonymous }) => ({ address, port, allowAnonymous })),
    ['127.0.0.1', '::1'].map((address) => ({ address, port: 1883, allowAnonymous: true })),
  );
});

test('strangers get no more memory and time than from our own files', async () => {
  const { limits } = (await readMosquittoConf(null, sourceOf(new Map()))).config;
  const own = readToml('role="site"\nname="x"\n[[listener]]\nname="x"\nallow_anonymous=true\n', 'x', {
    baseFolder: '/',
  });
  for (const key of [
    'connectTimeoutMs',
    'maximumHandshakes',
    'maximumMemory',
    'maximumPendingBytes',
  ] as const)
    assert.equal(limits[key], own.config.limits[key], key);
  assert.ok(limits.maximumPacketSizeBeforeConnect <= 100_000);
});

test('every file of the guide can be run', async () => {
  const guide = readFileSync(new URL('../../../docs/guides/mosquitto.md', import.meta.url), 'utf8');
  const files = [...guide.matchAll(/^```conf\n([^`]+)^```$/gm)].map(([, content = '']) => content);
  assert.ok(files.length >= 7);
  for (const content of files) assert.doesNotMatch(await outcomeOf(content), /^error: |nobody can sign in/m);
});

test('a file that cannot be read is told as such', async () => {
  await assert.rejects(readMosquittoConf('missing.conf', sourceOf(new Map())), { code: 'FILE_UNREADABLE' });
});

test('without a file it is what an empty file makes', async () => {
  const empty = await readMosquittoConf(mainFile, sourceOf(new Map([[mainFile, '']])));
  assert.deepEqual(await readMosquittoConf(null, sourceOf(new Map())), empty);
});

test('whatever the file holds, the answer is a configuration or an error that names lines of it', async () => {
  const value = fc.oneof(
    fc.constantFrom('true', 'false', '0', '1', '2', '-1', '0x10', '65536', '1e9', '""', '"', '', ' ', '#'),
    fc.constantFrom(
      '1883',
      '0 /a.sock',
      '1883 ::',
      'a:1 [::1]:2',
      'x',
      '/x # y',
      'mqtt',
      'websockets',
      'tlsv1.3',
    ),
    fc.constantFrom(
      'a/# both 2 l/ r/',
      '"a b" in',
      '"" out 1 a b',
      '+ out 1 # x',
      'file /x',
      'lazy',
      '5 30 1',
      '14d',
    ),
    fc.constantFrom(
      'mosquitto_password_file.so',
      'a mosquitto_constructor.so',
      '/x/mosquitto_acl_file.so',
      '__proto__',
    ),
    fc.string({ maxLength: 8, unit: 'binary' }),
  );
  const name = fc.constantFrom(
    ...keywordNames,
    'plugin_opt_password_file',
    'auth_opt_x',
    'include_dir',
    '',
    '__proto__',
  );
  const line = fc.tuple(
    fc.constantFrom('', '', '', ' ', '\t', '#'),
    name,
    fc.constantFrom(' ', '\t', '  '),
    value,
  );
  const end = fc.constantFrom('\n', '\n', '\r\n', '\n\n');
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(line, end), { maxLength: 60, size: 'max' }), async (lines) => {
      const content = lines.map(([words, ending]) => words.join('') + ending).join('');
      const outcome = await outcomeOf(content);
      if (!outcome.startsWith('error')) return;
      assert.match(outcome, /^(error: mosquitto\.conf:\d+: [^\n]+\n)+$/);
      const height = content.split('\n').length;
      for (const [, line] of outcome.matchAll(/^error: mosquitto\.conf:(\d+): /gm))
        assert.ok(Number(line) >= 1 && Number(line) <= height);
    }),
    { numRuns: 2000 },
  );
});

/** The files of a golden input in memory. Only what is named relative to the working directory lies there. */
function sourceOf(files: ReadonlyMap<string, string>): ConfSource {
  const missing = (what: string): DavylampError =>
    new DavylampError('FILE_UNREADABLE', `${what} cannot be read: there is none`);
  const local = (name: string): string => path.relative(workingFolder, path.resolve(workingFolder, name));
  return {
    folder: workingFolder,
    hostName: 'gateway',
    readFile(name) {
      const content = files.get(local(name));
      if (content === undefined) throw missing(name);
      return content;
    },
    listFolder(name) {
      const below = `${local(name)}/`;
      const names = [...files.keys()].filter((file) => file.startsWith(below));
      if (names.length === 0) throw missing(name);
      return names.map((file) => file.slice(below.length));
    },
  };
}

async function outcomeOf(input: string): Promise<string> {
  const [first = '', ...others] = input.split(/^=== /m);
  const files = new Map([[mainFile, first]]);
  for (const other of others) {
    const [name = ''] = other.split('\n', 1);
    files.set(name, other.slice(name.length + 1));
  }
  const [, flags = ''] = /^# davylamp broker (.*)/.exec(first) ?? [];
  const [, port] = /-p (\d+)/.exec(flags) ?? [];
  const options = { verbose: flags.includes('-v'), ...(port === undefined ? {} : { port: Number(port) }) };
  try {
    const { config, warnings } = await readMosquittoConf(mainFile, sourceOf(files), options);
    const lines = warnings.map(
      ({ file, line, message }) => `warning: ${file}${line === undefined ? '' : `:${line}`}: ${message}\n`,
    );
    return `${lines.join('')}${JSON.stringify(await differences(config), plain, 2)}\n`;
  } catch (error) {
    assert.ok(error instanceof DavylampError, error instanceof Error ? error.stack : String(error));
    assert.equal(error.code, 'CONFIG_INVALID');
    return error.message.replaceAll(/^/gm, 'error: ').concat('\n');
  }
}

/** Of the whole, its bounds and each listener what an empty file would not make; names, ports and bridges always. */
async function differences(config: Config): Promise<object> {
  const { config: empty } = await readMosquittoConf(null, sourceOf(new Map()));
  const { listeners: local, ...emptyRest } = empty;
  const { address: _address, port: _port, name: _name, protocol: _protocol, ...blank } = local[0] ?? {};
  const { listeners, limits, ...rest } = config;
  return {
    ...difference(rest, emptyRest),
    limits: difference(limits, empty.limits),
    listeners: listeners.map((listener) => difference(listener, blank)),
  };
}

function difference(value: object, base: object): object {
  const before = new Map(Object.entries(base));
  const changed = Object.entries(value).filter(
    ([key, one]) => JSON.stringify(one, plain) !== JSON.stringify(before.get(key), plain),
  );
  const gone = [...before.keys()].filter((key) => !(key in value) && key !== 'limits');
  return Object.fromEntries([...changed, ...gone.map((key) => [key, '(absent)'] as const)]);
}

function plain(_key: string, value: unknown): unknown {
  return value instanceof Set ? [...value] : value;
}
