import type { ClientInfo, Hooks } from '#broker';
import type { BrokerHooks } from './options.ts';

/** How the program's own subscriptions are known. */
export interface InsideClients {
  readonly listener: string;
  readonly clients: { has(clientId: string): boolean };
}

/**
 * Hangs a program's hooks into the broker; what it does not have stays empty and costs nothing. Its own subscriptions,
 * which are clients in memory, are not told to it.
 */
export function connectHooks(into: Hooks, hooks: BrokerHooks, inside: InsideClients): void {
  const isOutside = ({ listener }: ClientInfo): boolean => listener !== inside.listener;
  if (hooks.transform !== undefined) into.transform = (message, client) => hooks.transform?.(message, client);
  if (hooks.published !== undefined) into.published = (message, client) => hooks.published?.(message, client);
  if (hooks.delivered !== undefined) {
    into.delivered = (message, clientId, qos) => {
      if (!inside.clients.has(clientId)) hooks.delivered?.(message, clientId, qos);
    };
  }
  if (hooks.dropped !== undefined)
    into.onDropped.push((policy, clientId, topic) => hooks.dropped?.(policy, clientId, topic));
  if (hooks.connected !== undefined) {
    into.onClientConnected.push((client) => {
      if (isOutside(client)) hooks.connected?.(client);
    });
  }
  if (hooks.disconnected !== undefined) {
    into.onClientDisconnected.push((client, reason) => {
      if (isOutside(client)) hooks.disconnected?.(client, reason);
    });
  }
  if (hooks.subscribed !== undefined) {
    into.onSubscribed.push((client, filter, qos) => {
      if (isOutside(client)) hooks.subscribed?.(client, filter, qos);
    });
  }
  if (hooks.unsubscribed !== undefined) {
    into.onUnsubscribed.push((client, filter) => {
      if (isOutside(client)) hooks.unsubscribed?.(client, filter);
    });
  }
}
