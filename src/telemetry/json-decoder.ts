import { isUtf8 } from 'node:buffer';
import { nativePrefix, parseDeviceId, parseName, type Decoded, type DecodedValue } from '#model';
import { unreadable, type Decoder, type Incoming } from './decoder.ts';

/** Bytes. */
const maximumPayload = 16_384;
const maximumValues = 64;
const maximumUnitLength = 16;
/** 2100-01-01: a device time beyond it is a mistake of units. */
const maximumDeviceTime = 4_102_444_800_000;

const metricPattern = /^[A-Za-z][A-Za-z0-9_]{0,63}$/;
const bootPattern = /^[A-Za-z0-9_-]{1,32}$/;
const unitPattern = /^[\x21-\x7e]{0,16}$/;

interface Head {
  readonly sequence: number | undefined;
  readonly bootId: string | undefined;
  readonly deviceTime: number | undefined;
  readonly sensorType: string;
}

/**
 * Davylamp JSON on `davy/v1/<tenant>/<site>/<device>/reading`:
 *
 *   {"seq": 12, "boot": "k3j2", "at": 1700000000000, "type": "host",
 *    "values": {"cpu_load": {"value": 0.31, "unit": "1"}, "temperature": 48.2}}
 *
 * Only `values` must be there. `seq` counts from 0 or 1 in each `boot`; `at` is milliseconds since 1970 (UTC). Fields
 * that are not known are passed over, so that a newer device can talk to an older Davylamp.
 */
export class JsonDecoder implements Decoder {
  readonly name = 'json';

  handles(topic: string): boolean {
    return topic.startsWith(`${nativePrefix}/`) && topic.endsWith('/reading');
  }

  decode(incoming: Incoming): Decoded {
    const { topic, payload, stamp, now } = incoming;
    const levels = topic.split('/', 7);
    const [, , tenant = '', site = '', device = ''] = levels;
    if (levels.length !== 6)
      return unreadable(`topic: expected ${nativePrefix}/<tenant>/<site>/<device>/reading`);
    for (const level of [tenant, site, device]) {
      if (parseName(level) === undefined)
        return unreadable(`topic level "${shown(level)}": expected 1 to 64 of A-Z a-z 0-9 _ . -`);
    }
    if (stamp !== undefined && stamp.site !== site) {
      return unreadable(`topic: names site ${site}, but site ${stamp.site} took the message`);
    }
    const fields = parseObject(payload);
    if (typeof fields === 'string') return unreadable(fields);
    const head = readHead(fields);
    if (typeof head === 'string') return unreadable(head);
    const values = readValues(fields['values']);
    if (typeof values === 'string') return unreadable(values);
    return {
      kind: 'readings',
      message: {
        protocol: 'json',
        deviceId: parseDeviceId(`${site}.${device}`),
        mac: null,
        macSent: null,
        ip: null,
        sensorType: head.sensorType,
        site,
        topic,
        commandTopic: null,
        sequence: head.sequence,
        bootId: head.bootId,
        requested: false,
        deviceTime: head.deviceTime,
        receivedAt: stamp === undefined ? now : stamp.receivedAt,
        stampId: stamp === undefined ? '' : stamp.id,
        ...(stamp?.mayBeRepeat === true ? { mayBeRepeat: true } : {}),
      },
      values,
    };
  }
}

/** `string`: what is wrong. */
function parseObject(payload: Buffer): Record<string, unknown> | string {
  if (payload.length > maximumPayload) return `${payload.length} bytes: expected at most ${maximumPayload}`;
  if (!isUtf8(payload)) return 'payload: expected UTF-8';
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.toString('utf8'));
  } catch {
    return 'payload: expected JSON';
  }
  return isObject(parsed) ? parsed : 'payload: expected a JSON object';
}

function readHead(fields: Record<string, unknown>): Head | string {
  const { seq, boot, at, type } = fields;
  if (seq !== undefined && !isCount(seq, Number.MAX_SAFE_INTEGER))
    return 'seq: expected a whole number from 0 to 9007199254740991';
  if (boot !== undefined && !(typeof boot === 'string' && bootPattern.test(boot))) {
    return 'boot: expected a text of 1 to 32 of A-Z a-z 0-9 _ -';
  }
  if (at !== undefined && !isCount(at, maximumDeviceTime)) return 'at: expected milliseconds since 1970';
  if (type !== undefined && !(typeof type === 'string' && parseName(type) !== undefined)) {
    return 'type: expected a text of 1 to 64 of A-Z a-z 0-9 _ . -';
  }
  return { sequence: seq, bootId: boot, deviceTime: at, sensorType: type ?? 'sensor' };
}

function readValues(values: unknown): readonly DecodedValue[] | string {
  if (!isObject(values)) return 'values: expected an object of names and values';
  const entries = Object.entries(values);
  if (entries.length === 0 || entries.length > maximumValues) {
    return `values: expected 1 to ${maximumValues}, found ${entries.length}`;
  }
  const decoded: DecodedValue[] = [];
  for (const [metric, entry] of entries) {
    if (!metricPattern.test(metric))
      return `values: "${shown(metric)}": expected a letter, then letters, digits or _, at most 64`;
    const value = isObject(entry) ? entry['value'] : entry;
    const unit = (isObject(entry) ? entry['unit'] : undefined) ?? '';
    if (typeof value !== 'number' || !Number.isFinite(value))
      return `values.${metric}: expected a finite number`;
    if (typeof unit !== 'string' || !unitPattern.test(unit)) {
      return `values.${metric}.unit: expected at most ${maximumUnitLength} printable ASCII characters`;
    }
    decoded.push({ metric, value, unit });
  }
  return decoded;
}

function isCount(value: unknown, maximum: number): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maximum;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** A peer's text inside a reason: short. The logger and the screen escape it. */
function shown(text: string): string {
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}
