import { randomBytes } from 'node:crypto';
import type {
  AlarmView,
  CommandView,
  DeviceView,
  LiveEvent,
  ReadingView,
  RoomView,
  StatusView,
} from '../../src/api/types.ts';
import type { DeviceEventView, TransitionView } from '../src/state/types.ts';

type Writable<T> = { -readonly [K in keyof T]: T[K] };
type FakeDevice = Writable<DeviceView>;
type FakeRoom = Writable<RoomView>;

const tripPercentLel = 10;
const clearPercentLel = 8;
/** Litres per hour to per cent LEL each second: quick enough for somebody who looks at a screen. */
const risePerLitre = 1 / 120;
const airingPerSecond = 0.06;

/** Plausible data in the shape of the API, moved on once a second. Nothing here is measured. */
export class FakePlatform {
  readonly devices = new Map<string, FakeDevice>();
  readonly rooms = new Map<string, FakeRoom>();
  readonly alarms = new Map<string, AlarmView>();
  readonly transitions: TransitionView[] = [];
  readonly readings = new Map<string, ReadingView[]>();
  readonly events: DeviceEventView[] = [];
  readonly commands = new Map<string, CommandView>();
  readonly #listeners = new Set<(event: LiveEvent) => void>();
  #tick = 0;

  /** `extra` detectors beyond the usual fourteen make a crowd. */
  constructor(extra: number) {
    const now = Date.now();
    for (const [index, site] of ['north', 'south'].entries()) {
      for (let n = 1; n <= 6; n += 1) this.#addDetector(site, index * 10 + n, `d${n}`, now, true);
      this.#addAgent(site, now);
    }
    for (let n = 1; n <= extra; n += 1)
      this.#addDetector(`block-${1 + (n % 8)}`, 100 + n, `unit ${n}`, now, false);
    const stranger = this.#addDetector('north', 99, '5c:cf:7f:14:18:ad', now, false);
    stranger.registration = 'new';
    this.#note(stranger, 'new', 'first heard on outTopic/23.17.224.11/192.168.1.109');
    this.#setCold('north', 'd6', now);
    this.#setCold('south', 'd3', now);
    const lossy = this.#find('south', 'd2');
    if (lossy !== undefined) {
      lossy.counts = { missing: 3, repeated: 1, redelivered: 4, resets: 1 };
      this.#note(lossy, 'gap', 'sequence 17 to 19 missing');
    }
    const mute = this.#find('south', 'd5');
    if (mute !== undefined) {
      mute.state = 'silent';
      mute.lastSeen = now - 312_000;
      this.#note(mute, 'silent', 'nothing heard for 15 s');
    }
  }

