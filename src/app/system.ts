import path from 'node:path';
import { DavylampError, messageOf } from '#base';
import type { SystemPort } from '#cli';
import { warningLine } from './warning-line.ts';
import type { RoomView } from '#api';

/** The running system behind the command line. Each command loads what it needs: a broker is up within two seconds. */
export function createSystem(
  version: string,
  print: (line: string) => void,
  printError: (line: string) => void,
): SystemPort {
  return {
    version,
    async runBroker(options) {
      const { runBroker } = await import('./broker/run-broker.ts');
      return runBroker(options, version, printError);
    },
    async checkBroker(options) {
      const { checkBrokerConfig } = await import('./broker/run-broker.ts');
      return checkBrokerConfig(options);
    },
    async runRole(role, file) {
      const { runRole } = await import('./role.ts');
      return runRole(role, file, version);
    },
    async checkConfig(role, file) {
      const { readConfig } = await import('./read-config.ts');
      const { warnings } = await readConfig(role, file);
      return warnings.map(warningLine);
    },
    async openMqttTools() {
      const { createMqttTools } = await import('./mqtt-tools/mqtt-tools.ts');
      return createMqttTools(version, printError);
    },
    async openPasswdTools() {
      const { createPasswdTools } = await import('./mqtt-tools/passwd-tools.ts');
      return createPasswdTools();
    },
    async runDetectors(file) {
      const { runDetectors } = await import('./devices.ts');
      return runDetectors(file);
    },
    async runAgent(file) {
      const { runAgent } = await import('./devices.ts');
      return runAgent(file);
    },
    async runDemo(options) {
      const { runDemo } = await import('./demo/demo.ts');
      return runDemo(options, print);
    },
    async inspectJournal(folder) {
      const { inspect } = await import('./journal-tools.ts');
      return inspect(path.resolve(folder));
    },
    async repairJournal(folder) {
      const { repair } = await import('./journal-tools.ts');
      return repair(path.resolve(folder), Date.now());
    },
    async demoStatus(folder) {
      const { demoStatus } = await import('./demo/record.ts');
      return demoStatus(path.resolve(folder));
    },
    demoLeak: (folder, site, detector, rate) => demoLeak(path.resolve(folder), site, detector, rate),
  };
}

async function demoLeak(
  folder: string,
  site: string,
  detector: string,
  litresPerHour: number,
): Promise<string> {
  const { askSupervisor, readPlan } = await import('./demo/record.ts');
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
