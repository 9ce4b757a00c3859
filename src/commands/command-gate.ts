import type { CommandGateConfig } from '#config';
import {
  legacyInPrefix,
  legacyOutPrefix,
  type CommandRequest,
  type CommandResult,
  type Decoded,
  type EpochMs,
} from '#model';
import { ReasonCode, reasonName } from '#mqtt';
import { AnswerWatch } from './answer-watch.ts';
import { isFault, parseCommandRequest, type JsonFault } from './command-json.ts';
import { answerPatience } from './command-ledger.ts';
import { parseCommandTopic, type CommandTopic } from './command-topics.ts';
import { formatSeconds } from './seconds.ts';

/** What a site lets in, and who it is. */
export interface CommandGateOptions extends CommandGateConfig {
  readonly tenant: string;
  /** The site that this gate stands before. */
  readonly site: string;
  /** Reads a detector's message: the platform's own decoder, so that there is one grammar. */
  readonly decode: (topic: string, payload: Buffer, now: EpochMs) => Decoded;
}

/** What to publish, as JSON, on `topic`. */
export interface GateResult {
  readonly topic: string;
  readonly result: CommandResult;
}

/** What the gate makes of a message from outside. */
export type Acceptance =
  /** Publish `payload` on `topic` at QoS 1, then call `onDelivered` with its PUBACK; hand what comes on `watch` to `onLegacyMessage`. */
  | {
      readonly kind: 'deliver';
      readonly id: string;
      readonly topic: string;
      readonly payload: string;
      readonly watch: string;
    }
  | { readonly kind: 'refuse'; readonly resultTopic: string; readonly result: CommandResult }
  /** The same id again: not carried out, and not answered either, or a redelivery would spoil what the first one reported. */
  | { readonly kind: 'replay'; readonly id: string }
  /** Not even an id to answer. */
  | { readonly kind: 'unreadable'; readonly reason: string }
  /** No command for this site. */
  | { readonly kind: 'ignored' };

/** Everything the gate let in or kept out. */
export interface GateCounts {
  readonly delivered: number;
  readonly refused: number;
  readonly replayed: number;
  readonly unreadable: number;
}

const rememberedIds = 1_000;
const maximumOpen = 1_000;
/** A command that is good for longer than this is somebody's to keep for later. Milliseconds. */
const maximumValidityMs = 3_600_000;

/** Site side: the one door by which commands from outside reach the detectors. What it does not know, it refuses. */
export class CommandGate {
  readonly #options: CommandGateOptions;
  /** Oldest first. */
  readonly #ids = new Set<string>();
  readonly #open = new Map<string, AnswerWatch>();
  /** By the topic that the detector speaks on, oldest first. */
  readonly #watches = new Map<string, AnswerWatch[]>();
  readonly #counts = { delivered: 0, refused: 0, replayed: 0, unreadable: 0 };

  constructor(options: CommandGateOptions) {
    this.#options = options;
  }

  get counts(): GateCounts {
    return this.#counts;
  }

