import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import process from 'node:process';
import { startPinned, type BrokerAdapter, type BrokerSetup } from './broker-adapter.ts';

const program = '/usr/sbin/mosquitto';

/** Eclipse Mosquitto with its defaults, but no Nagle delay, and room in its queues for what a run has under way. */
export const mosquitto: BrokerAdapter = {
  name: 'mosquitto',
  maximumQos: 2,
  doors: ['tcp', 'tls', 'ws'],
  missing: () =>
    spawnSync(program, ['-h']).error === undefined
      ? undefined
      : `${program} is not installed (on Debian: apt-get install mosquitto)`,
  async start(setup) {
    const folder = mkdtempSync(path.join(tmpdir(), 'davylamp-mosquitto-'));
    const file = path.join(folder, 'mosquitto.conf');
    writeFileSync(file, `${configuration(setup, folder).join('\n')}\n`);
    try {
      return await startPinned({ port: setup.port, command: program, args: ['-c', file] });
    } finally {
      // It has read its file when it listens.
      rmSync(folder, { recursive: true });
    }
  },
};

function configuration(setup: BrokerSetup, folder: string): readonly string[] {
  const { port, door, certificateFile, keyFile, accessFile } = setup;
  return [
    // With a WebSocket alone 2.0.11 finds that it has no socket at all.
    ...(door === 'ws' ? [`listener 0 ${folder}/socket`] : []),
    `listener ${port} 127.0.0.1`,
    ...(door === 'tls' ? [`certfile ${certificateFile}`, `keyfile ${keyFile}`] : []),
    ...(door === 'ws' ? ['protocol websockets'] : []),
    ...(accessFile === undefined ? [] : [`acl_file ${accessFile}`]),
    'allow_anonymous true',
    'persistence false',
    'log_type error',
    'set_tcp_nodelay true',
    'max_queued_messages 100000',
    // Started by root it would become another user, who may not read what was made for this run.
    ...(process.getuid?.() === 0 ? ['user root'] : []),
  ];
}
