import { isUtf8 } from 'node:buffer';
import { commandNames, type CommandName, type CommandRequest, type CommandResult } from '#model';

/** Bytes of a command or of a result. */
const maximumPayload = 2_048;
const maximumDetail = 200;
const maximumBy = 128;
const maximumTime = 8.64e15;

const idPattern = /^[0-9a-f]{32}$/;
/** `InTopic`, then two levels that hold nothing a topic filter or a terminal could take amiss. */
const legacyTopicPattern = /^InTopic\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}\/[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/;
// oxlint-disable-next-line no-control-regex -- control characters are what is looked for
const controlPattern = /[\u0000-\u001f\u007f-\u009f]/;
const resultStates = ['delivered', 'answered', 'refused', 'expired'] as const;

/** What is wrong with a message; `id` where that much could be read, so that an answer can name it. */
export interface JsonFault {
  readonly id: string | undefined;
  readonly fault: string;
}

/** Tells a fault from what was read. */
export function isFault<T extends object>(parsed: T | JsonFault): parsed is JsonFault {
  return 'fault' in parsed;
}

/** Reads a command strictly: every field is there, of its type and in its bounds. */
export function parseCommandRequest(payload: Buffer): CommandRequest | JsonFault {
  const fields = parseFields(payload);
  if (typeof fields === 'string') return { id: undefined, fault: fields };
  const { id, name, seconds, topic, by, at, expiresAt } = fields;
  if (!isId(id)) return { id: undefined, fault: 'id: expected 32 hexadecimal digits, lower case' };
  const refuse = (fault: string): JsonFault => ({ id, fault });
  if (!isCommandName(name)) return refuse(`name: expected one of ${commandNames.join(', ')}`);
  if (name === 'Request' && seconds !== null) return refuse('seconds: expected null for Request');
  if (name === 'Sleep' && (typeof seconds !== 'number' || !Number.isFinite(seconds)))
    return refuse('seconds: expected a number for Sleep');
  if (typeof topic !== 'string' || !legacyTopicPattern.test(topic))
    return refuse('topic: expected InTopic/<site address>/<device address>');
  if (typeof by !== 'string' || by.length > maximumBy || controlPattern.test(by))
    return refuse('by: expected a name');
  if (!isTime(at)) return refuse('at: expected milliseconds since 1970');
  if (!isTime(expiresAt)) return refuse('expiresAt: expected milliseconds since 1970');
  return { id, name, seconds: typeof seconds === 'number' ? seconds : null, topic, by, at, expiresAt };
}

/** Reads a result strictly. `detail` is for people: longer ones are cut, control characters make it unreadable. */
export function parseCommandResult(payload: Buffer): CommandResult | JsonFault {
  const fields = parseFields(payload);
  if (typeof fields === 'string') return { id: undefined, fault: fields };
  const { id, state, detail, at } = fields;
  if (!isId(id)) return { id: undefined, fault: 'id: expected 32 hexadecimal digits, lower case' };
  const known = resultStates.find((candidate) => candidate === state);
  if (known === undefined) return { id, fault: `state: expected one of ${resultStates.join(', ')}` };
  if (typeof detail !== 'string' || controlPattern.test(detail))
    return { id, fault: 'detail: expected a text' };
  if (!isTime(at)) return { id, fault: 'at: expected milliseconds since 1970' };
  return { id, state: known, detail: detail.slice(0, maximumDetail), at };
}

/** `string`: what is wrong. */
function parseFields(payload: Buffer): Record<string, unknown> | string {
  if (payload.length > maximumPayload) return `${payload.length} bytes: expected at most ${maximumPayload}`;
  if (!isUtf8(payload)) return 'payload: expected UTF-8';
  let parsed: unknown;
  try {
    parsed = JSON.parse(payload.toString('utf8'));
  } catch {
    return 'payload: expected JSON';
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    return 'payload: expected a JSON object';
  return parsed as Record<string, unknown>;
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && idPattern.test(value);
}

function isCommandName(value: unknown): value is CommandName {
  return commandNames.some((name) => name === value);
}

function isTime(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= maximumTime;
}
