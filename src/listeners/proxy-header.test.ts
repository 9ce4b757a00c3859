import assert from 'node:assert/strict';
import { test } from 'node:test';
import * as fc from 'fast-check';
import { binaryProxyHeader, proxyTlsValue } from '../../test/helpers/proxy-headers.ts';
import { crc32c } from './crc32c.ts';
import { readProxyHeader, type ProxyHeader } from './proxy-header.ts';

const plain = { tls: null, isLocal: false };

/** What a whole header says; the bytes behind it are left alone. */
function headerOf(version: 1 | 2, header: string | Buffer): ProxyHeader {
  const bytes = Buffer.concat([Buffer.from(header as string, 'latin1'), Buffer.from('MQTT')]);
  const result = readProxyHeader(version, bytes);
  assert.ok(result.kind === 'done', JSON.stringify(result));
  assert.equal(result.length, bytes.length - 4);
  return result.header;
}

function faultOf(version: 1 | 2, header: string | Buffer): string {
  const result = readProxyHeader(version, Buffer.from(header as string, 'latin1'));
  return result.kind === 'bad' ? result.reason : result.kind;
}

const lines: readonly (readonly [string, ProxyHeader['client']])[] = [
  ['PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n', { address: '192.0.2.5', port: 6275 }],
  [
    'PROXY TCP4 255.255.255.255 255.255.255.255 65535 65535\r\n',
    { address: '255.255.255.255', port: 65_535 },
  ],
  ['PROXY TCP6 2001:db8::5 2001:db8::1 6275 1883\r\n', { address: '2001:db8::5', port: 6275 }],
  ['PROXY TCP6 ::ffff:192.0.2.5 ::1 1 0\r\n', { address: '192.0.2.5', port: 1 }],
  ['PROXY UNKNOWN\r\n', null],
  ['PROXY UNKNOWN ffff:f...f:ffff ffff:f...f:ffff 65535 65535\r\n', null],
];

test('version 1: who the client is', () => {
  for (const [line, client] of lines) assert.deepEqual(headerOf(1, line), { ...plain, client });
});

test('version 1: what is none is told why', () => {
  const longest = `PROXY UNKNOWN ${'x'.repeat(91)}\r\n`;
  assert.equal(longest.length, 107);
  assert.equal(headerOf(1, longest).client, null);
  const cases: readonly (readonly [string, RegExp])[] = [
    ['GET / HTTP/1.1\r\n', /begin with PROXY/],
    ['\x10\x0c\0\x04MQTT', /begin with PROXY/],
    ['PROXY  TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n', /none of TCP4/],
    ['PROXY UDP4 192.0.2.5 198.51.100.1 6275 1883\r\n', /none of TCP4/],
    ['PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883 9\r\n', /addresses/],
    ['PROXY TCP4 192.0.2.05 198.51.100.1 6275 1883\r\n', /addresses/],
    ['PROXY TCP4 2001:db8::5 2001:db8::1 6275 1883\r\n', /addresses/],
    ['PROXY TCP4 192.0.2.5 198.51.100.1\r\n', /ports/],
    ['PROXY TCP4 192.0.2.5 198.51.100.1 65536 1883\r\n', /ports/],
    ['PROXY TCP4 192.0.2.5 198.51.100.1 06275 1883\r\n', /ports/],
    ['PROXY TCP4 192.0.2.5 198.51.100.1 -1 1883\r\n', /ports/],
    [`PROXY UNKNOWN ${'x'.repeat(92)}\r\n`, /no end/],
    [`PROXY ${'x'.repeat(300)}`, /no end/],
  ];
  for (const [text, reason] of cases) assert.match(faultOf(1, text), reason, text);
  assert.match(faultOf(1, binaryProxyHeader({})), /begin with PROXY/);
});

test('version 2: who the client is, by every family', () => {
  const own = { address: '192.0.2.5', port: 6275 };
  assert.deepEqual(headerOf(2, binaryProxyHeader(own)), { ...plain, client: own });
  for (const [address, shown] of [
    ['20010db8000000000000000000000005', '2001:db8::5'],
    ['00000000000000000000ffffc0000205', '192.0.2.5'],
    ['00000000000000000000000000000001', '::1'],
  ] as const) {
    const addresses = Buffer.concat([
      Buffer.from(address, 'hex'),
      Buffer.alloc(16),
      Buffer.from('1883075b', 'hex'),
    ]);
    const header = headerOf(2, binaryProxyHeader({ family: 0x21, addresses }));
    assert.deepEqual(header.client, { address: shown, port: 0x1883 });
  }
  const unix = binaryProxyHeader({ family: 0x31, addresses: Buffer.alloc(216, 'x') });
  assert.deepEqual(headerOf(2, unix).client, { address: 'local', port: 0 });
  assert.equal(headerOf(2, binaryProxyHeader({ family: 0, addresses: Buffer.alloc(0) })).client, null);
});

test('version 2: a health check speaks for nobody, whatever else it says', () => {
  for (const addresses of [Buffer.alloc(0), Buffer.alloc(12, 1), Buffer.alloc(400, 0xff)]) {
    const header = headerOf(2, binaryProxyHeader({ command: 0, family: 0, addresses }));
    assert.deepEqual(header, { client: null, tls: null, isLocal: true });
  }
});

