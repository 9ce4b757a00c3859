import type { Logger } from '#base';
import { reasonName, type SubackPacket, type SubscribePacket, type UnsubackPacket } from '#mqtt';

/** Tells of refused subscriptions; they are asked for again with the next connection. */
export function isGranted(
  answer: SubackPacket | UnsubackPacket,
  asked: SubscribePacket | null,
  log: Logger,
): boolean {
  let granted = true;
  for (const [index, code] of answer.reasonCodes.entries()) {
    if (code < 0x80) continue;
    granted = false;
    log.warning('subscription is refused', {
      filter: asked?.subscriptions[index]?.filter,
      reason: reasonName(code),
    });
  }
  return granted;
}
