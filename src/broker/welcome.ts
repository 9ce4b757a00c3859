import type { Identity, ListenerProfile } from './ports.ts';

/** The rules of its listener, as they are now, still let in who came in by this ticket (empty = it has none). */
export function isStillWelcome(
  { authenticator }: ListenerProfile,
  identity: Identity | null,
  ticket: string,
): boolean {
  if (ticket === '' || identity === null) return true;
  return authenticator.isStillWelcome?.(identity, ticket) !== false;
}
