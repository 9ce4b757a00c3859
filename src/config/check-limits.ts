import type { LimitsConfig } from './config.ts';
import { fault, warn, type Desk } from './findings.ts';
import { sizeText } from './key-value.ts';

/** Bounds and rules for clients that contradict each other: of `[broker]`, or as they hold at one listener. */
export function checkLimits(limits: LimitsConfig, desk: Desk): void {
  const { maximumPacketSize, maximumPayloadSize = 0 } = limits;
  if (maximumPayloadSize >= maximumPacketSize)
    fault(
      desk,
      desk.section.has('maximum_payload_size') ? 'maximum_payload_size' : 'maximum_packet_size',
      `maximum_payload_size is never reached, as maximum_packet_size is ${sizeText(maximumPacketSize)}; lower it`,
    );
  if (limits.acceptedVersions?.length === 0)
    fault(
      desk,
      'accepted_versions',
      'accepted_versions is empty: nobody could connect; name one version at least',
    );
  checkClientIds(limits, desk);
}

function checkClientIds(limits: LimitsConfig, desk: Desk): void {
  const { allowEmptyClientId = true, clientIdPrefixes = [] } = limits;
  const { assignedClientIdPrefix: assigned = 'davylamp-' } = limits;
  const { section } = desk;
  if (!allowEmptyClientId) {
    if (section.has('assigned_client_id_prefix'))
      fault(
        desk,
        'assigned_client_id_prefix',
        'allow_empty_client_id = false: no id is ever given; remove one of them',
      );
    return;
  }
  if (clientIdPrefixes.length === 0 || clientIdPrefixes.some((prefix) => assigned.startsWith(prefix))) return;
  warn(
    desk,
    section.has('client_id_prefixes') ? 'client_id_prefixes' : 'assigned_client_id_prefix',
    `clients without an id are refused: the id that they would get begins with ${JSON.stringify(assigned)}; set assigned_client_id_prefix to one of client_id_prefixes`,
  );
}
