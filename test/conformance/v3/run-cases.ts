import { describe, test } from 'node:test';
import { overTcp } from '../../helpers/wire-client.ts';
import { playScript } from '../../helpers/wire-script.ts';
import { overWebSocket } from '../../helpers/wire-websocket.ts';
import { WireServer, type WireServerOptions } from '../../helpers/wire-server.ts';

/** One wire case: what is sent and what has to come, in the notation of `wire-script.ts`. */
export interface ScriptCase extends WireServerOptions {
  /** What it shows, with the ids of the statements. */
  readonly name: string;
  /** Default: both. */
  readonly versions?: readonly (3 | 4)[];
  readonly script: string;
}

/** Runs each case over every transport, in MQTT 3.1.1 and in 3.1, against a broker of its own. */
export function runCases(title: string, cases: readonly ScriptCase[]): void {
  describe(title, () => {
    for (const transport of [overTcp, overWebSocket]) {
      for (const one of cases) {
        for (const version of one.versions ?? [4, 3]) {
          const where = `${version === 4 ? '3.1.1' : '3.1'} over ${transport.name}`;
          test(`${where}: ${one.name}`, async () => {
            await using server = await new WireServer(transport, one).start();
            await playScript(one.script, { transport, server, version });
          });
        }
      }
    }
  });
}
