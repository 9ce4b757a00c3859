import { randomBytes } from 'node:crypto';
import type {
  Command,
  CommandName,
  CommandRequest,
  CommandResult,
  CommandState,
  Device,
  EpochMs,
} from '#model';
import { isFault, parseCommandResult } from './command-json.ts';
import { commandTopicOf, parseCommandTopic } from './command-topics.ts';

/** Whose commands they are, and how long an answer may take. */
export interface CommandLedgerOptions {
  readonly tenant: string;
  /** How long a site may take to deliver, and then a detector to answer. Milliseconds; 30 s when left out. */
  readonly answerTimeoutMs?: number;
  /** A new id: 32 hexadecimal digits. Random when left out. */
  readonly createId?: () => string;
}

/** A command to store, and what to publish for it. */
export interface CreatedCommand {
  readonly command: Command;
  readonly request: CommandRequest;
  readonly topic: string;
}

/** Results that changed nothing: not readable, of a command that is unknown or at its end, or behind what is known. */
export interface LedgerCounts {
  readonly unreadable: number;
  readonly unknown: number;
  readonly late: number;
}

interface Entry {
  command: Command;
  readonly topic: string;
  deadline: EpochMs;
}

const minimumSleepSeconds = 0.01;
const maximumSleepSeconds = 86_400;
const maximumOpen = 10_000;
const maximumBy = 128;
/** The site expires a command first and says so; this much later the ledger stops waiting for its word. Milliseconds. */
const graceMs = 5_000;
const defaultTimeoutMs = 30_000;

/** A state is only left for one of a higher rank; the last three are the end. */
const ranks: Readonly<Record<CommandState, number>> = {
  pending: 0,
  sent: 1,
  delivered: 2,
  answered: 3,
  refused: 3,
  expired: 3,
};
const finalRank = 3;

/** Cloud side: every command that somebody gave, and how far it is known to have come. A state needs evidence. */
export class CommandLedger {
  readonly #tenant: string;
  readonly #timeoutMs: number;
  readonly #createId: () => string;
  readonly #open = new Map<string, Entry>();
  readonly #counts = { unreadable: 0, unknown: 0, late: 0 };

  constructor(options: CommandLedgerOptions) {
    this.#tenant = options.tenant;
    this.#timeoutMs = options.answerTimeoutMs ?? defaultTimeoutMs;
    this.#createId = options.createId ?? (() => randomBytes(16).toString('hex'));
  }

  get counts(): LedgerCounts {
    return this.#counts;
  }

