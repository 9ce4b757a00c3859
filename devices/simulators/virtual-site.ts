import { readFile } from 'node:fs/promises';
import { isIPv4 } from 'node:net';
import { DavylampError, messageOf, type Clock, type Dialer, type Logger, type Timer } from '#base';
import { deviceIdOfMac } from '#model';
import { ppmOfPercentLel } from './gas.ts';
import { LegacyDetector, legacyClientId } from './legacy-detector.ts';
import { hasLocalAddress, isLoopback, loopbackAddressOf } from './local-address.ts';
import type { MqModel } from './mq-curves.ts';
import { MqSensor, type StartCondition } from './mq-sensor.ts';
import { Random } from './random.ts';
import { properMounting, Room, type Mounting, type RoomOptions } from './room.ts';

/** Where a virtual detector's connection goes, and from which address of this machine it comes. */
export interface DialTarget {
  readonly host: string;
  readonly port: number;
  readonly localAddress?: string;
}

export interface VirtualDetectorOptions {
  /** `d1`, `d2`, …: for people. */
  readonly name: string;
  /** Its address in the building, which is also the last level of its topics. */
  readonly address: string;
  /** The true MAC, with colons. */
  readonly mac: string;
  readonly room: RoomOptions;
  readonly start: StartCondition;
  /** `MQ-2` unless said. */
  readonly model?: MqModel;
  /** Where it hangs; where its gas gathers unless said. */
  readonly mounting?: Mounting;
  /** Set-point of its potentiometer in percent of the lower explosive limit; 10 unless said. */
  readonly tripPercentLel?: number;
}

export interface VirtualSiteOptions {
  readonly site: string;
  /** The first level of its detectors' topics behind the prefix: `23.17.224.11`. */
  readonly siteAddress: string;
  readonly broker: { readonly host: string; readonly port: number };
  readonly username: string;
  /** Holds the password as text; a line feed at its end does not count. */
  readonly passwordFile: string;
  readonly detectors: readonly VirtualDetectorOptions[];
  /** The same seed gives the same noise. */
  readonly seed: number;
  /**
   * Seconds of the rooms' time that pass in one second; 1 unless said. It speeds up how gas spreads and airs out, so
   * that a demonstration need not wait a quarter of an hour; the sensors' own lag and warm-up stay as they are.
   */
  readonly timeScale?: number;
  readonly clock: Clock;
  readonly log: Logger;
  readonly createDialer: (target: DialTarget) => Dialer;
}

/** A room as a person sees it. Same shape as the API's view of rooms. */
export interface VirtualRoomView {
  readonly site: string;
  readonly detector: string;
  readonly deviceId: string;
  readonly gas: string;
  /** Parts per million by volume, at the detector. */
  readonly concentrationPpm: number;
  readonly percentLel: number;
  readonly leakLitresPerHour: number;
}

/**
 * For demonstrations: a burner left open (150 l/h) trips a detector of `demoRoom` in about 14 s, its gas is gone in
 * less than a minute after the leak was closed, and a broken pipe (2 m³/h) trips it in about 3 s.
 */
export const demoTimeScale = 120;

/** A small kitchen with an extractor fan: 5 m² of 2.4 m height, air replaced twice an hour. */
export const demoRoom: RoomOptions = { volume: 12, airChangesPerHour: 2, gas: 'methane' };

/** Beyond this a room's hours pass between two readings, and nothing is seen of them. */
const maximumTimeScale = 3600;

/** How often rooms and sensors move on without a reading; each step is exact over its length. */
const stepMs = 100;

interface Unit {
  readonly options: VirtualDetectorOptions;
  readonly mounting: Mounting;
  readonly room: Room;
  readonly sensor: MqSensor;
  detector: LegacyDetector | undefined;
}

/** A building with virtual legacy detectors, each in a room of its own. */
export class VirtualSite {
  readonly #options: VirtualSiteOptions;
  readonly #units = new Map<string, Unit>();
  #timer: Timer | undefined;
  #lastStep = 0;

  /** Throws USAGE when two detectors would be taken for one, or one of them or a room cannot be. */
  constructor(options: VirtualSiteOptions) {
    checkOptions(options);
    this.#options = options;
    for (const [index, detector] of options.detectors.entries()) {
      this.#units.set(detector.name, createUnit(detector, options.seed + index * 7919));
    }
  }

