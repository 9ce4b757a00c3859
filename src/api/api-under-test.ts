import { once } from 'node:events';
import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http';
import { mkdtemp, mkdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FakeClock, silentLogger } from '#base';
import type {
  AlarmTransition,
  Command,
  CommandName,
  DeviceEvent,
  DeviceId,
  Quarantined,
  Reading,
} from '#model';
import { createApi, type Api } from './create-api.ts';
import type {
  AlarmView,
  BridgesView,
  DemoPort,
  DeviceView,
  LiveEvent,
  PlatformPort,
  RoomView,
  StatusView,
} from './types.ts';

const start = 1_700_000_000_000;
export const lampId = '5ccf7f1418ad' as DeviceId;
export const alarmId = `${lampId}/gas/${start}`;

/** The device that the platform in memory begins with. */
export function deviceView(changes: Partial<DeviceView> = {}): DeviceView {
  return {
    id: lampId,
    mac: '5C:CF:7F:14:18:AD',
    ip: '192.168.1.11',
    site: 'north',
    name: 'd1',
    sensorType: 'Gas',
    protocol: 'legacy',
    topic: 'outTopic/23.17.224.11/192.168.1.11',
    state: 'normal',
    registration: 'new',
    firstSeen: start,
    lastSeen: start,
    lastSequence: 495,
    intervalMs: 1_000,
    warmUntil: 0,
    acceptsCommands: true,
    counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
    values: [{ metric: 'gas', value: 0, unit: '1', at: start, quality: 'good' }],
    ...changes,
  };
}

/** An alarm of that device. */
export function alarmView(changes: Partial<AlarmView> = {}): AlarmView {
  return {
    id: alarmId,
    deviceId: lampId,
    device: 'd1',
    site: 'north',
    rule: 'gas',
    priority: 1,
    state: 'unacknowledged',
    setPoint: 0.5,
    raisedValue: 1,
    peakValue: 1,
    raisedAt: start,
    acknowledgedAt: null,
    acknowledgedBy: null,
    returnedAt: null,
    ...changes,
  };
}

function reading(sequence: number | undefined, metric = 'gas'): Reading {
  return {
    deviceId: lampId,
    metric,
    value: 0,
    unit: '1',
    epoch: 1,
    sequence,
    at: start,
    receivedAt: start,
    kind: 'regular',
    quality: 'good',
    stampId: 'boot-1',
    topic: 'outTopic/23.17.224.11/192.168.1.11',
  };
}

/** A platform that holds what a test gives it. */
export class MemoryPlatform implements PlatformPort {
  deviceList: DeviceView[] = [deviceView()];
  alarmList: AlarmView[] = [alarmView()];
  readingList: Reading[] = [reading(495), reading(undefined, 'temperature')];
  eventList: DeviceEvent[] = [{ deviceId: lampId, kind: 'gap', at: start, detail: 'sequence 2 missing' }];
  quarantineList: Quarantined[] = [
    {
      at: start,
      topic: 'outTopic/a/b',
      payload: Buffer.from('na\xefve', 'latin1'),
      size: 5,
      reason: 'not a reading',
    },
  ];
  commandList: Command[] = [];
  commandRefusal: string | undefined;
  failure: Error | undefined;
  readonly listeners = new Set<(event: LiveEvent) => void>();
  demo: DemoPort | undefined;

  emit(event: LiveEvent): void {
    for (const listener of this.listeners) listener(event);
  }

  bridges(): BridgesView {
    const counts = { connects: 1, sent: 9, sentPerSecond: 0.5, received: 0, receivedPerSecond: 0 };
    const queue = { queuedMessages: 3, queuedBytes: 210, inFlight: 1, lagSeconds: 4 };
    const faults = { loops: 0, crossed: 0, refused: 0, rejected: 0, noRoom: 0, tooLarge: 0, unmapped: 0 };
    const place = { address: 'mqtts://relay.example:8883', lastError: null };
    return {
      bridges: [
        { name: 'relay', state: 'connected', since: start, ...place, ...counts, ...queue, ...faults },
      ],
      links: [{ clientId: 'site-north', connected: true }],
    };
  }

  status(): StatusView {
    if (this.failure !== undefined) throw this.failure;
    const counts = { messages: 1, readings: 2, quarantined: 3, redelivered: 4, repeated: 5, missing: 6 };
    const rest = { commits: 7, lastCommitMs: 8 };
    return {
      name: 'cloud',
      tenant: 't',
      time: start,
      version: '9',
      demo: false,
      linksDown: [],
      counts: { ...counts, ...rest },
    };
  }

  devices(): readonly DeviceView[] {
    return this.deviceList;
  }

  readings(deviceId: string, limit: number, metric: string | undefined): readonly Reading[] | undefined {
    if (deviceId !== lampId) return undefined;
    return this.readingList.filter((one) => metric === undefined || one.metric === metric).slice(0, limit);
  }

  alarms(limit: number): readonly AlarmView[] {
    return this.alarmList.slice(0, limit);
  }