  /** Looks at a message from outside. Never throws, whatever it holds. */
  accept(topic: string, payload: Buffer, now: EpochMs): Acceptance {
    const { tenant, site } = this.#options;
    const place = parseCommandTopic(topic);
    if (place === undefined || place.isResult || place.tenant !== tenant || place.site !== site)
      return { kind: 'ignored' };
    const request = parseCommandRequest(payload);
    if (isFault(request)) return this.#answerFault(topic, request, now);
    if (this.#isReplay(request.id)) return { kind: 'replay', id: request.id };
    const fault = this.#check(place, request, now);
    return fault === undefined
      ? this.#deliver(topic, place, request, now)
      : this.#refuse(topic, request.id, fault, now);
  }

  /** The broker's PUBACK for what `accept` said to deliver. `undefined`: that command is at its end already. */
  onDelivered(id: string, reasonCode: number, now: EpochMs): GateResult | undefined {
    const watch = this.#open.get(id);
    if (watch === undefined || watch.isDelivered) return undefined;
    if (reasonCode === ReasonCode.Success) {
      watch.isDelivered = true;
      watch.deadline = now + answerPatience(watch.seconds, this.#options.answerTimeoutMs);
      this.#counts.delivered += 1;
      return result(watch, 'delivered', 'handed to the detector', now);
    }
    this.#close(watch);
    this.#counts.refused += 1;
    const isUnheard = reasonCode === ReasonCode.NoMatchingSubscribers;
    const detail = isUnheard
      ? `no detector listens on ${watch.commandTopic}`
      : `the site's broker refused it: ${reasonName(reasonCode)}`;
    return result(watch, 'refused', detail, now);
  }

  /** A message of a detector: the results of the commands that it answers. Cheap where nothing is asked. */
  onLegacyMessage(topic: string, payload: Buffer, now: EpochMs): readonly GateResult[] {
    const watches = this.#watches.get(topic);
    if (watches === undefined) return [];
    const decoded = this.#options.decode(topic, payload, now);
    if (decoded.kind !== 'readings') return [];
    const results: GateResult[] = [];
    let isRequestAnswered = false;
    // Closing a watch replaces the list; this one stays as it is.
    for (const watch of watches) {
      // One reading answers one request, the oldest.
      if (watch.seconds === null && isRequestAnswered) continue;
      const detail = watch.onReading(decoded.message, decoded.values);
      if (detail === undefined) continue;
      isRequestAnswered ||= watch.seconds === null;
      this.#close(watch);
      results.push(result(watch, 'answered', detail, now));
    }
    return results;
  }

  /** Ends what was not answered in time. To be called about once a second. */
  tick(now: EpochMs): readonly GateResult[] {
    const results: GateResult[] = [];
    for (const watch of this.#open.values()) {
      if (now <= watch.deadline) continue;
      this.#close(watch);
      const detail = watch.isDelivered
        ? 'delivered, but the detector did not answer'
        : "the site's broker did not take it";
      results.push(result(watch, 'expired', detail, now));
    }
    return results;
  }

  /** `undefined`: nothing speaks against it. */
  #check(place: CommandTopic, request: CommandRequest, now: EpochMs): string | undefined {
    const { allowed, sleepMinimumSeconds, sleepMaximumSeconds } = this.#options;
    const { name, seconds, at, expiresAt } = request;
    if (name !== place.name) return `the topic says ${place.name}, the command ${name}`;
    if (!allowed.includes(name)) return `${name} is not allowed at site ${this.#options.site}`;
    if (seconds !== null && !(seconds >= sleepMinimumSeconds && seconds <= sleepMaximumSeconds)) {
      return `Sleep is allowed from ${formatSeconds(sleepMinimumSeconds)} to ${formatSeconds(sleepMaximumSeconds)} s`;
    }
    if (now > expiresAt) return 'it came too late: its time was over';
    if (expiresAt - at > maximumValidityMs || expiresAt - now > maximumValidityMs)
      return 'it is valid for more than an hour';
    if (this.#open.size >= maximumOpen) return `${maximumOpen} commands wait for an answer already`;
    return undefined;
  }

  #deliver(topic: string, place: CommandTopic, request: CommandRequest, now: EpochMs): Acceptance {
    const { id, seconds } = request;
    const outTopic = legacyOutPrefix + request.topic.slice(legacyInPrefix.length);
    const watch = new AnswerWatch({
      id,
      deviceId: place.deviceId,
      commandTopic: request.topic,
      outTopic,
      resultTopic: `${topic}/result`,
      seconds,
      deadline: now + this.#options.answerTimeoutMs,
    });
    this.#open.set(id, watch);
    const sameTopic = this.#watches.get(outTopic);
    if (sameTopic === undefined) this.#watches.set(outTopic, [watch]);
    else sameTopic.push(watch);
    const payload = seconds === null ? 'Request' : `Sleep${formatSeconds(seconds)}-`;
    return { kind: 'deliver', id, topic: request.topic, payload, watch: outTopic };
  }

  #refuse(topic: string, id: string, detail: string, now: EpochMs): Acceptance {
    this.#counts.refused += 1;
    return {
      kind: 'refuse',
      resultTopic: `${topic}/result`,
      result: { id, state: 'refused', detail, at: now },
    };
  }

  #answerFault(topic: string, { id, fault }: JsonFault, now: EpochMs): Acceptance {
    if (id === undefined) {
      this.#counts.unreadable += 1;
      return { kind: 'unreadable', reason: fault };
    }
    return this.#isReplay(id) ? { kind: 'replay', id } : this.#refuse(topic, id, fault, now);
  }

  /** Whether the id was received before; it is remembered from now on. */
  #isReplay(id: string): boolean {
    if (this.#ids.has(id)) {
      this.#counts.replayed += 1;
      return true;
    }
    this.#ids.add(id);
    if (this.#ids.size > rememberedIds) {
      for (const oldest of this.#ids) {
        this.#ids.delete(oldest);
        break;
      }
    }
    return false;
  }

  #close(watch: AnswerWatch): void {
    this.#open.delete(watch.id);
    const rest = (this.#watches.get(watch.outTopic) ?? []).filter((candidate) => candidate !== watch);
    if (rest.length === 0) this.#watches.delete(watch.outTopic);
    else this.#watches.set(watch.outTopic, rest);
  }
}

function result(watch: AnswerWatch, state: CommandResult['state'], detail: string, at: EpochMs): GateResult {
  return { topic: watch.resultTopic, result: { id: watch.id, state, detail, at } };
}