  listen(listener: (event: LiveEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  status(): StatusView {
    const readings = [...this.readings.values()].reduce((sum, list) => sum + list.length, 0);
    const counts = {
      messages: readings + 8,
      readings,
      quarantined: 1,
      redelivered: 4,
      repeated: 1,
      missing: 3,
    };
    return {
      name: 'cloud',
      tenant: 'demo',
      time: Date.now(),
      version: 'preview',
      demo: true,
      linksDown: [],
      counts: { ...counts, commits: this.#tick, lastCommitMs: 2.4 },
    };
  }

  acknowledge(id: string, by: string, comment: string): AlarmView | undefined {
    const alarm = this.alarms.get(id);
    if (alarm === undefined || alarm.acknowledgedAt !== null) return undefined;
    const state = alarm.state === 'returned' ? 'normal' : 'acknowledged';
    return this.#change(
      { ...alarm, state, acknowledgedAt: Date.now(), acknowledgedBy: by },
      'acknowledge',
      by,
      comment,
    );
  }

  approve(id: string): DeviceView | undefined {
    const device = this.devices.get(id);
    if (device === undefined) return undefined;
    device.registration = 'approved';
    this.#tell({ kind: 'devices', devices: [device] });
    return device;
  }

  leak(site: string, detector: string, litresPerHour: number): RoomView | undefined {
    const room = [...this.rooms.values()].find((one) => one.site === site && one.detector === detector);
    if (room !== undefined) room.leakLitresPerHour = litresPerHour;
    return room;
  }

  /** The answer comes in the steps of a real one. */
  command(device: DeviceView, name: CommandView['name'], seconds: number | null, by: string): CommandView {
    const at = Date.now();
    const id = randomBytes(16).toString('hex');
    const command: CommandView = {
      id,
      deviceId: device.id as CommandView['deviceId'],
      name,
      seconds,
      by,
      at,
      state: 'pending',
      updatedAt: at,
      detail: '',
    };
    this.commands.set(id, command);
    const isDeaf = device.state === 'silent';
    const answer = name === 'Request' ? 'reading 0' : `readings now every ${seconds} s`;
    const last = isDeaf
      ? ({
          state: 'refused',
          detail: `no detector listens on ${device.topic.replace('outTopic', 'InTopic')}`,
        } as const)
      : ({ state: 'answered', detail: answer } as const);
    const steps = [
      { state: 'sent', detail: '' } as const,
      ...(isDeaf ? [] : [{ state: 'delivered', detail: '' } as const]),
      last,
    ];
    for (const [index, step] of steps.entries()) {
      setTimeout(() => this.#moveCommand(id, step.state, step.detail), 500 * (index + 1));
    }
    return command;
  }

  /** One second of the world. */
  step(): void {
    this.#tick += 1;
    const now = Date.now();
    for (const room of this.rooms.values()) this.#air(room, now);
    for (const device of this.devices.values()) {
      if (device.state === 'silent' || (this.#tick + device.id.length + (device.lastSequence ?? 0)) % 2 === 0)
        continue;
      this.#read(device, now);
    }
    this.#tell({ kind: 'rooms', rooms: [...this.rooms.values()] });
    if (this.#tick % 2 === 0) this.#tell({ kind: 'status', status: this.status() });
  }

  #air(room: FakeRoom, now: number): void {
    const rise = room.leakLitresPerHour * risePerLitre;
    room.percentLel = Math.max(0, (room.percentLel + rise) * (1 - airingPerSecond));
    room.concentrationPpm = room.percentLel * 440;
    const device = this.devices.get(room.deviceId);
    if (device === undefined || device.state === 'silent') return;
    const open = [...this.alarms.values()].find(
      (alarm) => alarm.deviceId === room.deviceId && alarm.returnedAt === null,
    );
    if (room.percentLel >= tripPercentLel && open === undefined) this.#raise(device, now);
    if (room.percentLel < clearPercentLel && open !== undefined) {
      const state = open.state === 'acknowledged' ? 'normal' : 'returned';
      this.#change({ ...open, state, returnedAt: now }, 'return', 'system', '');
      device.state = 'normal';
    }
  }

  #read(device: FakeDevice, now: number): void {
    device.lastSequence = (device.lastSequence ?? 0) + 1;
    device.lastSeen = now;
    if (device.state === 'warming-up' && now > device.warmUntil) device.state = 'normal';
    const quality = device.state === 'warming-up' ? 'warming' : 'good';
    const sequence = device.lastSequence;
    const common = { epoch: 1, sequence, at: now, receivedAt: now, kind: 'regular', quality } as const;
    const made = this.#measure(device, quality).map((value): ReadingView => Object.assign(value, common));
    device.values = made.map(({ metric, value, unit, at }) => ({ metric, value, unit, at, quality }));
    const list = this.readings.get(device.id) ?? [];
    list.push(...made);
    this.readings.set(device.id, list.slice(-2000));
    this.#tell({ kind: 'readings', deviceId: device.id, readings: made });
    this.#tell({ kind: 'devices', devices: [device] });
  }

  #measure(device: FakeDevice, quality: string): { metric: string; value: number; unit: string }[] {
    if (device.protocol === 'legacy') {
      const isGas =
        device.state === 'gas' || (quality === 'warming' && device.warmUntil - Date.now() > 60_000);
      return [{ metric: 'gas', value: isGas ? 1 : 0, unit: '1' }];
    }
    const phase = Date.now() / 40_000 + device.id.length;
    return [
      { metric: 'cpu_load', value: 0.35 + 0.2 * Math.sin(phase) + 0.08 * Math.random(), unit: '1' },
      { metric: 'memory_used', value: 2.1e9 + 2e8 * Math.sin(phase / 3), unit: 'By' },
      { metric: 'temperature', value: 48 + 4 * Math.sin(phase / 2) + Math.random(), unit: 'Cel' },
    ];
  }

  #raise(device: FakeDevice, now: number): void {
    const deviceId = device.id as AlarmView['deviceId'];
    const raised = { setPoint: 1, raisedValue: 1, peakValue: 1, raisedAt: now };
    const open = { acknowledgedAt: null, acknowledgedBy: null, returnedAt: null };
    const id = `${device.id}/gas/${now}`;
    const rule = { rule: 'gas', priority: 1, state: 'unacknowledged' } as const;
    device.state = 'gas';
    this.#change(
      { id, deviceId, site: device.site, device: device.name, ...rule, ...raised, ...open },
      'raise',
      'system',
      '',
    );
  }

  #change(alarm: AlarmView, kind: TransitionView['kind'], by: string, comment: string): AlarmView {
    const from = this.alarms.get(alarm.id)?.state ?? 'normal';
    const { id: alarmId, deviceId, state: to, peakValue: value, setPoint } = alarm;
    this.transitions.push({
      alarmId,
      deviceId,
      kind,
      from,
      to,
      at: Date.now(),
      by,
      value,
      setPoint,
      comment,
    });
    this.alarms.set(alarm.id, alarm);
    this.#tell({ kind: 'alarms', alarms: [alarm] });
    return alarm;
  }