  transitions(alarmId: string): readonly AlarmTransition[] {
    const alarm = this.alarmList.find((alarm) => alarm.id === alarmId);
    if (alarm === undefined) return [];
    const state = { kind: 'raise', from: 'normal', to: 'unacknowledged' } as const;
    const cause = { at: start, by: 'system', value: 1, setPoint: 0.5, comment: '' };
    return [{ alarmId, deviceId: lampId, ...state, ...cause }];
  }

  events(limit: number, deviceId: string | undefined): readonly DeviceEvent[] {
    return this.eventList
      .filter((event) => deviceId === undefined || event.deviceId === deviceId)
      .slice(0, limit);
  }

  quarantine(limit: number): readonly Quarantined[] {
    return this.quarantineList.slice(0, limit);
  }

  commands(limit: number, deviceId: string | undefined): readonly Command[] {
    return this.commandList
      .filter((command) => deviceId === undefined || command.deviceId === deviceId)
      .slice(0, limit);
  }

  acknowledge(alarmId: string, by: string, comment: string): AlarmView | undefined {
    const index = this.alarmList.findIndex(
      (alarm) => alarm.id === alarmId && alarm.state === 'unacknowledged',
    );
    if (index < 0) return undefined;
    const alarm = alarmView({
      state: 'acknowledged',
      acknowledgedBy: `${by}:${comment}`,
      acknowledgedAt: start,
    });
    this.alarmList[index] = alarm;
    return alarm;
  }

  command(deviceId: string, name: CommandName, seconds: number | null, by: string): Command | string {
    if (this.commandRefusal !== undefined) return this.commandRefusal;
    const state = { at: start, state: 'pending', updatedAt: start, detail: '' } as const;
    const command: Command = { id: 'c1', deviceId: deviceId as DeviceId, name, seconds, by, ...state };
    this.commandList.push(command);
    return command;
  }

  approve(deviceId: string, _by: string): DeviceView | undefined {
    if (deviceId !== lampId) return undefined;
    const device = deviceView({ registration: 'approved' });
    this.deviceList = [device];
    return device;
  }

  listen(listener: (event: LiveEvent) => void): () => void {
    this.listeners.add(listener);
    return () => this.listeners.delete(listener);
  }
}

/** Rooms in memory. */
export function memoryDemo(): DemoPort {
  const room: RoomView = {
    site: 'north',
    detector: 'd1',
    deviceId: lampId,
    gas: 'methane',
    concentrationPpm: 2,
    percentLel: 0,
    leakLitresPerHour: 0,
  };
  return {
    rooms: async () => [room],
    leak: async (site, detector, leakLitresPerHour) =>
      site === 'north' && detector === 'd1' ? { ...room, leakLitresPerHour } : undefined,
  };
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly text: string;
  readonly json: unknown;
}

export interface Question {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** A string goes as it is, anything else as JSON. */
  readonly body?: unknown;
}

/** A real server on a free port, with a platform in memory and a folder for the screen. */
export class ApiUnderTest implements AsyncDisposable {
  readonly platform = new MemoryPlatform();
  readonly clock = new FakeClock();
  readonly folder: string;
  readonly webFolder: string;
  readonly api: Api;
  port = 0;

  private constructor(folder: string) {
    this.folder = folder;
    this.webFolder = join(folder, 'web');
    const { platform, clock, webFolder } = this;
    this.api = createApi({ platform, clock, webFolder, log: silentLogger, version: '1.2.3' });
  }

  static async start(): Promise<ApiUnderTest> {
    const subject = new ApiUnderTest(await mkdtemp(join(tmpdir(), 'davylamp-api-')));
    subject.port = (await subject.api.start('127.0.0.1', 0)).port;
    return subject;
  }

  async writeWebFile(path: string, content: string): Promise<void> {
    const file = join(this.webFolder, path);
    await mkdir(join(file, '..'), { recursive: true });
    await writeFile(file, content);
  }

  /** Sends a request exactly as given: path and headers are not normalised. */
  async ask(path: string, question: Question = {}): Promise<Answer> {
    const response = await this.open(path, question);
    const chunks: Buffer[] = [];
    for await (const chunk of response) chunks.push(chunk as Buffer);
    const text = Buffer.concat(chunks).toString();
    const isJson = response.headers['content-type']?.startsWith('application/json') === true;
    const json: unknown = isJson && text !== '' ? JSON.parse(text) : undefined;
    return { status: response.statusCode ?? 0, headers: response.headers, text, json };
  }

  async post(path: string, body: unknown, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
    return this.ask(path, {
      method: 'POST',
      body,
      headers: { 'content-type': 'application/json', ...headers },
    });
  }

  async open(path: string, { method = 'GET', headers = {}, body }: Question = {}): Promise<IncomingMessage> {
    const outgoing = request({ host: '127.0.0.1', port: this.port, path, method, headers, agent: false });
    if (body !== undefined) outgoing.write(typeof body === 'string' ? body : JSON.stringify(body));
    if (headers['content-length'] === undefined || Number(headers['content-length']) < 1e6) outgoing.end();
    const [response] = (await once(outgoing, 'response')) as [IncomingMessage];
    return response;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.api.close();
    await rm(this.folder, { recursive: true });
  }
}