  /** Switches all detectors on; they connect by themselves. Rejects with FILE_UNREADABLE when there is no password. */
  async start(): Promise<void> {
    const password = await readPassword(this.#options.passwordFile);
    this.#lastStep = this.#options.clock.monotonic();
    for (const unit of this.#units.values()) unit.detector = await this.#createDetector(unit, password);
    this.#timer = this.#options.clock.every(stepMs, () => this.#step());
    for (const unit of this.#units.values()) unit.detector?.start();
    const { log, site, timeScale = 1 } = this.#options;
    log.info('virtual detectors are on', {
      site,
      detectors: this.#units.size,
      room_seconds_per_second: timeScale,
    });
  }

  /** Switches everything off. */
  async close(): Promise<void> {
    this.#timer?.cancel();
    await Promise.all([...this.#units.values()].map(async (unit) => unit.detector?.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /**
   * Opens a leak in one detector's room (litres per hour > 0), changes or closes (0) it. `undefined`: no such detector.
   * Throws USAGE for a rate that is no rate.
   */
  leak(detector: string, litresPerHour: number): VirtualRoomView | undefined {
    const unit = this.#units.get(detector);
    if (unit === undefined) return undefined;
    this.#step();
    unit.room.leak(litresPerHour);
    this.#options.log.info(litresPerHour > 0 ? 'a leak is open' : 'the leak is closed', {
      detector,
      litres_per_hour: litresPerHour,
    });
    return this.#view(unit);
  }

  rooms(): readonly VirtualRoomView[] {
    this.#step();
    return [...this.#units.values()].map((unit) => this.#view(unit));
  }

  /** Brings rooms and sensors to now. */
  #step(): void {
    const now = this.#options.clock.monotonic();
    const seconds = (now - this.#lastStep) / 1000;
    if (seconds <= 0) return;
    this.#lastStep = now;
    const { timeScale = 1 } = this.#options;
    for (const { room, sensor, mounting } of this.#units.values()) {
      room.step(seconds * timeScale);
      sensor.step(seconds, new Map([[room.options.gas, room.ppmAt(mounting)]]));
    }
  }

  async #createDetector(unit: Unit, password: string): Promise<LegacyDetector> {
    const { siteAddress, broker, username, clock, log, createDialer } = this.#options;
    const { name, address, mac } = unit.options;
    const detectorLog = log.child(`detector:${name}`);
    const localAddress = await this.#localAddressOf(address);
    if (localAddress === undefined) {
      detectorLog.notice(
        `${address} has no loopback address of its own here; the detector uses a client id of its own instead of the shared one`,
      );
    }
    return new LegacyDetector({
      dialer: createDialer({ ...broker, ...(localAddress === undefined ? {} : { localAddress }) }),
      clock,
      log: detectorLog,
      clientId: localAddress === undefined ? `${legacyClientId}-${name}` : legacyClientId,
      username,
      password,
      siteAddress,
      deviceAddress: address,
      mac,
      readPin: () => {
        this.#step();
        return unit.sensor.digital;
      },
    });
  }

  /** An address that only this detector has, so that the broker can tell devices of one client id apart. */
  async #localAddressOf(deviceAddress: string): Promise<string | undefined> {
    if (!isLoopback(this.#options.broker.host)) return undefined;
    const address = loopbackAddressOf(deviceAddress);
    return address !== undefined && (await hasLocalAddress(address)) ? address : undefined;
  }

  #view({ options, room, mounting }: Unit): VirtualRoomView {
    return {
      site: this.#options.site,
      detector: options.name,
      deviceId: deviceIdOfMac(options.mac),
      gas: room.options.gas,
      concentrationPpm: room.ppmAt(mounting),
      percentLel: room.percentLelAt(mounting),
      leakLitresPerHour: room.leakLitresPerHour,
    };
  }
}

function checkOptions({ site, detectors, timeScale = 1 }: VirtualSiteOptions): void {
  if (!(timeScale > 0 && timeScale <= maximumTimeScale)) {
    throw new DavylampError(
      'USAGE',
      `site ${site}: time scale ${timeScale} is not a number above 0, up to ${maximumTimeScale}`,
    );
  }
  const taken = new Set<string>();
  for (const { name, address, mac } of detectors) {
    if (!isIPv4(address) || !/^[0-9A-F]{2}(?::[0-9A-F]{2}){5}$/i.test(mac)) {
      throw new DavylampError(
        'USAGE',
        `site ${site}: detector ${name} needs an IPv4 address and a MAC with colons, not ${address} and ${mac}`,
      );
    }
    for (const own of [name, address, mac.toUpperCase()]) {
      if (taken.has(own)) {
        throw new DavylampError(
          'USAGE',
          `site ${site}: two detectors have ${own}; give each its own name, address and MAC`,
        );
      }
      taken.add(own);
    }
  }
}

function createUnit(options: VirtualDetectorOptions, seed: number): Unit {
  const { gas } = options.room;
  const sensor = new MqSensor({
    model: options.model ?? 'MQ-2',
    start: options.start,
    random: new Random(seed),
    trip: { gas, ppm: ppmOfPercentLel(gas, options.tripPercentLel ?? 10) },
  });
  return {
    options,
    mounting: options.mounting ?? properMounting(gas),
    room: new Room(options.room),
    sensor,
    detector: undefined,
  };
}

async function readPassword(file: string): Promise<string> {
  try {
    return (await readFile(file, 'utf8')).replace(/\r?\n$/, '');
  } catch (error) {
    throw new DavylampError('FILE_UNREADABLE', `password file ${file} cannot be read: ${messageOf(error)}`, {
      cause: error,
    });
  }
}
