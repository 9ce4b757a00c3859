/** SIGHUP for the roles with a TOML file: the same reload as the broker's, whole or not at all. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { eventually, freePort, runProgram, type Outcome } from '../../helpers/demo-process.ts';
import { ConfFolder, DropInBroker, isOpen, skipWithoutMosquitto, Subscriber } from './drop-in-broker.ts';

const publish = (port: number, words: string): Promise<Outcome> =>
  runProgram('mosquitto_pub', `-p ${port} ${words}`.split(' '));

async function reload(role: DropInBroker): Promise<string> {
  const from = role.stderr.length;
  role.kill('SIGHUP');
  await role.logged(/: reloaded|not reloaded/, from);
  return role.stderr.slice(from);
}

describe('reload of site, relay and cloud by SIGHUP', { skip: skipWithoutMosquitto }, () => {
  for (const role of ['site', 'relay'] as const) {
    it(`a ${role} takes users, listeners and its log level; a broken file changes nothing`, async () => {
      await using folder = await ConfFolder.create();
      const [port, fresh] = [await freePort(), await freePort()];
      const passwords = await folder.write('passwords', '');
      await runProgram('mosquitto_passwd', ['-b', passwords, 'anna', 'a']);
      const conf = (head: string, listeners: string): string =>
        `role = "${role}"\n${head}[[listener]]\nname = "inside"\nport = ${port}\npassword_file = "passwords"\nrequire_password = true\n${listeners}`;
      const second = `[[listener]]\nname = "second"\nport = ${fresh}\nallow_anonymous = true\n`;
      const file = await folder.write('role.toml', conf('name = "north"\n', ''));
      await using running = await DropInBroker.start(file, port, { program: role });
      await using anna = await Subscriber.start(...`-p ${port} -u anna -P a -t x -q 1`.split(' '));

      await folder.write('role.toml', conf('nmae = "north"\n', second));
      const refused = await reload(running);
      assert.match(refused, / error: not reloaded, everything stays as it was: .*role\.toml:2: .*nmae/);
      assert.equal(await isOpen(fresh), false);

      await runProgram('mosquitto_passwd', ['-b', passwords, 'bert', 'b']);
      await folder.write('role.toml', conf('name = "south"\nlog_level = "debug"\n', second));
      const said = await reload(running);
      assert.match(said, /the name changes at the next start/);
      assert.equal((await publish(port, '-u bert -P b -t x -m one -q 1')).code, 0);
      assert.equal((await publish(fresh, '-t x -m two -q 1')).code, 0);
      await anna.received('two');
      assert.deepEqual(anna.messages, ['one', 'two']);

      await folder.write('role.toml', conf('name = "north"\nlog_level = "error"\n', ''));
      const from = running.stderr.length;
      running.kill('SIGHUP');
      await eventually('the second listener to close', async () =>
        (await isOpen(fresh)) ? undefined : true,
      );
      assert.notEqual((await publish(port, '-u bert -P wrong -t x -m one -q 1')).code, 0);
      assert.doesNotMatch(
        running.stderr.slice(from),
        /refused|reloaded/,
        'of errors alone is told from now on',
      );
      assert.equal((await running.stop()).code, 0);
    });
  }
});
