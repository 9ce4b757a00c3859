import { randomInt } from 'node:crypto';
import { ReasonCode, type SubscriptionRequest } from '#mqtt';
import { matches, parseShare } from '#topics';
import type { PrintedMessage } from './output-format.ts';
import { Printing } from './printing.ts';
import type { ToolSettings } from './settings.ts';
import { Tool } from './tool.ts';
import { ToolExit, type ToolSession } from './tool-session.ts';

/** Retained messages that wait for their deletion to be sent; reading stops beyond it. */
const maximumRemovals = 1000;
/** `--random-filter` counts in these. */
const perMille = 10;

/** Runs `davylamp sub`. */
export function runSubscribe(session: ToolSession): Promise<number> {
  return new Subscriber(session).run();
}

/** What SUBSCRIBE says of one filter. Before MQTT 5 only the QoS is sent. */
export function subscriptionOf(settings: ToolSettings, filter: string): SubscriptionRequest {
  const isV5 = settings.version === 5;
  return {
    filter,
    qos: settings.qos,
    noLocal: false,
    retainAsPublished: isV5 && settings.retainAsPublished,
    retainHandling: isV5 ? settings.retainHandling : 0,
  };
}

class Subscriber extends Tool {
  readonly #printing: Printing;
  /** Topics of `--remove-retained` that wait for room. */
  readonly #removals: string[] = [];
  #pauses = 0;
  #count = 0;
  #isConnected = false;
  /** Nothing more is printed: enough has come, or it is over. */
  #isDone = false;
  #lastComplaint = '';

  constructor(session: ToolSession) {
    super(session, true);
    this.#printing = new Printing(session, {
      pause: () => this.#pause(),
      resume: () => this.#resume(),
      close: () => this.close(),
    });
  }

  onStop(): void {
    // As the mosquitto tools: who is stopped by a signal leaves with the will.
    if (this.#isConnected) this.close(ReasonCode.DisconnectWithWill);
    else this.closeWith(ToolExit.Interrupted, ReasonCode.DisconnectWithWill);
  }

  onConnected(): void {
    const { settings } = this.session;
    this.#isConnected = true;
    this.#lastComplaint = '';
    const requests = settings.topics.map((filter) => subscriptionOf(settings, filter));
    if (requests.length > 0) this.client.subscribe(requests);
    for (const filter of settings.unsubscribe) this.client.unsubscribe(filter);
  }

  override onMessage(message: PrintedMessage): void {
    const { settings } = this.session;
    if (this.#isDone) return;
    if (settings.retainedOnly && !message.retain) {
      this.#finish();
      return;
    }
    if (message.retain && settings.noRetained) return;
    if (settings.filterOut.some((filter) => matches(parseShare(filter)?.filter ?? filter, message.topic)))
      return;
    if (settings.removeRetained && message.retain) this.#remove(message.topic);
    if (isChosen(settings.randomShare)) this.#printing.print(message);
    this.#count += 1;
    if (this.#count === settings.count) this.#finish();
  }

  override onSubscribed(codes: readonly number[]): void {
    const isDenied = codes.every((code) => code >= 0x80);
    if (isDenied) this.session.complain('All subscription requests were denied.');
    if (isDenied || this.session.settings.exitAfterSubscribe) this.close();
  }

  override onPublished(): void {
    if (this.#isDone) this.#finish();
  }

  override onRoom(): void {
    const before = this.#removals.length;
    while (this.#removals.length > 0 && this.client.hasRoom(1))
      this.client.publish(this.#removals.shift()!, Buffer.alloc(0), 1, true);
    if (before >= maximumRemovals && this.#removals.length < maximumRemovals) this.#resume();
  }

  override onRetry(message: string): void {
    // A broker that stays away is named once.
    if (message !== this.#lastComplaint) this.session.complain(`${message}; trying again`);
    this.#lastComplaint = message;
  }

  #remove(topic: string): void {
    this.#removals.push(topic);
    if (this.#removals.length === maximumRemovals) this.#pause();
    this.onRoom();
  }

  /** Enough has come; what is to be deleted is deleted first. */
  #finish(): void {
    this.#isDone = true;
    if (this.#removals.length === 0 && this.client.inflight === 0) this.close();
  }

  override close(reasonCode?: number): void {
    this.#isDone = true;
    super.close(reasonCode);
  }

  /** Two may ask for a pause: standard output, and the deletions. */
  #pause(): void {
    this.#pauses += 1;
    if (this.#pauses === 1) this.client.pause();
  }

  #resume(): void {
    this.#pauses -= 1;
    if (this.#pauses === 0) this.client.resume();
  }
}

function isChosen(share: number): boolean {
  return share >= 100 || randomInt(100 * perMille) < share * perMille;
}
