import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { startPinned, type BrokerAdapter } from './broker-adapter.ts';

const program = '/usr/sbin/mosquitto';

/** Eclipse Mosquitto with its defaults, but no Nagle delay, and room in its queues for what a run has under way. */
export const mosquitto: BrokerAdapter = {
  name: 'mosquitto',
  maximumQos: 2,
  missing: () =>
    spawnSync(program, ['-h']).error === undefined
      ? undefined
      : `${program} is not installed (on Debian: apt-get install mosquitto)`,
  async start(port) {
    const folder = mkdtempSync(path.join(tmpdir(), 'davylamp-mosquitto-'));
    const file = path.join(folder, 'mosquitto.conf');
    const lines = [
      `listener ${port} 127.0.0.1`,
      'allow_anonymous true',
      'persistence false',
      'log_type error',
      'set_tcp_nodelay true',
      'max_queued_messages 100000',
    ];
    writeFileSync(file, `${lines.join('\n')}\n`);
    try {
      return await startPinned(0, port, program, ['-c', file]);
    } finally {
      // It has read its file when it listens.
      rmSync(folder, { recursive: true });
    }
  },
};
