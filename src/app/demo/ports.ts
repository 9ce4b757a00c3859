import net from 'node:net';
import type { DemoPorts } from './plan.ts';

/** A port that was wanted, was taken, and was replaced. */
export interface ReplacedPort {
  readonly what: string;
  readonly wanted: number;
  readonly used: number;
}

/**
 * Keeps the wanted ports that are free and replaces the others by the next free ones.
 * Ports of one call never collide with each other.
 */
export async function freePorts(
  wanted: DemoPorts,
  siteNames: readonly string[],
): Promise<{ ports: DemoPorts; replaced: readonly ReplacedPort[] }> {
  const used = new Set<number>();
  const replaced: ReplacedPort[] = [];
  const claim = async (what: string, port: number): Promise<number> => {
    let candidate = port;
    while (used.has(candidate) || !(await isFree(candidate))) {
      candidate = candidate >= 65_535 ? 1024 : candidate + 1;
      if (candidate === port) break;
    }
    used.add(candidate);
    if (candidate !== port) replaced.push({ what, wanted: port, used: candidate });
    return candidate;
  };
  const screen = await claim('the screen', wanted.screen);
  const cloud = await claim('the cloud broker', wanted.cloud);
  const relay = await claim('the relay broker', wanted.relay);
  const sites: number[] = [];
  for (const [index, port] of wanted.sites.entries())
    sites.push(await claim(`site ${siteNames[index] ?? index}`, port));
  return { ports: { screen, cloud, relay, sites }, replaced };
}

/** Ports in a row from the first one. */
export function portsFrom(first: number, siteCount: number): DemoPorts {
  return {
    screen: first,
    cloud: first + 1,
    relay: first + 2,
    sites: Array.from({ length: siteCount }, (_, index) => first + 3 + index),
  };
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = net.createServer();
    server.once('error', () => resolve(false));
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => server.close(() => resolve(true)));
  });
}
