import { DavylampError, messageOf } from '#base';
import { PacketType, ReasonCode, type AuthPacket, type ConnackPacket, type ConnectPacket } from '#mqtt';
import type { ClientAuthentication, ClientExchange } from './authentication.ts';

/** What a sign-in by a method needs of its link. */
export interface AuthenticationLink {
  send(packet: AuthPacket): void;
  /** Ends the link: the broker is not to be believed, or cannot be answered. */
  fail(detail: string): void;
}

interface Waiter {
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

/** The authentication method of one link (MQTT 5, 4.12): at CONNECT, and again whenever it is asked for. */
export class LinkAuthentication {
  readonly #authentication: ClientAuthentication;
  readonly #link: AuthenticationLink;
  /** The run that goes on; `null` between two. */
  #exchange: ClientExchange | null = null;
  /** An answer is being worked out: it is not the broker's turn. */
  #isWorking = false;
  #waiter: Waiter | null = null;

  constructor(authentication: ClientAuthentication, link: AuthenticationLink) {
    this.#authentication = authentication;
    this.#link = link;
  }

  /** CONNECT with the method and its first data. Throws what the method throws. */
  begin(connect: ConnectPacket): ConnectPacket {
    this.#exchange = this.#authentication.begin();
    return {
      ...connect,
      properties: { ...connect.properties, ...this.#propertiesOf(this.#exchange.first()) },
    };
  }

  /** CONNACK says success: has the broker proven what the method wants proven? */
  accepts(connack: ConnackPacket): boolean {
    const exchange = this.#exchange;
    this.#exchange = null;
    return !this.#isWorking && exchange?.isProven(connack.properties.authenticationData) === true;
  }

  /** AUTH of the broker, before CONNACK or in a re-authentication. 0, or how it breaks the protocol. */
  onAuth(packet: AuthPacket): ReasonCode {
    const exchange = this.#exchange;
    const { authenticationMethod, authenticationData } = packet.properties;
    // [MQTT-4.12.0-5]
    if (exchange === null || this.#isWorking || authenticationMethod !== this.#authentication.method)
      return ReasonCode.ProtocolError;
    if (packet.reasonCode === ReasonCode.Success) return this.#onDone(exchange, authenticationData);
    if (packet.reasonCode !== ReasonCode.ContinueAuthentication) return ReasonCode.ProtocolError;
    this.#isWorking = true;
    void this.#answer(exchange, authenticationData);
    return ReasonCode.Success;
  }

  /** Begins again on a link that is up [MQTT-4.12.1-1]. Rejects when the link ends first. */
  reauthenticate(): Promise<void> {
    if (this.#exchange !== null) {
      return Promise.reject(
        new DavylampError('USAGE', 'a re-authentication is under way already; wait for it'),
      );
    }
    return new Promise((resolve, reject) => {
      const exchange = this.#authentication.begin();
      this.#send(ReasonCode.ReAuthenticate, exchange.first());
      this.#exchange = exchange;
      this.#waiter = { resolve, reject };
    });
  }

  /** The link is over. */
  onEnd(error: Error): void {
    this.#exchange = null;
    this.#waiter?.reject(error);
    this.#waiter = null;
  }

  /** AUTH with success: only in a re-authentication; at CONNECT it is CONNACK that says so. */
  #onDone(exchange: ClientExchange, data: Buffer | undefined): ReasonCode {
    const waiter = this.#waiter;
    if (waiter === null) return ReasonCode.ProtocolError;
    if (!exchange.isProven(data)) {
      this.#link.fail('it has not proven itself'); // [MQTT-4.12.1-2]
      return ReasonCode.Success;
    }
    this.#exchange = null;
    this.#waiter = null;
    waiter.resolve();
    return ReasonCode.Success;
  }

  async #answer(exchange: ClientExchange, data: Buffer | undefined): Promise<void> {
    try {
      const answer = await exchange.answer(data);
      this.#isWorking = false;
      if (exchange === this.#exchange) this.#send(ReasonCode.ContinueAuthentication, answer); // [MQTT-4.12.0-3]
    } catch (error) {
      this.#isWorking = false;
      if (exchange === this.#exchange) this.#link.fail(messageOf(error));
    }
  }

  #send(reasonCode: ReasonCode, data: Buffer | undefined): void {
    this.#link.send({ type: PacketType.Auth, reasonCode, properties: this.#propertiesOf(data) });
  }

  #propertiesOf(data: Buffer | undefined): AuthPacket['properties'] {
    const authenticationMethod = this.#authentication.method;
    return data === undefined ? { authenticationMethod } : { authenticationMethod, authenticationData: data };
  }
}
