/**
 * `connecting` to the other broker, `connected` = messages flow, `waiting` for the next try, `idle` = lazy, and too little
 * to do, `closed` = not started or stopped.
 */
export type BridgeState = 'closed' | 'connecting' | 'connected' | 'waiting' | 'idle';

/** What a bridge does and has counted since it was made. Every message that is not passed on is counted by its reason. */
export interface BridgeStatus {
  state: BridgeState;
  /** When the state began, milliseconds since 1970. */
  since: number;
  /** Why the last connection ended or could not be made; `null` = never. */
  lastError: string | null;
  connects: number;
  /** Messages passed to the other broker, repeats included. */
  sent: number;
  /** Messages passed from the other broker, repeats included. */
  received: number;
  /** Not passed on: they have been here before, or have come too far. */
  loops: number;
  /** Of those, what a bridge of the other broker carries too: whatever crosses between the two comes twice. */
  crossed: number;
  /** Passed on and refused by the broker that got them. */
  refused: number;
  /** Given up: the broker that got them ended the link for them each time, and said that they are at fault. */
  rejected: number;
  /** Links that were ended because one of the two brokers had no room; the messages wait, and come again. */
  noRoom: number;
  /** Not passed on: larger than the broker that should get them takes. */
  tooLarge: number;
  /** Not passed on: their topic is not one of this bridge (any more). */
  unmapped: number;
}

/** A status before anything happened. */
export function createBridgeStatus(now: number): BridgeStatus {
  return {
    state: 'closed',
    since: now,
    lastError: null,
    connects: 0,
    sent: 0,
    received: 0,
    loops: 0,
    crossed: 0,
    refused: 0,
    rejected: 0,
    noRoom: 0,
    tooLarge: 0,
    unmapped: 0,
  };
}

/** `now`: milliseconds since 1970. */
export function changeState(status: BridgeStatus, state: BridgeState, now: number): void {
  status.state = state;
  status.since = now;
}
