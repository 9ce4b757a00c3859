import { isIP } from 'node:net';
import type { ListenerConfig } from '#config';
import type { RoleLog } from '../logging.ts';

/** What the log says of the broker itself, in Mosquitto's words. */
export interface BrokerLines {
  starting(configFile: string | undefined): void;
  running(): void;
  terminating(): void;
}

/** Lines of the start and the end. */
export function brokerLines(log: RoleLog, version: string): BrokerLines {
  const say = (text: string): void => log.mosquitto?.line('information', text);
  return {
    starting(configFile) {
      say(`davylamp version ${version} starting`);
      say(configFile === undefined ? 'Using default config.' : `Config loaded from ${configFile}.`);
    },
    running: () => say(`davylamp version ${version} running`),
    terminating: () => say(`davylamp version ${version} terminating`),
  };
}

/** `Opening ipv4 listen socket on port 1883.`, as Mosquitto tells of each socket. */
export function openingLines({
  protocol,
  address,
  port,
  path,
  ipVersion,
}: ListenerConfig): readonly string[] {
  if (protocol === 'unix') return [`Opening unix listen socket on path ${path}.`];
  if (protocol === 'ws' || protocol === 'wss') return [`Opening websockets listen socket on port ${port}.`];
  const version = ipVersion ?? (isIP(address) === 6 && address !== '::' ? 6 : isIP(address) === 4 ? 4 : null);
  return (version === null ? [4, 6] : [version]).map(
    (one) => `Opening ipv${one} listen socket on port ${port}.`,
  );
}
