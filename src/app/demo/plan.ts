import { createHash } from 'node:crypto';
import os from 'node:os';
import path from 'node:path';

/** The tenant, sites and detectors of the demo, and where its files and ports are. */
export interface DemoPlan {
  /** Absolute. */
  readonly folder: string;
  readonly tenant: string;
  readonly ports: DemoPorts;
  readonly sites: readonly DemoSite[];
  /** Unix sockets, at most 100 bytes long (the system's limit is 107). */
  readonly controlSocket: string;
  readonly brokerSocket: string;
}

export interface DemoPorts {
  readonly screen: number;
  readonly cloud: number;
  readonly relay: number;
  /** One for each site, in the order of `sites`. */
  readonly sites: readonly number[];
}

export interface DemoSite {
  readonly name: string;
  /** The address that stands in the legacy topics (TEST-NET-1, RFC 5737). */
  readonly address: string;
  readonly detectors: readonly DemoDetector[];
}

interface DemoDetector {
  readonly name: string;
  readonly room: string;
  readonly address: string;
  /** The true MAC; the firmware prints it with the bytes reversed. */
  readonly mac: string;
  readonly gas: 'methane' | 'propane' | 'lpg';
  readonly start: 'warm' | 'cold';
}

const demoTenant = 'demo';
export const defaultFirstPort = 8700;

const rooms = ['boiler room', 'kitchen', 'laundry', 'garage', 'basement', 'workshop'];

export function demoSites(): readonly DemoSite[] {
  return ['north', 'south'].map((name, siteIndex) => ({
    name,
    address: `192.0.2.${(siteIndex + 1) * 10}`,
    detectors: rooms.map((room, index) => ({
      name: `d${index + 1}`,
      room,
      address: `192.168.${siteIndex + 1}.${21 + index}`,
      mac: `5C:CF:7F:20:0${siteIndex + 1}:0${index + 1}`,
      gas: index === 3 ? ('lpg' as const) : ('methane' as const),
      start: index === 5 ? ('cold' as const) : ('warm' as const),
    })),
  }));
}

export function createPlan(folder: string, ports: DemoPorts): DemoPlan {
  return {
    folder,
    tenant: demoTenant,
    ports,
    sites: demoSites(),
    controlSocket: socketPath(folder, 'control.sock'),
    brokerSocket: socketPath(path.join(folder, 'cloud'), 'broker.sock'),
  };
}

/** A socket's path inside `folder`; where that is too long for the system, one below the temporary folder. */
function socketPath(folder: string, name: string): string {
  const wanted = path.join(folder, name);
  if (Buffer.byteLength(wanted) <= 100) return wanted;
  const short = createHash('sha256').update(wanted).digest('hex').slice(0, 16);
  return path.join(os.tmpdir(), `davylamp-${os.userInfo().uid}-${short}`, name);
}
