import path from 'node:path';
import { DavylampError, messageOf } from '#base';
import type { SystemPort } from '#cli';
import { runAgent, runDetectors } from './devices.ts';
import { runDemo } from './demo/demo.ts';
import { askSupervisor, demoStatus, readPlan } from './demo/record.ts';
import { readConfig } from './read-config.ts';
import { runRole } from './role.ts';
import type { RoomView } from '#api';

/** The running system behind the command line. */
export function createSystem(version: string, print: (line: string) => void): SystemPort {
  return {
    version,
    runRole: (role, file) => runRole(role, file, version),
    async checkConfig(role, file) {
      const { warnings } = await readConfig(role, file);
      return warnings.map(
        (warning) =>
          `${warning.file}${warning.line === undefined ? '' : `:${warning.line}`}: ${warning.message}`,
      );
    },
    runDetectors,
    runAgent,
    runDemo: (options) => runDemo(options, print),
    demoStatus: (folder) => demoStatus(path.resolve(folder)),
    demoLeak: (folder, site, detector, rate) => demoLeak(path.resolve(folder), site, detector, rate),
  };
}

async function demoLeak(
  folder: string,
  site: string,
  detector: string,
  litresPerHour: number,
): Promise<string> {
  const plan = await readPlan(folder);
  if (plan === undefined) {
    throw new DavylampError(
      'FILE_UNREADABLE',
      `there is no demo in ${folder}; start one with 'davylamp demo --data ${folder}'`,
    );
  }
  try {
    await askSupervisor<RoomView>(plan.controlSocket, 'POST', '/leaks', { site, detector, litresPerHour });
  } catch (error) {
    if (error instanceof DavylampError) throw error;
    throw new DavylampError(
      'CONNECT_FAILED',
      `the demo in ${folder} does not run (${messageOf(error)}); start it first`,
      { cause: error },
    );
  }
  return litresPerHour === 0
    ? `Leak at ${site}/${detector} closed; the room airs.`
    : `Leak of ${litresPerHour} l/h opened at ${site}/${detector}; close it with 'davylamp demo leak --close ${site}/${detector}'.`;
}