test('version 2: what the proxy says of TLS', () => {
  const of = (value: Buffer): ProxyHeader['tls'] => headerOf(2, binaryProxyHeader({ values: value })).tls;
  assert.deepEqual(of(proxyTlsValue({ commonName: 'tank-7' })), { isSecure: true, commonName: 'tank-7' });
  assert.deepEqual(of(proxyTlsValue({ commonName: 'Zürich' })), { isSecure: true, commonName: 'Zürich' });
  assert.deepEqual(of(proxyTlsValue({})), { isSecure: true, commonName: null });
  // Not verified, or no certificate in this session: the name is nobody's.
  assert.deepEqual(of(proxyTlsValue({ commonName: 'tank-7', verify: 1 })), {
    isSecure: true,
    commonName: null,
  });
  assert.deepEqual(of(proxyTlsValue({ commonName: 'tank-7', flags: 1 })), {
    isSecure: true,
    commonName: null,
  });
  assert.deepEqual(of(proxyTlsValue({ flags: 0 })), { isSecure: false, commonName: null });
  // Other types are passed over.
  const mixed = Buffer.concat([
    Buffer.from('01000568656c6c6f', 'hex'),
    proxyTlsValue({ commonName: 'a' }),
    Buffer.from('040000', 'hex'),
  ]);
  assert.deepEqual(of(mixed), { isSecure: true, commonName: 'a' });
});

test('version 2: the checksum counts where there is one', () => {
  assert.equal(crc32c(Buffer.from('123456789')), 0xe3069283);
  const whole = Buffer.from(binaryProxyHeader({ values: Buffer.from('03000400000000', 'hex') }));
  const at = whole.length - 4;
  whole.writeUInt32BE(crc32c(whole), at);
  assert.deepEqual(headerOf(2, whole).client, { address: '192.0.2.5', port: 6275 });
  whole[17]! ^= 1;
  assert.match(faultOf(2, whole), /checksum/);
  assert.match(faultOf(2, binaryProxyHeader({ values: Buffer.from('0300020000', 'hex') })), /checksum/);
});

test('version 2: what is none is told why', () => {
  const good = binaryProxyHeader({});
  const changed = (at: number, value: number): Buffer => {
    const bytes = Buffer.from(good);
    bytes[at] = value;
    return bytes;
  };
  const cases: readonly (readonly [Buffer | string, RegExp])[] = [
    ['PROXY TCP4 192.0.2.5 198.51.100.1 6275 1883\r\n', /signature/],
    [changed(11, 0), /signature/],
    [changed(12, 0x11), /version is not 2/],
    [changed(12, 0x22), /neither LOCAL nor PROXY/],
    [changed(13, 0x12), /address family/],
    [changed(13, 0x21), /cut off/],
    [changed(14, 0xff), /longer than 8192/],
    [binaryProxyHeader({ values: Buffer.from('0100', 'hex') }), /cut off/],
    [binaryProxyHeader({ values: Buffer.from('01000568', 'hex') }), /cut off/],
    [binaryProxyHeader({ values: Buffer.from('20000101', 'hex') }), /TLS value is cut off/],
    [binaryProxyHeader({ values: Buffer.from('2000080700000000220005', 'hex') }), /TLS value is cut off/],
    [binaryProxyHeader({ values: proxyTlsValue({ commonName: 'a\nb' }) }), /common name/],
    [binaryProxyHeader({ values: proxyTlsValue({ commonName: Buffer.from('ff', 'hex') }) }), /common name/],
    [binaryProxyHeader({ values: proxyTlsValue({ commonName: '' }) }), /common name/],
  ];
  for (const [bytes, reason] of cases) assert.match(faultOf(2, bytes), reason);
});

const samples: readonly (readonly [1 | 2, Buffer])[] = [
  ...lines.map(([line]) => [1, Buffer.from(line)] as const),
  [2, binaryProxyHeader({})],
  [2, binaryProxyHeader({ values: proxyTlsValue({ commonName: 'tank-7' }) })],
  [2, binaryProxyHeader({ command: 0, family: 0, addresses: Buffer.alloc(9) })],
];

test('a header may be cut anywhere: until it is whole there is no verdict', () => {
  for (const [version, header] of samples) {
    for (let length = 0; length < header.length; length++)
      assert.equal(readProxyHeader(version, header.subarray(0, length)).kind, 'more', `${version} ${length}`);
    assert.equal(readProxyHeader(version, header).kind, 'done');
  }
});

test('whatever bytes come, nothing is thrown and no more is read than there is', () => {
  const start = fc.constantFrom(...samples.map(([, header]) => header), Buffer.alloc(0));
  const version = fc.constantFrom<1 | 2>(1, 2);
  const change = fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 4 });
  fc.assert(
    fc.property(version, start, change, fc.uint8Array({ maxLength: 300 }), (kind, header, changes, tail) => {
      const bytes = Buffer.concat([header, tail]);
      for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
      const result = readProxyHeader(kind, bytes);
      if (result.kind === 'done') assert.ok(result.length <= bytes.length && result.length >= 8);
      if (result.kind === 'more') assert.ok(bytes.length < (kind === 1 ? 107 : 8192));
    }),
    { numRuns: 2000 },
  );
});
