import assert from 'node:assert/strict';
import { lookup } from 'node:dns/promises';
import { networkInterfaces } from 'node:os';
import { test } from 'node:test';
import { dial, exchange, hasCode, openDoor } from '../../test/helpers/listener-door.ts';

const loopback = Object.entries(networkInterfaces()).find(([, list]) =>
  list?.some(({ internal }) => internal),
);
const [name = 'lo', addresses = []] = loopback ?? [];
const hasIpv6 = addresses.some(({ family }) => family === 'IPv6');

test('a listener of a network interface listens on each of its addresses, at one port', async () => {
  await using door = await openDoor({ networkInterface: name, address: '0.0.0.0' });
  for (const { address } of addresses) {
    const near = await dial({ host: address, port: door.port });
    await exchange(near, await door.accepted());
    near.transport.destroy();
  }
  assert.equal(door.address, addresses[0]!.address);
});

test(
  'of several places, the connections count together',
  { skip: !hasIpv6 && 'no IPv6 loopback here' },
  async () => {
    await using door = await openDoor({ networkInterface: name, address: '', maximumConnections: 2 });
    const first = await dial({ host: '127.0.0.1', port: door.port });
    const second = await dial({ host: '::1', port: door.port });
    const far = [await door.accepted(), await door.accepted()];
    for (const host of ['127.0.0.1', '::1']) {
      const more = await dial({ host, port: door.port }).catch(() => null);
      if (more !== null) await more.until(() => more.closes === 1);
    }
    assert.equal(door.listener.statistics.refused, 2);
    assert.equal(door.listener.statistics.accepted, 2);
    first.transport.destroy();
    await Promise.race(far.map((one) => one.until(() => one.closes === 1)));
    const third = await dial({ host: '::1', port: door.port });
    await exchange(third, await door.accepted());
    for (const near of [second, third]) near.transport.destroy();
  },
);

test('one version of IP alone', { skip: !hasIpv6 && 'no IPv6 loopback here' }, async () => {
  for (const [ipVersion, open, shut] of [
    [4, '127.0.0.1', '::1'],
    [6, '::1', '127.0.0.1'],
  ] as const) {
    for (const change of [
      { address: '' },
      { address: 'localhost' },
      { address: '', networkInterface: name },
    ]) {
      // Debian gives the name localhost to ::1 as well; where it does not, there is nothing to listen on.
      const opened = await openDoor({ ...change, ipVersion }).catch((error: unknown) => error);
      if (opened instanceof Error) {
        hasCode('LISTEN_FAILED', /localhost has no IPv6 address/)(opened);
        continue;
      }
      await using door = opened as Awaited<ReturnType<typeof openDoor>>;
      const near = await dial({ host: open, port: door.port });
      await exchange(near, await door.accepted());
      near.transport.destroy();
      await assert.rejects(dial({ host: shut, port: door.port }), hasCode('CONNECT_FAILED', /refused/));
    }
  }
});

test('a name stands for all of its addresses', async () => {
  await using door = await openDoor({ address: 'localhost' });
  for (const { address } of await lookup('localhost', { all: true })) {
    if (address.includes(':') && !hasIpv6) continue;
    const near = await dial({ host: address, port: door.port });
    await exchange(near, await door.accepted());
    near.transport.destroy();
  }
});

test('all addresses, by none, a star or either wildcard', async () => {
  for (const address of ['', '*', '0.0.0.0', '::']) {
    if (address === '::' && !hasIpv6) continue;
    await using door = await openDoor({ address });
    const near = await dial({ host: '127.0.0.1', port: door.port });
    await exchange(near, await door.accepted());
    near.transport.destroy();
  }
});

test('what cannot be listened on is told', async () => {
  await assert.rejects(
    openDoor({ networkInterface: 'nothing0' }),
    hasCode(
      'LISTEN_FAILED',
      /network interface nothing0: there is none of this name with an address; there are /,
    ),
  );
  await assert.rejects(
    openDoor({ networkInterface: name, address: '192.0.2.1' }),
    hasCode('LISTEN_FAILED', /192\.0\.2\.1 is not one of its addresses/),
  );
  await assert.rejects(
    openDoor({ address: '127.0.0.1', ipVersion: 6 }),
    hasCode('LISTEN_FAILED', /127\.0\.0\.1 has no IPv6 address/),
  );
  await assert.rejects(
    openDoor({ address: 'no-such-host.invalid' }),
    hasCode('LISTEN_FAILED', /cannot listen on no-such-host\.invalid: the host name is not known/),
  );
  await assert.rejects(
    openDoor({ address: 'no-such-host.invalid', ipVersion: 4 }),
    hasCode('LISTEN_FAILED', /no-such-host\.invalid has no IPv4 address/),
  );
});
