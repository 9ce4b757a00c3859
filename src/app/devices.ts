import path from 'node:path';
import process from 'node:process';
import * as v from 'valibot';
import { DavylampError, SystemClock, messageOf } from '#base';
import type { RoomView } from '#api';
import {
  HostAgent,
  HostMetrics,
  VirtualSite,
  demoRoom,
  demoTimeScale,
  gases,
  startConditions,
} from '#devices';
import { createDialer } from '#listeners';
import { readTextFile } from '#security';
import { createLogger } from './logging.ts';
import { readSecret } from './secrets.ts';
import { reportReady, waitForStop } from './stop-signal.ts';

const Text = v.pipe(v.string(), v.minLength(1), v.maxLength(128));
const Broker = v.object({
  host: Text,
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
});

/** The file of `davylamp detectors`. */
const DetectorsFile = v.object({
  site: Text,
  siteAddress: Text,
  broker: Broker,
  username: Text,
  passwordFile: Text,
  seed: v.pipe(v.number(), v.integer()),
  detectors: v.array(
    v.object({
      name: Text,
      room: Text,
      address: v.pipe(v.string(), v.ipv4()),
      mac: v.pipe(v.string(), v.mac48()),
      gas: v.picklist(gases),
      start: v.picklist(startConditions),
    }),
  ),
});

/** The file of `davylamp agent`. */
const AgentFile = v.object({
  tenant: Text,
  site: Text,
  device: Text,
  broker: Broker,
  username: Text,
  passwordFile: Text,
  intervalSeconds: v.pipe(v.number(), v.minValue(0.1), v.maxValue(86_400)),
});

/** `davylamp detectors -c FILE`: virtual detectors until SIGINT or SIGTERM. */
export async function runDetectors(file: string): Promise<number> {
  const options = await readDeviceFile(file, DetectorsFile);
  const clock = new SystemClock();
  const site = new VirtualSite({
    ...options,
    passwordFile: path.resolve(path.dirname(file), options.passwordFile),
    detectors: options.detectors.map((detector) => ({
      ...detector,
      room: { ...demoRoom, gas: detector.gas },
    })),
    timeScale: demoTimeScale,
    clock,
    log: createLogger(clock, 'info').child(`detectors:${options.site}`),
    createDialer: (target) => createDialer({ ...target, tls: null, clock }),
  });
  const stop = waitForStop();
  process.on('message', (request: DeviceRequest) => {
    process.send?.({ kind: 'reply', id: request.id, value: answer(site, request) });
  });
  try {
    await site.start();
    reportReady();
    await stop.signalled;
  } finally {
    await site.close();
    stop.release();
  }
  return 0;
}

/** What the demo's supervisor asks over the process's channel. */
type DeviceRequest =
  | { readonly id: number; readonly kind: 'rooms' }
  | { readonly id: number; readonly kind: 'leak'; readonly detector: string; readonly litresPerHour: number };

function answer(site: VirtualSite, request: DeviceRequest): readonly RoomView[] | RoomView | undefined {
  return request.kind === 'rooms' ? site.rooms() : site.leak(request.detector, request.litresPerHour);
}

/** `davylamp agent -c FILE`: this machine as a device until SIGINT or SIGTERM. */
export async function runAgent(file: string): Promise<number> {
  const options = await readDeviceFile(file, AgentFile);
  const clock = new SystemClock();
  const agent = new HostAgent({
    dialer: createDialer({ ...options.broker, tls: null, clock }),
    clock,
    log: createLogger(clock, 'info').child(`agent:${options.site}`),
    tenant: options.tenant,
    site: options.site,
    device: options.device,
    clientId: `agent-${options.site}-${options.device}`,
    username: options.username,
    password: await readSecret(path.resolve(path.dirname(file), options.passwordFile)),
    metrics: new HostMetrics(),
    intervalMs: options.intervalSeconds * 1000,
  });
  const stop = waitForStop();
  try {
    agent.start();
    reportReady();
    await stop.signalled;
  } finally {
    await agent.close();
    stop.release();
  }
  return 0;
}

/** Reads and checks a JSON file. Errors: FILE_UNREADABLE, CONFIG_INVALID (names the key). */
async function readDeviceFile<T extends v.GenericSchema>(file: string, schema: T): Promise<v.InferOutput<T>> {
  const text = await readTextFile('device file', file);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new DavylampError('CONFIG_INVALID', `${file}: not JSON: ${messageOf(error)}`, { cause: error });
  }
  const result = v.safeParse(schema, value);
  if (result.success) return result.output;
  const issue = result.issues[0];
  throw new DavylampError(
    'CONFIG_INVALID',
    `${file}: ${v.getDotPath(issue) ?? 'the whole'}: ${issue.message}`,
  );
}
