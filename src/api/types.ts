import type {
  Alarm,
  AlarmTransition,
  Command,
  CommandName,
  Device,
  DeviceEvent,
  DeviceState,
  Quarantined,
  Reading,
} from '#model';

/** JSON of `GET /api/v1/devices` and of the live feed. Times are milliseconds since 1970 (UTC). */
export interface DeviceView {
  readonly id: string;
  readonly mac: string | null;
  readonly ip: string | null;
  readonly site: string;
  readonly name: string;
  readonly sensorType: string;
  readonly protocol: 'legacy' | 'json';
  readonly topic: string;
  readonly state: DeviceState;
  readonly registration: 'new' | 'approved';
  readonly firstSeen: number;
  readonly lastSeen: number;
  readonly lastSequence: number | null;
  readonly intervalMs: number | null;
  readonly warmUntil: number;
  readonly acceptsCommands: boolean;
  readonly counts: Device['counts'];
  /** Latest value of each metric. */
  readonly values: readonly ValueView[];
}

export interface ValueView {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly at: number;
  readonly quality: string;
}

/** JSON of `GET /api/v1/devices/{id}/readings`: newest first. */
export interface ReadingView {
  readonly metric: string;
  readonly value: number;
  readonly unit: string;
  readonly epoch: number;
  readonly sequence: number | null;
  readonly at: number;
  readonly receivedAt: number;
  readonly kind: 'regular' | 'requested';
  readonly quality: string;
}

/** JSON of `GET /api/v1/alarms`: active and unacknowledged first, newest first. */
export type AlarmView = Alarm & { readonly device: string };

export type CommandView = Command;

/** JSON of `GET /api/v1/status`. */
export interface StatusView {
  readonly name: string;
  readonly tenant: string;
  readonly time: number;
  readonly version: string;
  /** True where the demo's leak control is wired. */
  readonly demo: boolean;
  /** Bridges of this broker, and links of others that tell of themselves, which are not connected. */
  readonly linksDown: readonly string[];
  readonly counts: PlatformCounts;
}

/** Everything that is counted, so that nothing is dropped silently. */
export interface PlatformCounts {
  readonly messages: number;
  readonly readings: number;
  readonly quarantined: number;
  readonly redelivered: number;
  readonly repeated: number;
  readonly missing: number;
  readonly commits: number;
  readonly lastCommitMs: number;
}

/** JSON of `GET /api/v1/bridges`. */
export interface BridgesView {
  /** Of this broker. */
  readonly bridges: readonly BridgeView[];
  /** Bridges that tell of their state (`notifications`): of this broker, and of others to it. */
  readonly links: readonly { readonly clientId: string; readonly connected: boolean }[];
}

/** One bridge of this broker, as it was at most ten seconds ago. Counts are since its start. */
export interface BridgeView {
  readonly name: string;
  /** `connecting`, `connected`, `waiting`, `idle` or `closed`. */
  readonly state: string;
  /** When the state began. */
  readonly since: number;
  /** Where the other broker is. */
  readonly address: string;
  readonly lastError: string | null;
  readonly connects: number;
  readonly sent: number;
  readonly sentPerSecond: number;
  readonly received: number;
  readonly receivedPerSecond: number;
  readonly queuedMessages: number;
  readonly queuedBytes: number;
  readonly inFlight: number;
  /** Age of the oldest message that the other broker has not acknowledged; 0 = there is none. */
  readonly lagSeconds: number;
  readonly loops: number;
  readonly crossed: number;
  readonly refused: number;
  readonly rejected: number;
  readonly noRoom: number;
  readonly tooLarge: number;
  readonly unmapped: number;
}

/** What the live feed (`GET /api/v1/live`, server-sent events) carries; the event's name is `kind`. */
export type LiveEvent =
  | { readonly kind: 'devices'; readonly devices: readonly DeviceView[] }
  | { readonly kind: 'readings'; readonly deviceId: string; readonly readings: readonly ReadingView[] }
  | { readonly kind: 'alarms'; readonly alarms: readonly AlarmView[] }
  | { readonly kind: 'command'; readonly command: CommandView }
  | { readonly kind: 'status'; readonly status: StatusView }
  | { readonly kind: 'rooms'; readonly rooms: readonly RoomView[] };

/** A room of the demo: what the virtual detector hangs in. */
export interface RoomView {
  readonly site: string;
  /** `d1` … `d6`. */
  readonly detector: string;
  readonly deviceId: string;
  readonly gas: string;
  /** Parts per million by volume, at the detector. */
  readonly concentrationPpm: number;
  readonly percentLel: number;
  /** Litres of gas per hour; 0 = no leak. */
  readonly leakLitresPerHour: number;
}

/**
 * What the API needs of the platform: defined here, implemented in `app`. Queries read the store; actions go through
 * the cores and return when they are committed.
 */
export interface PlatformPort {
  status(): StatusView;
  bridges(): BridgesView;
  devices(): readonly DeviceView[];
  readings(deviceId: string, limit: number, metric: string | undefined): readonly Reading[] | undefined;
  alarms(limit: number): readonly AlarmView[];
  transitions(alarmId: string): readonly AlarmTransition[];
  events(limit: number, deviceId: string | undefined): readonly DeviceEvent[];
  quarantine(limit: number): readonly Quarantined[];
  commands(limit: number, deviceId: string | undefined): readonly Command[];
  /** `undefined`: no such alarm, or nothing to acknowledge. */
  acknowledge(alarmId: string, by: string, comment: string): AlarmView | undefined;
  /** Sends a command; the ledger goes on by itself. `string`: why it cannot be sent. */
  command(deviceId: string, name: CommandName, seconds: number | null, by: string): Command | string;
  approve(deviceId: string, by: string): DeviceView | undefined;
  /** Calls back with every change until the returned function is called. */
  listen(listener: (event: LiveEvent) => void): () => void;
  /** The demo's rooms; `undefined` outside the demo. */
  readonly demo: DemoPort | undefined;
}

export interface DemoPort {
  rooms(): Promise<readonly RoomView[]>;
  /** Opens (litres per hour > 0) or closes (0) the leak in one detector's room. `undefined`: no such detector. */
  leak(site: string, detector: string, litresPerHour: number): Promise<RoomView | undefined>;
}
