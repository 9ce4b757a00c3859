import { readFile } from 'node:fs/promises';
import http from 'node:http';
import path from 'node:path';
import * as v from 'valibot';
import { DavylampError, messageOf, systemCodeOf } from '#base';
import type { DemoStatus } from '#cli';
import { writePrivate } from '#security';
import { readSecret } from '../secrets.ts';
import { createPlan, type DemoPlan } from './plan.ts';

const Port = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535));
const Record = v.object({
  version: v.literal(1),
  ports: v.object({ screen: Port, cloud: Port, relay: Port, sites: v.array(Port) }),
});

function recordFile(folder: string): string {
  return path.join(folder, 'demo.json');
}

/** The plan of an earlier start in this folder; `undefined` where there was none. Error: FILE_UNREADABLE. */
export async function readPlan(folder: string): Promise<DemoPlan | undefined> {
  const file = recordFile(folder);
  try {
    return createPlan(folder, v.parse(Record, JSON.parse(await readFile(file, 'utf8'))).ports);
  } catch (error) {
    if (systemCodeOf(error) === 'ENOENT') return undefined;
    throw new DavylampError(
      'FILE_UNREADABLE',
      `${file} cannot be used: ${messageOf(error)}; remove it and start the demo again`,
      {
        cause: error,
      },
    );
  }
}

export async function writePlan(plan: DemoPlan): Promise<void> {
  await writePrivate(
    recordFile(plan.folder),
    `${JSON.stringify({ version: 1, ports: plan.ports }, null, 2)}\n`,
  );
}

/** What the supervisor tells of its processes over the control socket. */
export interface ProcessInfo {
  readonly name: string;
  readonly pid: number | null;
  readonly config: string;
}

/** `davylamp demo status`. Errors: FILE_UNREADABLE when no demo was ever started in `folder`. */
export async function demoStatus(folder: string): Promise<DemoStatus> {
  const plan = await readPlan(folder);
  if (plan === undefined) {
    throw new DavylampError(
      'FILE_UNREADABLE',
      `there is no demo in ${folder}; start one with 'davylamp demo --data ${folder}'`,
    );
  }
  const processes = await askSupervisor<readonly ProcessInfo[]>(
    plan.controlSocket,
    'GET',
    '/processes',
  ).catch(() => undefined);
  const at = (...parts: string[]): string => path.join(folder, ...parts);
  const host = '127.0.0.1';
  const visitor = {
    ca: at('visitor', 'ca.pem'),
    cert: at('visitor', 'visitor.pem'),
    key: at('visitor', 'visitor.key'),
  };
  const north = plan.sites[0]?.name ?? '';
  return {
    running: processes !== undefined,
    screen: `http://${host}:${plan.ports.screen}/`,
    sites: await Promise.all(
      plan.sites.map(async (site, index) => ({
        name: site.name,
        host,
        port: plan.ports.sites[index] ?? 0,
        username: 'detector',
        password: await readSecret(at(site.name, 'detector.password')),
      })),
    ),
    // The relay lets in sites alone: this is the first one's own certificate.
    relay: {
      host,
      port: plan.ports.relay,
      ca: at(north, 'ca.pem'),
      cert: at(north, `${north}.pem`),
      key: at(north, `${north}.key`),
    },
    cloud: {
      host,
      port: plan.ports.cloud,
      ...visitor,
      username: 'visitor',
      password: await readSecret(at('visitor', 'cloud.password')),
    },
    store: at('cloud', 'store.db'),
    processes: processes ?? [],
  };
}

/** One request to the demo's supervisor. Rejects when it does not run or refuses. */
export function askSupervisor<T>(
  socketPath: string,
  method: 'GET' | 'POST',
  route: string,
  body?: unknown,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = http.request(
      { socketPath, method, path: route, timeout: 5000, headers: { 'content-type': 'application/json' } },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () => {
          const text = Buffer.concat(chunks).toString('utf8');
          if (response.statusCode === 200) resolve(JSON.parse(text) as T);
          else reject(new DavylampError('USAGE', text));
        });
      },
    );
    request.on('timeout', () => request.destroy(new Error('the demo does not answer')));
    request.on('error', reject);
    request.end(body === undefined ? undefined : JSON.stringify(body));
  });
}
