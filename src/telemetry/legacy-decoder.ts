import {
  deviceIdOfMac,
  legacyInPrefix,
  legacyOutPrefix,
  parseName,
  type Decoded,
  type DeviceId,
  type DeviceMessage,
} from '#model';
import { unreadable, type Decoder, type Incoming } from './decoder.ts';
import { TextScanner } from './text-scanner.ts';

/** The firmware's buffer: nothing longer comes from a real detector. Bytes. */
const maximumPayload = 140;
const maximumTypeLength = 32;
/** The firmware counts in 32 bits. */
const maximumSequence = 0xffff_ffff;
/** Topics and addresses that are remembered, so that their checks and rewriting are paid once per device. */
const maximumRemembered = 20_000;

interface Route {
  readonly site: string;
  readonly commandTopic: string;
}

interface Address {
  readonly mac: string;
  readonly deviceId: DeviceId;
}

/**
 * The original detector (ESP8266 with an MQ-2), to the letter. On `outTopic/<site address>/<device address>`:
 *
 *   495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0             by its own interval
 *   REQUESTED-495-Gas Sensor IP:192.168.1.11 MAC:AD:18:14:7F:CF:5C Reading value=0   because it was asked
 *   IOT Gas sensor prompt, HELLO!                                                    it has (re)connected
 *
 * The firmware prints its MAC backwards; `macSent` keeps what was sent, `mac` is the true one.
 */
export class LegacyDecoder implements Decoder {
  readonly name = 'legacy';
  readonly #siteAddresses: ReadonlyMap<string, string>;
  readonly #routes = new Map<string, Route>();
  readonly #addresses = new Map<string, Address>();
  readonly #scanner = new TextScanner();

  /** `siteAddresses` names the sites of topics whose messages bear no stamp. */
  constructor(siteAddresses: ReadonlyMap<string, string>) {
    this.#siteAddresses = siteAddresses;
  }

  handles(topic: string): boolean {
    return topic.startsWith(`${legacyOutPrefix}/`) || topic === legacyOutPrefix;
  }

  decode(incoming: Incoming): Decoded {
    const route = this.#routes.get(incoming.topic) ?? this.#readTopic(incoming.topic);
    if (typeof route === 'string') return unreadable(route);
    const { payload } = incoming;
    if (payload.length > maximumPayload)
      return unreadable(`${payload.length} bytes: expected at most ${maximumPayload}`);
    // latin1 maps each byte to one character; none above 0x7f is accepted anywhere below.
    const scanner = this.#scanner;
    scanner.start(payload.toString('latin1'));
    if (scanner.skip('IOT ')) return this.#readHello(incoming, route);
    return this.#readReading(incoming, route, scanner.skip('REQUESTED-'));
  }

  #readHello(incoming: Incoming, route: Route): Decoded {
    const scanner = this.#scanner;
    const type = scanner.word('a sensor type', maximumTypeLength);
    if (type === '' || !scanner.literal(' sensor prompt, HELLO!') || !scanner.end())
      return unreadable(scanner.fault);
    return {
      kind: 'hello',
      message: createMessage(incoming, route, type, undefined, '', '', undefined, false),
    };
  }

  #readReading(incoming: Incoming, route: Route, requested: boolean): Decoded {
    const scanner = this.#scanner;
    const sequence = scanner.number('a sequence number', maximumSequence);
    if (sequence < 0 || !scanner.literal('-')) return unreadable(scanner.fault);
    const type = scanner.word('a sensor type', maximumTypeLength);
    if (type === '' || !scanner.literal(' Sensor ') || !scanner.literal('IP:'))
      return unreadable(scanner.fault);
    const ip = scanner.ipv4();
    if (ip === '' || !scanner.literal(' ') || !scanner.literal('MAC:')) return unreadable(scanner.fault);
    const macSent = scanner.mac();
    if (macSent === '' || !scanner.literal(' ') || !scanner.literal('Reading value='))
      return unreadable(scanner.fault);
    const isGas = scanner.skip('1');
    if (!isGas && !scanner.skip('0')) scanner.refuse('0 or 1');
    if (scanner.fault !== '' || !scanner.end()) return unreadable(scanner.fault);
    const address = this.#addresses.get(macSent) ?? this.#readAddress(macSent);
    return {
      kind: 'readings',
      message: createMessage(incoming, route, type, address, macSent, ip, sequence, requested),
      values: [{ metric: type.toLowerCase(), value: isGas ? 1 : 0, unit: '1' }],
    };
  }

  /** `string`: what is wrong with the topic. */
  #readTopic(topic: string): Route | string {
    const levels = topic.split('/', 4);
    if (levels.length !== 3) return `topic: expected ${legacyOutPrefix}/<site address>/<device address>`;
    const [, siteAddress = '', deviceAddress = ''] = levels;
    const rule = 'expected 1 to 64 of A-Z a-z 0-9 _ . -';
    if (parseName(siteAddress) === undefined) return `topic level 2: ${rule}`;
    if (parseName(deviceAddress) === undefined) return `topic level 3: ${rule}`;
    const route: Route = {
      site: this.#siteAddresses.get(siteAddress) ?? siteAddress,
      commandTopic: `${legacyInPrefix}/${siteAddress}/${deviceAddress}`,
    };
    remember(this.#routes, topic, route);
    return route;
  }

  #readAddress(macSent: string): Address {
    const mac = reverseMac(macSent);
    const address: Address = { mac, deviceId: deviceIdOfMac(mac) };
    remember(this.#addresses, macSent, address);
    return address;
  }
}

/** Turns the byte order of a MAC address in colon form round, upper case: `ad:18:14:7f:cf:5c` → `5C:CF:7F:14:18:AD`. */
function reverseMac(mac: string): string {
  return mac.toUpperCase().split(':').reverse().join(':');
}

/** A full memory is emptied: it holds nothing that cannot be worked out again. */
function remember<T>(memory: Map<string, T>, key: string, value: T): void {
  if (memory.size >= maximumRemembered) memory.clear();
  memory.set(key, value);
}

function createMessage(
  incoming: Incoming,
  route: Route,
  sensorType: string,
  address: Address | undefined,
  macSent: string,
  ip: string,
  sequence: number | undefined,
  requested: boolean,
): DeviceMessage {
  const { stamp, now } = incoming;
  return {
    protocol: 'legacy',
    deviceId: address?.deviceId,
    mac: address === undefined ? null : address.mac,
    macSent: address === undefined ? null : macSent,
    ip: address === undefined ? null : ip,
    sensorType,
    site: stamp === undefined ? route.site : stamp.site,
    topic: incoming.topic,
    commandTopic: route.commandTopic,
    sequence,
    bootId: undefined,
    requested,
    deviceTime: undefined,
    receivedAt: stamp === undefined ? now : stamp.receivedAt,
    stampId: stamp === undefined ? '' : stamp.id,
    ...(stamp?.mayBeRepeat === true ? { mayBeRepeat: true } : {}),
  };
}
