import type { DavylampError, Logger } from '#base';
import type { BrokerLink, LinkOwner } from '#client';
import type { BridgeConfig } from '#config';
import { PacketType, ReasonCode, type ConnectPacket } from '#mqtt';
import {
  localConnect,
  localSubscribe,
  localUnsubscribe,
  receiveMaximumOf,
  send,
  subackFault,
  windowOf,
} from './bridge-packets.ts';
import type { OwnSession } from './own-session.ts';
import { isGranted } from './subscription-answers.ts';

export interface QueuePreparationOptions {
  readonly config: BridgeConfig;
  readonly ours: OwnSession;
  readonly log: Logger;
  /** Filters that the session has from an earlier run or configuration. */
  readonly subscribed: () => readonly string[];
  readonly createLink: (owner: LinkOwner, connect: ConnectPacket) => BrokerLink;
  /** The link is over; `ours.isPrepared` says whether it has done its work. */
  readonly onEnd: (error: DavylampError | undefined) => void;
}

/**
 * Makes the session in our own broker at once, so that what is published before the first connection to the other side
 * waits in its queue. Nothing is taken out of it yet: what comes is not acknowledged, and so comes again. Gives the link
 * that does it, not started.
 */
export function prepareQueue(options: QueuePreparationOptions): BrokerLink {
  const { config, ours, log, createLink, onEnd } = options;
  const asked = localSubscribe(config, null, 2);
  let isAsking = false;
  const leave = (): void => {
    ours.isPrepared = true;
    link.end();
  };
  const owner: LinkOwner = {
    onConnected: (connack) => {
      ours.onConnack(connack);
      ours.receiveMaximum = Math.min(windowOf(config), receiveMaximumOf(connack));
      const unwanted = localUnsubscribe(config, options.subscribed());
      send(link, unwanted);
      isAsking = asked !== null && !ours.isSubscribed;
      if (isAsking) send(link, asked);
      else if (unwanted === null) leave();
      return ReasonCode.Success;
    },
    onPublish: () => ReasonCode.Success,
    onAck: () => ReasonCode.Success,
    onSuback: (packet) => {
      const fault = subackFault(packet, asked);
      if (fault !== ReasonCode.Success) return fault;
      if (packet.type === PacketType.Unsuback && isAsking) return ReasonCode.Success;
      isGranted(packet, asked, log);
      leave();
      return ReasonCode.Success;
    },
    onDrain: () => {},
    onEnd,
  };
  const link = createLink(owner, localConnect(config, 1));
  return link;
}
