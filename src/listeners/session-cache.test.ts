import assert from 'node:assert/strict';
import { constants } from 'node:crypto';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { test } from 'node:test';
import { connect, createServer, type SecureVersion } from 'node:tls';
import { TestAuthority } from '../../test/helpers/test-certificates.ts';
import { SessionCache } from './session-cache.ts';

/** What a server of this version is told of new sessions while a client connects that, in TLS 1.2, takes no tickets. */
async function newSessions(version: SecureVersion): Promise<{ id: Buffer; session: Buffer }[]> {
  await using authority = await TestAuthority.create();
  const { certificateFile, keyFile } = await authority.issue('broker', 'IP:127.0.0.1');
  const [cert, key] = await Promise.all([readFile(certificateFile!), readFile(keyFile!)]);
  const sessions: { id: Buffer; session: Buffer }[] = [];
  const server = createServer({ cert, key, minVersion: version, maxVersion: version }, (socket) =>
    socket.end('all'),
  );
  server.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
    sessions.push({ id, session });
    done();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const secureOptions = constants.SSL_OP_NO_TICKET;
  const client = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, secureOptions });
  client.resume();
  await once(client, 'close');
  server.close();
  return sessions;
}

test('sessions of TLS 1.2 are kept, those of TLS 1.3 are not: they would push the others out', async () => {
  const cache = new SessionCache();
  const kept = await newSessions('TLSv1.2');
  const left = await newSessions('TLSv1.3');
  for (const { id, session } of [...kept, ...left]) cache.set(id, session);
  assert.ok(kept.length === 1 && left.length > 0);
  assert.deepEqual(cache.get(kept[0]!.id), kept[0]!.session);
  for (const { id } of left) assert.equal(cache.get(id), null);
});

test('the oldest session is dropped at the bound; one that is set again is the youngest', () => {
  const cache = new SessionCache();
  const idOf = (number: number): Buffer => Buffer.from(`session ${number}`);
  for (let number = 0; number < 4096; number++) cache.set(idOf(number), idOf(number));
  cache.set(idOf(0), Buffer.from('again'));
  cache.set(idOf(4096), idOf(4096));
  assert.equal(cache.get(idOf(0))?.toString(), 'again');
  assert.equal(cache.get(idOf(1)), null);
  assert.deepEqual(cache.get(idOf(2)), idOf(2));
});
