import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FakeClock, type PeerCertificate } from '#base';
import type { AuthenticationResult } from '#broker';
import { ReasonCode, reasonName } from '#mqtt';
import { PasswordFile, createAuthenticator, hashPassword, type AuthenticatorOptions } from './index.ts';

const passwords = new PasswordFile(`alice:${await hashPassword('secret', 1)}`, 'x', new FakeClock());
const nothing: AuthenticatorOptions = {
  passwords: null,
  requirePassword: false,
  allowAnonymous: false,
  requireCertificate: false,
  identityFromCertificate: false,
};
const north: PeerCertificate = { commonName: 'north', fingerprint: '00' };

interface Offer {
  readonly username?: string;
  readonly password?: string;
  readonly certificate?: PeerCertificate;
  readonly pskIdentity?: string;
}

async function outcome(
  options: Partial<AuthenticatorOptions>,
  { username, password, certificate, pskIdentity }: Offer,
): Promise<string> {
  const result: AuthenticationResult = await createAuthenticator({ ...nothing, ...options }).authenticate({
    clientId: 'c',
    username,
    password: password === undefined ? undefined : Buffer.from(password),
    peer: {
      address: '192.0.2.1',
      port: 1,
      certificate: certificate ?? null,
      ...(pskIdentity === undefined ? {} : { pskIdentity }),
    },
  });
  return 'name' in result ? `in as ${result.name ?? 'nobody'}` : reasonName(result.reasonCode);
}

const none: Offer = {};
const right: Offer = { username: 'alice', password: 'secret' };
const wrong: Offer = { username: 'alice', password: 'Secret' };
const nameOnly: Offer = { username: 'alice' };
const passwordOnly: Offer = { password: 'secret' };
const certified: Offer = { certificate: north };
const titled: Offer = { certificate: { ...north, subject: 'CN=north,O=Example' } };
const keyed: Offer = { pskIdentity: 'south' };
const unnamed: Offer = { certificate: { commonName: '', fingerprint: '00' } };
const bad = reasonName(ReasonCode.BadUserNameOrPassword);
const no = reasonName(ReasonCode.NotAuthorized);

const cases: [string, Partial<AuthenticatorOptions>, [Offer, string][]][] = [
  [
    'nothing configured lets nobody in',
    {},
    [
      [none, no],
      [right, no],
      [certified, no],
      [passwordOnly, bad],
    ],
  ],
  [
    'anonymous',
    { allowAnonymous: true },
    [
      [none, 'in as nobody'],
      [right, 'in as nobody'],
      [passwordOnly, bad],
    ],
  ],
  [
    'passwords',
    { passwords, requirePassword: true },
    [
      [right, 'in as alice'],
      [wrong, bad],
      [none, no],
      [nameOnly, bad],
      [passwordOnly, bad],
      [certified, no],
      [{ username: '', password: '' }, bad],
    ],
  ],
  [
    'passwords or anonymous: a wrong password is not anonymous',
    { passwords, allowAnonymous: true },
    [
      [none, 'in as nobody'],
      [right, 'in as alice'],
      [wrong, bad],
      [nameOnly, bad],
    ],
  ],
  [
    'certificate',
    { requireCertificate: true },
    [
      [none, no],
      [right, no],
      [certified, 'in as nobody'],
      [{ ...right, ...certified }, 'in as nobody'],
    ],
  ],
  [
    'certificate as identity',
    { requireCertificate: true, identityFromCertificate: true },
    [
      [none, no],
      [certified, 'in as north'],
      [unnamed, no],
      [{ ...right, ...certified }, 'in as north'],
    ],
  ],
  [
    'subject of the certificate as identity',
    { requireCertificate: true, identityFromCertificate: true, certificateIdentity: 'subject' },
    [
      [none, no],
      [titled, 'in as CN=north,O=Example'],
      // A proxy tells the common name alone.
      [certified, no],
    ],
  ],
  [
    'identity of TLS-PSK',
    { identityFromPsk: true },
    [
      [none, no],
      [keyed, 'in as south'],
      [{ pskIdentity: '' }, no],
      [certified, no],
    ],
  ],
  [
    'a key that is shared beforehand is no identity where nothing says so',
    { allowAnonymous: true },
    [[keyed, 'in as nobody']],
  ],
  [
    'certificate and password',
    { requireCertificate: true, passwords, requirePassword: true },
    [
      [right, no],
      [certified, no],
      [{ ...wrong, ...certified }, bad],
      [{ ...right, ...certified }, 'in as alice'],
    ],
  ],
  [
    'certificate and password, identity from the certificate',
    { requireCertificate: true, identityFromCertificate: true, passwords, requirePassword: true },
    [
      [right, no],
      [certified, no],
      [{ ...right, ...certified }, 'in as alice'],
    ],
  ],
  [
    'certificate, password where given',
    { requireCertificate: true, identityFromCertificate: true, passwords },
    [
      [certified, 'in as north'],
      [{ ...right, ...certified }, 'in as alice'],
      [{ ...wrong, ...certified }, bad],
      [right, no],
    ],
  ],
  [
    'a password required without a file lets nobody in',
    { requirePassword: true, allowAnonymous: true },
    [
      [none, no],
      [right, no],
    ],
  ],
];

for (const [title, options, offers] of cases) {
  test(`sign-in: ${title}`, async () => {
    for (const [offer, expected] of offers)
      assert.equal(await outcome(options, offer), expected, JSON.stringify(offer));
  });
}

test('too many at once are told to come again', async () => {
  const storm = await Promise.all(Array.from({ length: 1100 }, () => outcome({ passwords }, wrong)));
  assert.ok(storm.includes(reasonName(ReasonCode.ServerBusy)));
  assert.ok(storm.every((one) => one === bad || one === reasonName(ReasonCode.ServerBusy)));
});