  /** Takes up what the store holds; commands that are at their end are left out. */
  restore(commands: Iterable<Command>, devices: ReadonlyMap<string, Device>): void {
    for (const command of commands) {
      const device = devices.get(command.deviceId);
      if (ranks[command.state] >= finalRank || device === undefined) continue;
      const topic = commandTopicOf(this.#tenant, device.site, device.id, command.name);
      this.#open.set(command.id, { command, topic, deadline: this.#deadline(command, command.updatedAt) });
    }
  }

  /** A new command, `pending`. `string`: why it cannot be given. */
  create(
    device: Device,
    name: CommandName,
    seconds: number | null,
    by: string,
    now: EpochMs,
  ): CreatedCommand | string {
    if (device.commandTopic === null) return `device ${device.id} takes no commands`;
    const fault =
      name === 'Sleep' ? checkSeconds(seconds) : seconds === null ? undefined : 'Request takes no seconds';
    if (fault !== undefined) return fault;
    if (by.length === 0 || by.length > maximumBy)
      return `the name of who gives the command must have 1 to ${maximumBy} characters`;
    if (this.#open.size >= maximumOpen)
      return `${maximumOpen} commands wait for an answer already; try again later`;
    const id = this.#createId();
    const command: Command = {
      id,
      deviceId: device.id,
      name,
      seconds,
      by,
      at: now,
      state: 'pending',
      updatedAt: now,
      detail: '',
    };
    const topic = commandTopicOf(this.#tenant, device.site, device.id, name);
    this.#open.set(id, { command, topic, deadline: this.#deadline(command, now) });
    const request: CommandRequest = {
      id,
      name,
      seconds,
      topic: device.commandTopic,
      by,
      at: now,
      expiresAt: now + this.#timeoutMs,
    };
    return { command, request, topic };
  }

  /** The broker has taken the command (PUBACK). `undefined`: nothing changed. */
  onSent(id: string, now: EpochMs): Command | undefined {
    return this.#advance(id, 'sent', 'handed to the broker', now);
  }

  /** The broker has refused the command, or the platform could not hand it over. `undefined`: nothing changed. */
  onUnsendable(id: string, reason: string, now: EpochMs): Command | undefined {
    return this.#advance(id, 'refused', reason, now);
  }

  /** A message on any topic: the changed command when it is a result, of the right device's topic, that says more. */
  onMessage(topic: string, payload: Buffer, now: EpochMs): Command | undefined {
    const place = parseCommandTopic(topic);
    if (place === undefined || !place.isResult || place.tenant !== this.#tenant) return undefined;
    const result = parseCommandResult(payload);
    if (isFault(result)) {
      this.#counts.unreadable += 1;
      return undefined;
    }
    const entry = this.#open.get(result.id);
    // A site speaks for its own devices only: a result under another topic is of no command that was sent there.
    if (entry !== undefined && `${entry.topic}/result` !== topic) {
      this.#counts.unknown += 1;
      return undefined;
    }
    return this.onResult(result, now);
  }

  /** What a site found. `undefined`: it says no more than is known. */
  onResult(result: CommandResult, now: EpochMs): Command | undefined {
    const changed = this.#advance(result.id, result.state, result.detail, now);
    if (changed === undefined) this.#counts[this.#open.has(result.id) ? 'late' : 'unknown'] += 1;
    return changed;
  }

  /** Ends what nobody will answer any more. To be called about once a second. */
  tick(now: EpochMs): readonly Command[] {
    const expired: Command[] = [];
    for (const { command, deadline } of this.#open.values()) {
      if (now <= deadline) continue;
      const changed = this.#advance(command.id, 'expired', expiryDetail(command.state), now);
      if (changed !== undefined) expired.push(changed);
    }
    return expired;
  }

  #advance(id: string, state: CommandState, detail: string, now: EpochMs): Command | undefined {
    const entry = this.#open.get(id);
    if (entry === undefined || ranks[state] <= ranks[entry.command.state]) return undefined;
    entry.command = { ...entry.command, state, detail, updatedAt: now };
    if (ranks[state] >= finalRank) this.#open.delete(id);
    else entry.deadline = this.#deadline(entry.command, now);
    return entry.command;
  }

  /** A `Sleep` is answered by the next readings: that takes as long as it asks for. */
  #deadline(command: Command, since: EpochMs): EpochMs {
    const base = command.state === 'delivered' ? since : command.at;
    const patienceMs =
      command.state === 'delivered' ? answerPatience(command.seconds, this.#timeoutMs) : this.#timeoutMs;
    return base + patienceMs + graceMs;
  }
}

/** How long after its delivery a command may be answered: a `Sleep` needs readings at the interval it asks for. */
export function answerPatience(seconds: number | null, timeoutMs: number): number {
  return timeoutMs + 3_000 * (seconds ?? 0);
}

function checkSeconds(seconds: number | null): string | undefined {
  if (seconds !== null && seconds >= minimumSleepSeconds && seconds <= maximumSleepSeconds) return undefined;
  return `Sleep needs ${minimumSleepSeconds} to ${maximumSleepSeconds} seconds`;
}

function expiryDetail(state: CommandState): string {
  if (state === 'pending') return 'not sent: no connection to the broker';
  if (state === 'sent') return 'the site did not answer';
  return 'delivered, but the detector did not answer';
}