  #moveCommand(id: string, state: CommandView['state'], detail: string): void {
    const command = this.commands.get(id);
    if (command === undefined) return;
    const next = { ...command, state, detail, updatedAt: Date.now() };
    this.commands.set(id, next);
    this.#tell({ kind: 'command', command: next });
  }

  #note(device: FakeDevice, kind: DeviceEventView['kind'], detail: string): void {
    this.events.push({
      deviceId: device.id as DeviceEventView['deviceId'],
      kind,
      at: Date.now() - 90_000,
      detail,
    });
  }

  #find(site: string, name: string): FakeDevice | undefined {
    return [...this.devices.values()].find((device) => device.site === site && device.name === name);
  }

  #setCold(site: string, name: string, now: number): void {
    const device = this.#find(site, name);
    if (device === undefined) return;
    device.state = 'warming-up';
    device.warmUntil = now + 125_000;
    this.#note(device, 'hello', 'IOT Gas sensor prompt, HELLO!');
  }

  #addDetector(site: string, number: number, name: string, now: number, hasRoom: boolean): FakeDevice {
    const tail = number.toString(16).padStart(6, '0');
    const id = `5ccf7f${tail}`;
    const mac = (id.match(/../g) ?? []).join(':').toUpperCase();
    const ip = `192.168.${1 + (number >> 8)}.${10 + (number % 240)}`;
    const topic = `outTopic/23.17.224.11/${ip}`;
    const device = { ...blank(now), id, mac, ip, site, name, topic };
    this.devices.set(id, device);
    this.#remember(device, now);
    if (hasRoom) {
      const room = { gas: 'methane', concentrationPpm: 0, percentLel: 0, leakLitresPerHour: 0 };
      this.rooms.set(id, { site, detector: name, deviceId: id, ...room });
    }
    return device;
  }

  #addAgent(site: string, now: number): void {
    const id = `${site}.host`;
    const topic = `davy/v1/demo/${site}/host/reading`;
    const device: FakeDevice = {
      ...blank(now),
      id,
      site,
      name: 'host',
      topic,
      protocol: 'json',
      sensorType: 'host',
      acceptsCommands: false,
    };
    this.devices.set(id, device);
    this.#remember(device, now);
  }

  /** Ten minutes of the past, with half a minute of silence in them. */
  #remember(device: FakeDevice, now: number): void {
    for (let ago = 600; ago > 0; ago -= 2) {
      if (ago > 200 && ago < 230) continue;
      this.#read(device, now - ago * 1000);
    }
  }

  #tell(event: LiveEvent): void {
    for (const listener of this.#listeners) listener(event);
  }
}

function blank(now: number): FakeDevice {
  return {
    id: '',
    mac: null,
    ip: null,
    site: '',
    name: '',
    sensorType: 'Gas',
    protocol: 'legacy',
    topic: '',
    state: 'normal',
    registration: 'approved',
    firstSeen: now - 86_400_000,
    lastSeen: now,
    lastSequence: 100,
    intervalMs: 2000,
    warmUntil: 0,
    acceptsCommands: true,
    counts: { missing: 0, repeated: 0, redelivered: 0, resets: 0 },
    values: [],
  };
}
