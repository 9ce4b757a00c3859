import type { DemoPort, RoomView } from '#api';
import { DavylampError } from '#base';
import { askSupervisor } from './record.ts';

/** The demo's rooms and leaks for the API, through the supervisor's control socket. */
export function createDemoPort(controlSocket: string): DemoPort {
  return {
    rooms: () => askSupervisor<readonly RoomView[]>(controlSocket, 'GET', '/rooms'),
    async leak(site, detector, litresPerHour) {
      try {
        return await askSupervisor<RoomView>(controlSocket, 'POST', '/leaks', {
          site,
          detector,
          litresPerHour,
        });
      } catch (error) {
        // The supervisor knows its detectors and refused this one.
        if (error instanceof DavylampError) return undefined;
        throw error;
      }
    },
  };
}
