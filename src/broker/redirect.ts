import { ReasonCode } from '#mqtt';
import type { Redirect } from './ports.ts';

/** The reason code that tells a client to go elsewhere (MQTT 5, 4.11). */
export function redirectCode(redirect: Redirect): ReasonCode {
  return redirect.isPermanent ? ReasonCode.ServerMoved : ReasonCode.UseAnotherServer;
}
